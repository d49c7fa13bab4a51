//! libpam as declared in `<security/pam_appl.h>` of Linux-PAM 1.4 and newer.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// `PAM_FAIL_DELAY`: a function of the application that waits, or does not.
pub(super) const FAIL_DELAY: c_int = 10;
/// `PAM_USER`.
pub(super) const USER: c_int = 2;
/// `PAM_TTY`.
pub(super) const TTY: c_int = 3;
/// `PAM_RHOST`.
pub(super) const RHOST: c_int = 4;
/// `PAM_RUSER`.
pub(super) const RUSER: c_int = 8;

/// `pam_handle_t`, seen only through pointers.
#[repr(C)]
pub(super) struct Handle {
    _private: [u8; 0],
}

/// `struct pam_message`.
#[repr(C)]
pub(super) struct Message {
    pub(super) style: c_int,
    pub(super) text: *const c_char,
}

/// `struct pam_response`; both levels are from malloc and freed by the module.
#[repr(C)]
pub(super) struct Response {
    pub(super) text: *mut c_char,
    pub(super) unused: c_int,
}

/// `struct pam_conv`.
#[repr(C)]
pub(super) struct Conv {
    pub(super) function:
        unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int,
    pub(super) data: *mut c_void,
}

/// The function behind `PAM_FAIL_DELAY`: status, microseconds, conversation.
pub(super) type FailDelay = unsafe extern "C" fn(c_int, c_uint, *mut c_void);

#[link(name = "pam")]
unsafe extern "C" {
    pub(super) fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conv,
        handle: *mut *mut Handle,
    ) -> c_int;
    pub(super) fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conv,
        directory: *const c_char,
        handle: *mut *mut Handle,
    ) -> c_int;
    pub(super) fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    pub(super) fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    pub(super) fn pam_get_item(
        handle: *const Handle,
        item: c_int,
        value: *mut *const c_void,
    ) -> c_int;
    pub(super) fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    pub(super) fn pam_setcred(handle: *mut Handle, flags: c_int) -> c_int;
    pub(super) fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    pub(super) fn pam_chauthtok(handle: *mut Handle, flags: c_int) -> c_int;
    pub(super) fn pam_open_session(handle: *mut Handle, flags: c_int) -> c_int;
    pub(super) fn pam_close_session(handle: *mut Handle, flags: c_int) -> c_int;
}
