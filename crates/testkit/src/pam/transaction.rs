//! One `pam_start` to `pam_end`.

use super::conversation::{Conversation, Reply, fail_delay};
use super::{ESTABLISH_CRED, SUCCESS, Stack, Transcript, ffi};
use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;

/// A PAM transaction; several logins may be tried in it, as sshd and login do.
pub struct Transaction {
    handle: *mut ffi::Handle,
    // Boxed: libpam keeps its address.
    conversation: Box<Conversation>,
    flags: c_int,
    status: c_int,
}

impl Transaction {
    pub(super) fn start(
        stack: &Stack,
        user: Option<&CStr>,
        conversation: Box<Conversation>,
        flags: c_int,
    ) -> Self {
        let service = CString::new(stack.service()).expect("a service name without NUL");
        let directory = stack.directory().map(|directory| {
            CString::new(directory.as_os_str().as_bytes()).expect("a path without NUL")
        });
        let user = user.map_or(std::ptr::null(), CStr::as_ptr);
        let conv = conversation.as_conv();
        let mut handle = std::ptr::null_mut();
        // SAFETY: all strings are NUL-terminated and outlive the call, which
        // copies them and `conv`; `handle` has room for one pointer; the
        // conversation behind `conv` lives as long as the handle.
        let code = unsafe {
            match &directory {
                Some(directory) => ffi::pam_start_confdir(
                    service.as_ptr(),
                    user,
                    &raw const conv,
                    directory.as_ptr(),
                    &raw mut handle,
                ),
                None => ffi::pam_start(service.as_ptr(), user, &raw const conv, &raw mut handle),
            }
        };
        assert_eq!(code, SUCCESS, "pam_start of {stack:?}");
        let transaction = Self {
            handle,
            conversation,
            flags,
            status: SUCCESS,
        };
        let delay: ffi::FailDelay = fail_delay;
        transaction.set_pointer(ffi::FAIL_DELAY, delay as *const c_void);
        transaction
    }

    /// Authenticates and, on success, sets the credentials. The transcript
    /// tells what happened since the one before.
    pub fn authenticate(&mut self) -> Transcript {
        let code = self.call(ffi::pam_authenticate, self.flags);
        let setcred = (code == SUCCESS).then(|| self.setcred(ESTABLISH_CRED));
        self.transcript(code, setcred)
    }

    /// `pam_authenticate` alone.
    pub fn authenticate_only(&mut self) -> Transcript {
        let code = self.call(ffi::pam_authenticate, self.flags);
        self.transcript(code, None)
    }

    fn transcript(&mut self, code: c_int, setcred: Option<c_int>) -> Transcript {
        self.conversation.script(|script| Transcript {
            code,
            setcred,
            prompts: std::mem::take(&mut script.prompts),
            leftover: script.replies.len(),
            delays: std::mem::take(&mut script.delays),
        })
    }

    /// Adds a reply to the script.
    pub fn reply(&mut self, reply: impl Into<Reply>) {
        self.conversation
            .script(|script| script.replies.push_back(reply.into()));
    }

    /// `pam_setcred` alone.
    pub fn setcred(&mut self, flags: c_int) -> c_int {
        self.call(ffi::pam_setcred, flags)
    }

    /// `pam_acct_mgmt`.
    pub fn acct_mgmt(&mut self) -> c_int {
        self.call(ffi::pam_acct_mgmt, 0)
    }

    /// `pam_chauthtok`.
    pub fn chauthtok(&mut self) -> c_int {
        self.call(ffi::pam_chauthtok, 0)
    }

    /// `pam_open_session`.
    pub fn open_session(&mut self) -> c_int {
        self.call(ffi::pam_open_session, 0)
    }

    /// `pam_close_session`.
    pub fn close_session(&mut self) -> c_int {
        self.call(ffi::pam_close_session, 0)
    }

    /// `PAM_USER` as it is now; a stack may have asked for it or changed it.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        let mut value = std::ptr::null();
        // SAFETY: the handle is live, `value` has room for one pointer, and
        // the string stays libpam's and valid until the next call.
        unsafe {
            ffi::pam_get_item(self.handle, ffi::USER, &raw mut value);
            (!value.is_null()).then(|| CStr::from_ptr(value.cast()).to_string_lossy().into_owned())
        }
    }

    pub(super) fn set(&self, item: c_int, value: &CStr) {
        self.set_pointer(item, value.as_ptr().cast());
    }

    fn set_pointer(&self, item: c_int, value: *const c_void) {
        // SAFETY: the handle is live; libpam copies string items, and the
        // one function item is a static.
        let code = unsafe { ffi::pam_set_item(self.handle, item, value) };
        assert_eq!(code, SUCCESS, "pam_set_item {item}");
    }

    fn call(
        &mut self,
        function: unsafe extern "C" fn(*mut ffi::Handle, c_int) -> c_int,
        flags: c_int,
    ) -> c_int {
        // SAFETY: every entry point of libpam takes a live handle and flags;
        // `&mut self` keeps two calls from using the handle at once.
        self.status = unsafe { function(self.handle, flags) };
        self.status
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // SAFETY: the handle is live and used no more after this.
        unsafe { ffi::pam_end(self.handle, self.status) };
    }
}
