//! Acting with a user's rights on files, for as long as a descriptor takes to
//! open.
//!
//! As root we would follow where the user cannot go, and a home directory on
//! NFS would refuse us. So the *thread* takes the user's file system identity:
//! `setfsuid`, `setfsgid` and, by a direct system call, the supplementary
//! groups. The C library's `setgroups` would change all threads of the host;
//! `seteuid` would let the user send it signals.

use std::ffi::CString;

use nix::unistd::{Gid, Uid, getgrouplist, setfsgid, setfsuid};

use super::account::Account;
use super::error::StoreError;

/// The rights of one user on files.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    user: String,
    uid: Uid,
    gid: Gid,
    groups: Vec<rustix::thread::Gid>,
}

impl Identity {
    /// `None` if this process has that user's rights already.
    pub(super) fn of(account: &Account) -> Result<Option<Self>, StoreError> {
        let user = account.name.to_string();
        let Some(passwd) = &account.passwd else {
            return Ok(None);
        };
        if rustix::process::geteuid().as_raw() == passwd.uid {
            return Ok(None);
        }
        let gid = Gid::from_raw(passwd.gid);
        let failed = |error: &str| StoreError::Account {
            user: user.clone(),
            error: error.to_owned(),
        };
        let name = CString::new(user.as_str()).map_err(|_| failed("its name has a NUL byte"))?;
        let groups = getgrouplist(&name, gid).map_err(|errno| failed(errno.desc()))?;
        let groups = groups
            .into_iter()
            .map(|gid| rustix::thread::Gid::from_raw(gid.as_raw()));
        Ok(Some(Self {
            uid: Uid::from_raw(passwd.uid),
            gid,
            groups: groups.collect(),
            user,
        }))
    }

    /// Runs `work` with the user's rights. Before and after, and if `work`
    /// panics, the thread has its own.
    pub(super) fn assume<T>(&self, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        let no_rights = || StoreError::NoRights {
            user: self.user.clone(),
        };
        let own_groups = rustix::process::getgroups().map_err(|_| no_rights())?;
        rustix::thread::set_thread_groups(&self.groups).map_err(|_| no_rights())?;
        let mut own = Own {
            restored: false,
            groups: own_groups,
            gid: setfsgid(self.gid),
            uid: setfsuid(self.uid),
        };
        let result = rights_are(self.uid, self.gid).then(work);
        // Who cannot go back to what it was lets nobody in.
        own.restore();
        result.filter(|_| own.restored).ok_or_else(no_rights)
    }
}

/// Whether the thread has these rights on files. Neither call that sets them
/// tells whether it worked; asking for an id that cannot be set answers with
/// the one that is.
fn rights_are(uid: Uid, gid: Gid) -> bool {
    setfsgid(NOBODY_GID) == gid && setfsuid(NOBODY_UID) == uid
}

const NOBODY_UID: Uid = Uid::from_raw(u32::MAX);
const NOBODY_GID: Gid = Gid::from_raw(u32::MAX);

/// How often a call is made that can fail for want of memory alone.
const ATTEMPTS: usize = 3;

/// The thread's own rights, given back when dropped by a panic.
struct Own {
    restored: bool,
    groups: Vec<rustix::thread::Gid>,
    gid: Gid,
    uid: Uid,
}

impl Own {
    /// Gives the rights back, and notes whether that worked. If it did not,
    /// root is left with no more rights than before.
    fn restore(&mut self) {
        let ids = (0..ATTEMPTS).any(|_| {
            setfsuid(self.uid);
            setfsgid(self.gid);
            rights_are(self.uid, self.gid)
        });
        // Even then: a group of the user's is one too many.
        let groups = (0..ATTEMPTS).any(|_| rustix::thread::set_thread_groups(&self.groups).is_ok());
        self.restored = ids && groups;
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if !self.restored {
            self.restore();
        }
    }
}
