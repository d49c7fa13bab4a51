//! The six entry points that libpam calls.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use pam::constants::{PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};
use pam_otp_core::time::UnixTime;

use crate::event::Event;
use crate::flow;
use crate::host::Host;
use crate::host::linux_pam::LinuxPam;
use crate::host::linux_pam::memory::from_reserve;
use crate::outcome::{Denial, Outcome};

/// `PAM_DELETE_CRED` of Linux-PAM's `_pam_types.h`.
const PAM_DELETE_CRED: PamFlag = 4;

struct PamOtp;
pam::pam_hooks!(PamOtp);

impl PamHooks for PamOtp {
    fn sm_authenticate(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        run(handle, &args, flags, |host| {
            host.forget_told_later();
            // An earlier attempt's, perhaps another user's, which did not succeed.
            drop(host.take_mark());
            let arguments: Vec<_> = args.iter().map(|text| text.to_bytes()).collect();
            flow::authenticate(host, &arguments, now)
        })
        .pam_code()
    }

    /// We give no credentials. Success all the same: libpam takes the answer of
    /// this call into account wherever the code was what counted.
    ///
    /// Called after all modules have agreed: the time to tell the user what
    /// before would have told others, and to make a first login's enrolment
    /// effective. If that fails nobody gets in.
    fn sm_setcred(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        if flags & PAM_DELETE_CRED == 0 {
            let outcome = run(handle, &args, flags, |host| {
                let arguments: Vec<_> = args.iter().map(|text| text.to_bytes()).collect();
                // Nothing confirmed: nothing to do.
                let effect = flow::enrolment::take_effect(host, &arguments, now);
                effect.unwrap_or(Outcome::Enrolled)
            });
            match outcome {
                Outcome::Enrolled => {}
                Outcome::Denied(denial) => return Outcome::NotEnrolled(denial).pam_code(),
                other => return other.pam_code(),
            }
        }
        silence_panics();
        // A message is not worth a login: whatever happens here, it succeeds.
        let told = catch_unwind(AssertUnwindSafe(|| LinuxPam::new(handle, flags).tell_now()));
        told.unwrap_or_else(std::mem::forget);
        PamResultCode::PAM_SUCCESS
    }

    fn acct_mgmt(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        not_auth(handle, &args, flags)
    }

    fn sm_chauthtok(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        not_auth(handle, &args, flags)
    }

    fn sm_open_session(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        not_auth(handle, &args, flags)
    }

    fn sm_close_session(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        not_auth(handle, &args, flags)
    }
}

/// An `account`, `password` or `session` line. To let it pass would be to let
/// an administrator believe that it checks something.
fn not_auth(handle: &mut PamHandle, args: &[&CStr], flags: PamFlag) -> PamResultCode {
    run(handle, args, flags, |host| {
        let outcome = Outcome::Denied(Denial::NotAuth);
        let user = host.user().ok();
        host.log(&Event::of(&outcome, user.as_deref(), host));
        outcome
    })
    .pam_code()
}

/// Runs one call. A panic in it is a denial, and so is want of memory: the host
/// must not die of us, and its standard error is not ours.
fn run(
    handle: &mut PamHandle,
    args: &[&CStr],
    flags: PamFlag,
    call: impl FnOnce(&mut LinuxPam<'_>) -> Outcome,
) -> Outcome {
    silence_panics();
    let mut host = LinuxPam::new(handle, flags);
    let outcome = catch_unwind(AssertUnwindSafe(|| call(&mut host))).unwrap_or_else(|payload| {
        // Dropping a payload may panic again.
        std::mem::forget(payload);
        let outcome = Outcome::Denied(Denial::Panic);
        host.log(&Event::of(&outcome, None, &host));
        outcome
    });
    // The flow has asked, but memory may have run out before it or since: while
    // the arguments were listed, or a line of the log was made.
    if matches!(outcome, Outcome::Denied(_)) || !(host.starved() || from_reserve(args)) {
        return outcome;
    }
    let outcome = Outcome::Denied(Denial::OutOfMemory);
    host.log(&Event::of(&outcome, None, &host));
    outcome
}

/// Ours alone: this module has its own copy of the standard library. The default
/// hook would print, and its text could hold what must not be seen.
fn silence_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// The clock, read here and nowhere else.
#[expect(clippy::disallowed_methods, reason = "the one place")]
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is 1970: only a code of its first minute would open.
    UnixTime(since.map_or(0, |since| since.as_secs()))
}
