//! The way to a record: each directory opened on its own, none through a link
//! that a user could have laid.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::account::Account;
use super::copy::MemoryCopy;
use super::error::{Problem, StoreError};
use super::identity::Identity;
use super::{Directory, HOME_RECORD, Store};
use crate::descriptor::clear_of_stdio;
use crate::policy::StoreKind;
use crate::token::TokenFile;

/// Where one user's record lies, and with whose rights it is reached.
#[derive(Debug)]
pub(super) struct Place {
    kind: StoreKind,
    base: PathBuf,
    entry: OsString,
    record: PathBuf,
    owner: Owner,
    identity: Option<Identity>,
    /// Where copies of states lie that a disk did not take.
    memory: PathBuf,
    may_be_unwritable: bool,
}

/// Whose a record is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    User(u32),
    /// Whom this process runs as: in the system store, beside root.
    Runner,
}

impl Owner {
    /// The user id, which is asked for only here: most records are root's.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::User(uid) => uid,
            Self::Runner => rustix::process::geteuid().as_raw(),
        }
    }
}

impl Place {
    /// Finds it. A user whom the system does not know has no home to look in;
    /// that is an error and not "no record": the C library says "unknown" also
    /// where one of its sources of users has failed.
    pub(super) fn of(
        store: &Store,
        kind: StoreKind,
        account: &Account,
    ) -> Result<Self, StoreError> {
        if kind == StoreKind::System {
            return Ok(Self::in_system(store, account.name.as_str().into()));
        }
        let passwd = account.passwd.as_ref().ok_or_else(|| account.unknown())?;
        Ok(Self {
            kind: StoreKind::Home,
            base: passwd.home.clone(),
            entry: OsString::from(HOME_RECORD),
            record: passwd.home.join(HOME_RECORD),
            owner: Owner::User(passwd.uid),
            identity: Identity::of(account)?,
            memory: store.memory.clone(),
            may_be_unwritable: store.may_be_unwritable,
        })
    }

    /// An entry of the system store.
    pub(super) fn in_system(store: &Store, entry: OsString) -> Self {
        Self {
            kind: StoreKind::System,
            base: store.system.clone(),
            record: store.system.join(&entry),
            entry,
            owner: Owner::Runner,
            identity: None,
            memory: store.memory.clone(),
            may_be_unwritable: store.may_be_unwritable,
        }
    }

    /// Whether the policy bears a disk that cannot be written.
    pub(super) fn may_be_unwritable(&self) -> bool {
        self.may_be_unwritable
    }

    /// Where root's copy of this record's state is, or would be.
    pub(super) fn memory_copy<'a>(&'a self, tokens: &'a TokenFile) -> MemoryCopy<'a> {
        MemoryCopy::of(&self.memory, &self.record, self.owner, tokens)
    }

    /// The record's directory, for messages.
    pub(super) fn record_path(&self) -> &Path {
        &self.record
    }

    /// The directory that holds the record, for messages.
    pub(super) fn base_path(&self) -> &Path {
        &self.base
    }

    /// The record's name in its directory.
    pub(super) fn entry(&self) -> &OsString {
        &self.entry
    }

    /// Runs `work` with the rights that this place is reached with.
    pub(super) fn enter<T>(&self, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        match &self.identity {
            Some(identity) => identity.assume(work),
            None => Ok(work()),
        }
    }

    /// Whether a record's directory and files may belong to this user id: in a
    /// home, to its owner; in the system store, to root or to whom we run as.
    pub(super) fn owns(&self, uid: u32) -> bool {
        (self.kind == StoreKind::System && uid == 0) || uid == self.owner.uid()
    }

    /// Opens the directory that holds the record: the home, or the system
    /// store. It must be there: a home that is not mounted has no record, and
    /// that must not look like "not enrolled".
    pub(super) fn open_base(&self) -> Result<OwnedFd, StoreError> {
        let (directory, stat) = walk(&self.base)?;
        self.check_base(&stat)?;
        Ok(directory)
    }

    fn check_base(&self, stat: &Stat) -> Result<(), StoreError> {
        let expected = || self.owner.uid();
        check_base(stat, &self.base, expected, |uid| self.owns(uid))
    }

    /// Opens the record's directory, and checks it and the one above.
    pub(super) fn open(&self) -> Result<Directory, StoreError> {
        if let Some((directory, above, stat)) = self.open_directly() {
            self.check_base(&above)?;
            self.check_private(&stat, &self.record, 0o700)?;
            return Ok(Directory::There(directory));
        }
        let base = self.open_base()?;
        let directory = self.open_record(&base)?;
        Ok(directory.map_or(Directory::Missing { base }, Directory::There))
    }

    /// The record's directory in one call, how the one above is, and how it is
    /// itself. `None` if it cannot be opened so: then its path is walked, for what
    /// is there and what is wrong.
    ///
    /// The one above is asked for after the record was opened. It could be another
    /// one by then, but not by a stranger's doing: the kernel lets a directory be
    /// moved to another one only by who may write to it, and that is its owner.
    fn open_directly(&self) -> Option<(OwnedFd, Stat, Stat)> {
        if !is_straight(&self.base) {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let straight = ResolveFlags::NO_SYMLINKS;
        let opened = rustix::fs::openat2(CWD, &self.record, flags, Mode::empty(), straight);
        let (directory, stat) = opened.and_then(with_stat).ok()?;
        let above = rustix::fs::statat(&directory, "..", AtFlags::empty()).ok()?;
        Some((directory, above, stat))
    }

    /// Opens the record's directory; `None` if there is none.
    pub(super) fn open_record(&self, base: &OwnedFd) -> Result<Option<OwnedFd>, StoreError> {
        // For reading: a path descriptor cannot be locked.
        let (directory, stat) = match open_step(base, &self.entry, OFlags::RDONLY) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(StoreError::io(&self.record, errno)),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {}
            FileType::Symlink => return Err(StoreError::insecure(&self.record, Problem::Link)),
            _ => return Err(StoreError::insecure(&self.record, Problem::NotDirectory)),
        }
        self.check_private(&stat, &self.record, 0o700)?;
        Ok(Some(directory))
    }

    /// Checks owner and mode of something inside the record, or of the record.
    pub(super) fn check_private(
        &self,
        stat: &Stat,
        path: &Path,
        allowed: u32,
    ) -> Result<(), StoreError> {
        if !self.owns(stat.st_uid) {
            let problem = Problem::Owner {
                uid: stat.st_uid,
                expected: self.owner.uid(),
            };
            return Err(StoreError::insecure(path, problem));
        }
        if stat.st_mode & 0o077 != 0 {
            let problem = Problem::Mode {
                mode: stat.st_mode & 0o7777,
                allowed,
            };
            return Err(StoreError::insecure(path, problem));
        }
        Ok(())
    }
}

/// Checks owner and mode of a directory that holds a record or its tokens.
pub(super) fn check_base(
    stat: &Stat,
    path: &Path,
    expected: impl FnOnce() -> u32,
    owns: impl Fn(u32) -> bool,
) -> Result<(), StoreError> {
    let problem = if !owns(stat.st_uid) && stat.st_uid != 0 {
        Problem::Owner {
            uid: stat.st_uid,
            expected: expected(),
        }
    } else if stat.st_mode & 0o022 != 0 {
        // Who can write here can put another record in this one's place.
        Problem::Mode {
            mode: stat.st_mode & 0o7777,
            allowed: 0o755,
        }
    } else {
        return Ok(());
    };
    Err(StoreError::insecure(path, problem))
}

/// Links that are followed on the way; a ring of links ends here.
const MAX_LINKS: usize = 16;

/// Opens an absolute path to a directory, component by component. A symbolic
/// link is followed only if it is root's: an administrator may keep homes
/// elsewhere, a user may not point us there.
pub(super) fn walk(path: &Path) -> Result<(OwnedFd, Stat), StoreError> {
    // In one call, where the kernel can say that there is no link on the way.
    // What it cannot open so is walked to: for what is wrong, step by step.
    if !is_straight(path) {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let direct = rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    match direct.and_then(with_stat) {
        Ok(opened) => Ok(opened),
        Err(_) => walk_steps(path),
    }
}

fn walk_steps(path: &Path) -> Result<(OwnedFd, Stat), StoreError> {
    let root = || {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open("/", flags, Mode::empty())
            .and_then(with_stat)
            .map_err(|errno| StoreError::io(Path::new("/"), errno))
    };

    let mut current = root()?;
    let mut reached = PathBuf::from("/");
    let mut pending: VecDeque<OsString> = names(path).map(OsStr::to_owned).collect();
    let mut links: usize = 0;
    while let Some(name) = pending.pop_front() {
        let at = reached.join(&name);
        let (child, stat) =
            open_step(&current.0, &name, OFlags::PATH).map_err(|errno| match errno {
                Errno::NOENT => StoreError::Missing(at.clone()),
                _ => StoreError::io(&at, errno),
            })?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                current = (child, stat);
                reached = at;
            }
            FileType::Symlink if stat.st_uid == 0 && links < MAX_LINKS => {
                links = links.saturating_add(1);
                let target = rustix::fs::readlinkat(&child, "", Vec::new())
                    .map_err(|errno| StoreError::io(&at, errno))?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    current = root()?;
                    reached = PathBuf::from("/");
                }
                for name in link_components(&target).into_iter().rev() {
                    pending.push_front(name);
                }
            }
            FileType::Symlink => return Err(StoreError::insecure(&at, Problem::Link)),
            _ => return Err(StoreError::insecure(&at, Problem::NotDirectory)),
        }
    }
    Ok(current)
}

/// Opens one component, whatever it is, and following nothing; a directory with
/// this access.
pub(super) fn open_step(
    at: &OwnedFd,
    name: &OsString,
    access: OFlags,
) -> Result<(OwnedFd, Stat), Errno> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |flags| rustix::fs::openat(at, name, flags, Mode::empty());
    // As a directory first: only that makes an automounter mount it. What lies
    // under an unmounted mount point is not the user's home.
    let opened = match open(flags | access | OFlags::DIRECTORY) {
        // Something else; or not for us, and who has it may tell why.
        Err(Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => open(flags | OFlags::PATH),
        opened => opened,
    };
    opened.and_then(with_stat)
}

fn with_stat(file: OwnedFd) -> Result<(OwnedFd, Stat), Errno> {
    let file = clear_of_stdio(file)?;
    let stat = rustix::fs::fstat(&file)?;
    Ok((file, stat))
}

/// Whether a path is absolute, and without `..`.
fn is_straight(path: &Path) -> bool {
    path.is_absolute()
        && path
            .components()
            .all(|component| component != Component::ParentDir)
}

/// The names in a straight path.
fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// The names in a link's target, where `..` is usual.
fn link_components(target: &Path) -> Vec<OsString> {
    let steps = target
        .components()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir));
    steps
        .map(|component| component.as_os_str().to_owned())
        .collect()
}
