//! All that the flow needs of PAM.

use std::fmt;
use std::time::Duration;

use pam_otp_core::answer::Answer;
use pam_otp_core::session::Session;
use zeroize::Zeroizing;

use crate::event::Event;

pub(crate) mod linux_pam;

/// The application, as a module sees it through libpam.
pub(crate) trait Host {
    /// The name of the user who logs in. May ask for it.
    fn user(&mut self) -> Result<String, HostError>;

    /// The PAM service: the name of the stack.
    fn service(&self) -> String;

    /// The address or name of the client, if the application says one.
    fn rhost(&self) -> Option<String>;

    /// Who started this program, if the application says so: su and sudo do.
    fn ruser(&self) -> Option<String>;

    /// The terminal, if the application says one.
    fn tty(&self) -> Option<String>;

    /// The login session that the application runs in, if that can be told and
    /// the terminal is that session's.
    fn session(&self, _terminal: &str) -> Option<Session> {
        None
    }

    /// Asks a question; `echo` shows the answer while it is typed.
    fn ask(&mut self, question: &str, echo: bool) -> Result<Zeroizing<Vec<u8>>, HostError>;

    /// Shows the user lines of text now. An application that asked for silence
    /// gets them with the next question, which it cannot do without.
    fn tell(&mut self, text: &str) -> Result<(), HostError>;

    /// Tells the user something once the login has succeeded as a whole. Told
    /// at once, it would let those who have one factor know that it was right.
    fn tell_later(&mut self, text: String);

    /// The password that an earlier module asked for.
    fn authtok(&self) -> Result<Option<Zeroizing<Vec<u8>>>, HostError>;

    /// Hands a password on to later modules.
    fn set_authtok(&mut self, password: &[u8]) -> Result<(), HostError>;

    /// Keeps an answer for a later line of the same stack.
    fn hold(&mut self, answer: Answer) -> Result<(), HostError>;

    /// What an earlier line keeps, once.
    fn take_held(&mut self) -> Option<Answer>;

    /// Leaves a mark in PAM's environment, which some applications hand on from
    /// the process that authenticates to the one that sets the credentials.
    fn mark(&mut self, text: &str) -> Result<(), HostError>;

    /// Takes the mark out of it.
    fn take_mark(&mut self) -> Option<Zeroizing<String>>;

    /// Fills this with random bytes.
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), HostError>;

    /// This machine's name.
    fn host_name(&self) -> String;

    /// Asks libpam to wait so long if the login fails.
    fn delay_failure(&mut self, delay: Duration);

    /// Whether memory ran out in this call. What it then decided does not count.
    fn starved(&self) -> bool {
        false
    }

    /// Writes one line to the system's log.
    fn log(&mut self, event: &Event);
}

/// What can go wrong between libpam, the application and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostError {
    /// The application names no user.
    NoUser,
    /// The application cannot or will not ask the user.
    Conversation,
    /// The application asked, and has no answer to give.
    NoAnswer,
    /// libpam refuses.
    Libpam,
    /// The kernel gives no random bytes.
    Random,
}

impl HostError {
    /// The reason word of log lines.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NoUser => "no_user",
            Self::Conversation => "no_conversation",
            Self::NoAnswer => "no_answer",
            Self::Libpam => "libpam_failed",
            Self::Random => "no_randomness",
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUser => "the application names no user",
            Self::Conversation => "the application could not ask the user",
            Self::NoAnswer => "the application gave no answer",
            Self::Libpam => "libpam refused a request of ours",
            Self::Random => "the kernel gave no random bytes",
        })
    }
}
