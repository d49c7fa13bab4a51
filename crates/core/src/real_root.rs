//! Being root in a setuid program that somebody else has started, who is its real user
//! still: to whom that user can send signals, and whom the kernel names to a log as the
//! writer of what it says.

use nix::unistd::setfsuid;
use rustix::process::{Uid, geteuid, getuid};

/// As long as this lives, the thread's real user is root, if its effective one is.
#[derive(Debug)]
pub struct RealRoot(Option<Uid>);

impl RealRoot {
    /// Nothing is changed where the effective user is not root, or the real one is.
    #[must_use]
    pub fn begin() -> Self {
        // Only a setuid program has another real user; only there it matters.
        let foreign = !getuid().is_root() && geteuid().is_root();
        Self(foreign.then(getuid).filter(|_| set_real(Uid::ROOT)))
    }
}

impl Drop for RealRoot {
    fn drop(&mut self) {
        // Root can give it back, but for want of memory. Left as it is, a real
        // user of root is one that the host's own next change of user replaces.
        let _ = self.0.is_some_and(|real| (0..3).any(|_| set_real(real)));
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
