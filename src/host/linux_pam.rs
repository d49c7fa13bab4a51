//! The real PAM behind [`Host`], and the only unsafe code of the project.
//!
//! `pam-bindings` does most of it; here is what it lacks: the log, the fail
//! delay, setting the password, PAM's environment, what one line holds for
//! another, and memory that is there when there is none.

#![allow(
    unsafe_code,
    reason = "the one room for it; each block says why it is sound"
)]

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::ptr;
use std::time::Duration;

use pam::constants::{
    PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_SILENT, PAM_TEXT_INFO, PamFlag, PamResultCode,
};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, RUser, Service, Tty};
use pam::module::PamHandle;
use pam_otp_core::answer::Answer;
use pam_otp_core::real_root::RealRoot;
use pam_otp_core::session::Session;
use zeroize::{Zeroize, Zeroizing};

use super::{Host, HostError};
use crate::event::{Event, Level, USUAL};

pub(crate) mod memory;

use memory::Watch;

unsafe extern "C" {
    fn pam_syslog(handle: *const PamHandle, priority: c_int, format: *const c_char, ...);
    fn pam_fail_delay(handle: *mut PamHandle, microseconds: c_uint) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, item: c_int, value: *const c_void) -> c_int;
    fn pam_putenv(handle: *mut PamHandle, pair: *const c_char) -> c_int;
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// `PTHREAD_CANCEL_DISABLE` of glibc's and musl's `pthread.h`.
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// `PAM_AUTHTOK` of Linux-PAM's `_pam_types.h`.
const PAM_AUTHTOK: c_int = 6;

/// Names of what one call keeps for a later one. With the version: another
/// build's idea of the type behind a name may be another.
const HELD: &str = concat!("pam_otp_held_", env!("CARGO_PKG_VERSION"));
const TOLD_LATER: &str = concat!("pam_otp_told_later_", env!("CARGO_PKG_VERSION"));

/// The mark's variable in PAM's environment.
const MARK: &CStr = c"PAM_OTP_ENROLMENT";

/// What stands behind such a name: taken out once.
type Later<T> = Cell<Option<T>>;

/// One call of libpam into this module.
pub(crate) struct LinuxPam<'a> {
    handle: &'a mut PamHandle,
    silent: bool,
    /// What stands before the next question, in silence.
    untold: Zeroizing<String>,
    _uncancelled: Uncancelled,
    memory: Watch,
}

impl<'a> LinuxPam<'a> {
    /// Wraps what libpam hands to an entry point.
    pub(crate) fn new(handle: &'a mut PamHandle, flags: PamFlag) -> Self {
        Self {
            handle,
            silent: flags & PAM_SILENT != 0,
            untold: Zeroizing::default(),
            _uncancelled: Uncancelled::begin(),
            memory: Watch::start(),
        }
    }

    /// Forgets what an earlier attempt kept to be told: it may have been another
    /// user's, and it did not succeed.
    pub(crate) fn forget_told_later(&mut self) {
        drop(self.take_told_later());
    }

    /// Tells what [`Host::tell_later`] kept, once. That an application cannot
    /// show it is no failure.
    pub(crate) fn tell_now(&mut self) {
        let text = self.take_told_later();
        let conversation = self.handle.get_item::<Conv<'_>>().ok().flatten();
        if let (Some(text), Some(conversation), false) = (text, conversation, self.silent) {
            let _ = conversation.send(PAM_TEXT_INFO, &text);
        }
    }

    /// Sets a variable of PAM's environment, or unsets one.
    fn put_env(&mut self, pair: &CStr) -> Result<(), HostError> {
        // SAFETY: the handle is libpam's own, valid for this call and borrowed
        // by us alone. The string is NUL-terminated, and libpam copies it before
        // it returns (pam_putenv(3)).
        let code = unsafe { pam_putenv(ptr::from_mut(self.handle), pair.as_ptr()) };
        if code == PamResultCode::PAM_SUCCESS as c_int {
            Ok(())
        } else {
            Err(HostError::Libpam)
        }
    }

    fn take_told_later(&mut self) -> Option<String> {
        // SAFETY: the data of this name was put there by `tell_later`, of this
        // very version, with this very type; no other module knows the name.
        let kept = unsafe { self.handle.get_data::<Later<String>>(TOLD_LATER) };
        kept.ok().and_then(Cell::take)
    }
}

impl Host for LinuxPam<'_> {
    fn user(&mut self) -> Result<String, HostError> {
        self.handle.get_user(None).map_err(|_| HostError::NoUser)
    }

    fn service(&self) -> String {
        let service = self.handle.get_item::<Service<'_>>().ok().flatten();
        service
            .map(|service| service.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    fn rhost(&self) -> Option<String> {
        let item = self.handle.get_item::<RHost<'_>>().ok().flatten()?;
        text(item.0)
    }

    fn ruser(&self) -> Option<String> {
        let item = self.handle.get_item::<RUser<'_>>().ok().flatten()?;
        text(item.0)
    }

    fn tty(&self) -> Option<String> {
        let item = self.handle.get_item::<Tty<'_>>().ok().flatten()?;
        text(item.0)
    }

    fn session(&self, terminal: &str) -> Option<Session> {
        Session::at(terminal)
    }

    fn ask(&mut self, question: &str, echo: bool) -> Result<Zeroizing<Vec<u8>>, HostError> {
        let conversation = self.handle.get_item::<Conv<'_>>().ok().flatten();
        let conversation = conversation.ok_or(HostError::Conversation)?;
        let style = if echo {
            PAM_PROMPT_ECHO_ON
        } else {
            PAM_PROMPT_ECHO_OFF
        };
        let untold = std::mem::take(&mut self.untold);
        // Room for all: a text that grows would leave copies of a secret.
        let mut text = Zeroizing::new(String::with_capacity(
            untold.len().saturating_add(question.len()),
        ));
        text.push_str(&untold);
        text.push_str(question);
        let reply = conversation
            .send(style, &text)
            .map_err(|_| HostError::Conversation)?;
        let reply = reply.ok_or(HostError::NoAnswer)?;
        Ok(Zeroizing::new(reply.as_bytes().to_vec()))
    }

    fn tell(&mut self, text: &str) -> Result<(), HostError> {
        if self.silent {
            let room = self.untold.len().saturating_add(text.len());
            let mut untold = Zeroizing::new(String::with_capacity(room.saturating_add(1)));
            untold.push_str(&self.untold);
            untold.push_str(text);
            untold.push('\n');
            self.untold = untold;
            return Ok(());
        }
        let conversation = self.handle.get_item::<Conv<'_>>().ok().flatten();
        let conversation = conversation.ok_or(HostError::Conversation)?;
        // Line by line: applications may cut a message that is long.
        for line in text.split('\n') {
            conversation
                .send(PAM_TEXT_INFO, line)
                .map_err(|_| HostError::Conversation)?;
        }
        Ok(())
    }

    fn tell_later(&mut self, text: String) {
        if self.silent {
            return;
        }
        let message: Box<Later<String>> = Box::new(Cell::new(Some(text)));
        // A message that is lost is no reason to refuse a login.
        let _ = self.handle.set_data(TOLD_LATER, message);
    }

    fn authtok(&self) -> Result<Option<Zeroizing<Vec<u8>>>, HostError> {
        let item = self
            .handle
            .get_item::<AuthTok<'_>>()
            .map_err(|_| HostError::Libpam)?;
        Ok(item.map(|password| Zeroizing::new(password.as_bytes().to_vec())))
    }

    fn set_authtok(&mut self, password: &[u8]) -> Result<(), HostError> {
        let text = CString::new(password).map_err(|error| {
            error.into_vec().zeroize();
            HostError::Libpam
        })?;
        // SAFETY: the handle is libpam's own, valid for this call and borrowed
        // by us alone. PAM_AUTHTOK takes a NUL-terminated string, which libpam
        // copies before it returns (pam_set_item(3)); `text` lives until then.
        let code = unsafe {
            pam_set_item(
                ptr::from_mut(self.handle),
                PAM_AUTHTOK,
                text.as_ptr().cast::<c_void>(),
            )
        };
        text.into_bytes().zeroize();
        if code == PamResultCode::PAM_SUCCESS as c_int {
            Ok(())
        } else {
            Err(HostError::Libpam)
        }
    }

    fn hold(&mut self, answer: Answer) -> Result<(), HostError> {
        let held: Box<Later<Answer>> = Box::new(Cell::new(Some(answer)));
        self.handle
            .set_data(HELD, held)
            .map_err(|_| HostError::Libpam)
    }

    fn take_held(&mut self) -> Option<Answer> {
        // SAFETY: the data of this name was put there by `hold`, of this very
        // version, with this very type; no other module knows the name.
        let held = unsafe { self.handle.get_data::<Later<Answer>>(HELD) };
        held.ok()?.take()
    }

    fn mark(&mut self, text: &str) -> Result<(), HostError> {
        let mut pair = MARK.to_bytes().to_vec();
        pair.push(b'=');
        pair.extend(text.as_bytes());
        let pair = CString::new(pair).map_err(|_| HostError::Libpam)?;
        let put = self.put_env(&pair);
        pair.into_bytes().zeroize();
        put
    }

    fn take_mark(&mut self) -> Option<Zeroizing<String>> {
        // SAFETY: handle as above; the name is NUL-terminated. What comes back is
        // null, or libpam's own string, which lives until the variable is set or
        // unset; it is copied before that.
        let mark = unsafe {
            let value = pam_getenv(ptr::from_mut(self.handle), MARK.as_ptr());
            (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
        };
        let mark = Zeroizing::new(mark?);
        // One that stays would be taken twice, and the second time in vain.
        let _ = self.put_env(MARK);
        Some(mark)
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), HostError> {
        let flags = rustix::rand::GetRandomFlags::empty();
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = match rustix::rand::getrandom(&mut *rest, flags) {
                Ok(count) if count > 0 => count,
                Err(rustix::io::Errno::INTR) => continue,
                _ => return Err(HostError::Random),
            };
            rest = rest.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn host_name(&self) -> String {
        let name = rustix::system::uname();
        name.nodename().to_string_lossy().into_owned()
    }

    fn delay_failure(&mut self, delay: Duration) {
        let microseconds = c_uint::try_from(delay.as_micros()).unwrap_or(c_uint::MAX);
        // SAFETY: as in `set_authtok`; the function only notes a number. That
        // it cannot is no reason to refuse a login.
        let _ = unsafe { pam_fail_delay(ptr::from_mut(self.handle), microseconds) };
    }

    fn starved(&self) -> bool {
        self.memory.starved()
    }

    fn log(&mut self, event: &Event) {
        let priority = match event.level() {
            Level::Info => libc::LOG_INFO,
            Level::Notice => libc::LOG_NOTICE,
            Level::Error => libc::LOG_ERR,
        };
        let mut line = String::with_capacity(USUAL);
        // An event escapes control characters, NUL among them.
        let (Ok(()), Ok(line)) = (write!(line, "{event}"), CString::new(line)) else {
            return;
        };
        // The journal names the real user as the writer: of su, who started it.
        let _real = RealRoot::begin();
        // SAFETY: handle as above; the format takes one NUL-terminated string,
        // and one is given. libpam keeps neither.
        unsafe {
            pam_syslog(
                ptr::from_ref(self.handle),
                priority,
                c"%s".as_ptr(),
                line.as_ptr(),
            );
        }
    }
}

/// An item's text; what is not UTF-8 in it is replaced. `None` if it is empty.
fn text(item: &CStr) -> Option<String> {
    Some(item.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
}

/// As long as this lives, the thread cannot be cancelled. Cancelling unwinds the
/// stack in a way that Rust cannot pass on, and would end the host; so it waits
/// until the call is over.
struct Uncancelled(c_int);

impl Uncancelled {
    fn begin() -> Self {
        let mut old = PTHREAD_CANCEL_DISABLE;
        // SAFETY: sets a flag of the calling thread, and writes the old one to
        // where the pointer says: a variable of ours that outlives the call.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut old) };
        Self(old)
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: as above; a null pointer asks for nothing back.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}
