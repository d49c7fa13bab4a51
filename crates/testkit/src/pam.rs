//! A PAM application in this process, on the real libpam.
//!
//! ```no_run
//! use pam_otp_testkit::pam::{self, Application, Stack};
//!
//! let stack = Stack::new("door", "auth required {module}");
//! let login = Application::new().user("alice").rhost("192.0.2.7").reply("123456");
//! let transcript = login.authenticate(&stack);
//! assert_eq!(transcript.code, pam::AUTH_ERR);
//! ```

mod conversation;
mod ffi;
mod stack;
mod transaction;

pub use conversation::{Reply, Style};
pub use stack::Stack;
pub(crate) use stack::with_module;
pub use transaction::Transaction;

use conversation::{Conversation, Manners};
use std::ffi::{CString, c_int};

/// `PAM_SUCCESS`
pub const SUCCESS: c_int = 0;
/// `PAM_SERVICE_ERR`
pub const SERVICE_ERR: c_int = 3;
/// `PAM_SYSTEM_ERR`
pub const SYSTEM_ERR: c_int = 4;
/// `PAM_PERM_DENIED`
pub const PERM_DENIED: c_int = 6;
/// `PAM_AUTH_ERR`
pub const AUTH_ERR: c_int = 7;
/// `PAM_CRED_INSUFFICIENT`
pub const CRED_INSUFFICIENT: c_int = 8;
/// `PAM_AUTHINFO_UNAVAIL`
pub const AUTHINFO_UNAVAIL: c_int = 9;
/// `PAM_USER_UNKNOWN`
pub const USER_UNKNOWN: c_int = 10;
/// `PAM_MAXTRIES`
pub const MAXTRIES: c_int = 11;
/// `PAM_CRED_ERR`
pub const CRED_ERR: c_int = 17;
/// `PAM_CONV_ERR`
pub const CONV_ERR: c_int = 19;
/// `PAM_IGNORE`
pub const IGNORE: c_int = 25;
/// `PAM_ABORT`
pub const ABORT: c_int = 26;
/// `PAM_MODULE_UNKNOWN`: what libpam says when it cannot load a module.
pub const MODULE_UNKNOWN: c_int = 28;
/// `PAM_CONV_AGAIN`
pub const CONV_AGAIN: c_int = 30;
/// `PAM_INCOMPLETE`
pub const INCOMPLETE: c_int = 31;

/// `PAM_SILENT`, a flag: say nothing to the user.
pub const SILENT: c_int = 0x8000;
/// `PAM_DISALLOW_NULL_AUTHTOK`, a flag of authenticate.
pub const DISALLOW_NULL_AUTHTOK: c_int = 1;
/// `PAM_ESTABLISH_CRED`, a flag of setcred.
pub const ESTABLISH_CRED: c_int = 2;
/// `PAM_DELETE_CRED`, a flag of setcred.
pub const DELETE_CRED: c_int = 4;

/// What one login looked like from the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What `pam_authenticate` returned.
    pub code: c_int,
    /// What `pam_setcred` returned; called after a success only.
    pub setcred: Option<c_int>,
    /// All that the stack said and asked, in order.
    pub prompts: Vec<(Style, String)>,
    /// How many replies nobody asked for.
    pub leftover: usize,
    /// The waits that libpam asked for after failures, in microseconds, as
    /// randomised by libpam (half to one and a half of `pam_fail_delay`'s).
    pub delays: Vec<u32>,
}

impl Transcript {
    /// Whether the user is in: authenticated, and the credentials set.
    #[must_use]
    pub fn entered(&self) -> bool {
        self.code == SUCCESS && self.setcred == Some(SUCCESS)
    }

    /// The questions alone.
    #[must_use]
    pub fn questions(&self) -> Vec<&str> {
        self.texts(|style| matches!(style, Style::EchoOff | Style::EchoOn))
    }

    /// The information and error messages alone.
    #[must_use]
    pub fn messages(&self) -> Vec<&str> {
        self.texts(|style| matches!(style, Style::Info | Style::Error))
    }

    fn texts(&self, wanted: impl Fn(Style) -> bool) -> Vec<&str> {
        self.prompts
            .iter()
            .filter(|(style, _)| wanted(*style))
            .map(|(_, text)| &**text)
            .collect()
    }
}

/// A program about to log somebody in.
#[derive(Default)]
pub struct Application {
    user: Option<CString>,
    items: Vec<(c_int, CString)>,
    flags: c_int,
    replies: Vec<Reply>,
    manners: Manners,
}

impl Application {
    /// An application that knows nothing yet, not even the user.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `PAM_USER`. Without it, libpam asks for the name.
    #[must_use]
    pub fn user(mut self, user: impl Into<Vec<u8>>) -> Self {
        self.user = Some(string(user));
        self
    }

    /// `PAM_RHOST`: where the login comes from.
    #[must_use]
    pub fn rhost(self, rhost: impl Into<Vec<u8>>) -> Self {
        self.item(ffi::RHOST, rhost)
    }

    /// `PAM_TTY`.
    #[must_use]
    pub fn tty(self, tty: impl Into<Vec<u8>>) -> Self {
        self.item(ffi::TTY, tty)
    }

    /// `PAM_RUSER`: who asks, if that is another.
    #[must_use]
    pub fn ruser(self, ruser: impl Into<Vec<u8>>) -> Self {
        self.item(ffi::RUSER, ruser)
    }

    /// Flags for `pam_authenticate`, such as [`SILENT`].
    #[must_use]
    pub fn flags(mut self, flags: c_int) -> Self {
        self.flags |= flags;
        self
    }

    /// Adds the reply to the next prompt. A prompt without one is answered
    /// with `PAM_CONV_ERR`.
    #[must_use]
    pub fn reply(mut self, reply: impl Into<Reply>) -> Self {
        self.replies.push(reply.into());
        self
    }

    /// Answers information and error messages with `PAM_CONV_ERR`.
    #[must_use]
    pub fn mute_messages(mut self) -> Self {
        self.manners = Manners::Mute;
        self
    }

    /// Answers information and error messages with success and no response.
    #[must_use]
    pub fn ignore_messages(mut self) -> Self {
        self.manners = Manners::NoResponse;
        self
    }

    /// One login from start to end: authenticate and, on success, setcred.
    #[must_use]
    pub fn authenticate(self, stack: &Stack) -> Transcript {
        self.start(stack).authenticate()
    }

    /// Starts a transaction, for more than one login or other entry points.
    #[must_use]
    pub fn start(self, stack: &Stack) -> Transaction {
        let conversation = Box::new(Conversation::default());
        conversation.script(|script| {
            script.replies = self.replies.into();
            script.manners = self.manners;
        });
        let transaction = Transaction::start(stack, self.user.as_deref(), conversation, self.flags);
        for (item, value) in &self.items {
            transaction.set(*item, value);
        }
        transaction
    }

    fn item(mut self, item: c_int, value: impl Into<Vec<u8>>) -> Self {
        self.items.push((item, string(value)));
        self
    }
}

fn string(bytes: impl Into<Vec<u8>>) -> CString {
    CString::new(bytes).expect("PAM items cannot hold NUL")
}
