//! Holding a lock without being stopped.
//!
//! Whoever starts a setuid program may send it signals, as its real user, and
//! may stop it from their terminal. Stopped while it holds the lock of somebody
//! else's record, su would lock that user out. So while a lock is held this
//! thread's real user is root, and signals wait.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

use crate::real_root::RealRoot;

/// As long as this lives, only root can stop the thread.
#[derive(Debug)]
pub(super) struct Steady {
    // Given back first: signals wait until that is done.
    _real: RealRoot,
    _mask: Waiting,
}

impl Steady {
    pub(super) fn begin() -> Self {
        let mask = Waiting::begin();
        Self {
            _real: RealRoot::begin(),
            _mask: mask,
        }
    }
}

/// As long as this lives, signals wait.
#[derive(Debug)]
struct Waiting(Option<SigSet>);

impl Waiting {
    fn begin() -> Self {
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
        Self(waiting.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(mask) = &self.0 {
            let _ = mask.thread_set_mask();
        }
    }
}
