//! Holding a lock without being stopped.
//!
//! Whoever starts a setuid program may send it signals, as its real user, and
//! may stop it from their terminal. Stopped while it holds the lock of somebody
//! else's record, su would lock that user out. So while a lock is held this
//! thread's real user is root, and signals wait.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::setfsuid;
use rustix::process::{Uid, geteuid, getuid};

/// As long as this lives, only root can stop the thread.
#[derive(Debug)]
pub(super) struct Steady {
    real: Option<Uid>,
    mask: Option<SigSet>,
}

impl Steady {
    pub(super) fn begin() -> Self {
        let mut waiting = SigSet::all();
        // Faults of the thread itself: blocked, they would end the host
        // without its handlers.
        for fault in [
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
        ] {
            waiting.remove(fault);
        }
        let mask = waiting.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok();
        // Only a setuid program has another real user; only there it matters.
        let foreign = !getuid().is_root() && geteuid().is_root();
        let real = foreign.then(getuid).filter(|_| set_real(Uid::ROOT));
        Self { real, mask }
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        // Root can give it back, but for want of memory. Left as it is, a real
        // user of root is one that the host's own next change of user replaces.
        let _ = self.real.is_some_and(|real| (0..3).any(|_| set_real(real)));
        if let Some(mask) = &self.mask {
            let _ = mask.thread_set_mask();
        }
    }
}

/// Sets the thread's real user alone, by a direct system call. The kernel makes
/// the user for files the effective one with it: whoever acts with a user's
/// rights on files goes on with them.
fn set_real(uid: Uid) -> bool {
    // Asking for an id that cannot be set answers with the one that is.
    let for_files = setfsuid(nix::unistd::Uid::from_raw(u32::MAX));
    let set = rustix::thread::set_thread_res_uid(uid, None, None).is_ok();
    setfsuid(for_files);
    set
}
