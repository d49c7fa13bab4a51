//! Root's copy of a state in memory, for records on a disk that cannot be
//! written: a file in `/run/pam-otp`, in the state file's format. It lasts until
//! the disk takes what it knows, or until the machine is started anew.
//!
//! Its name is keyed with the record's first secret and its owner: no other
//! record inherits it, and who has not the secret cannot tell whose it is.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use sha2::Sha256;

use super::create::create_exclusive;
use super::error::{Problem, StoreError};
use super::lock::{self, Locked};
use super::place::Owner;
use crate::descriptor::clear_of_stdio;
use crate::state::State;
use crate::state::slots::{Durability, Slots};
use crate::time::UnixTime;
use crate::token::TokenFile;

/// Others may pass through, to see that there is no copy, and not look around.
const PASSABLE: Mode = Mode::RWXU.union(Mode::XGRP).union(Mode::XOTH);

/// Where one record's copy is, or would be.
#[derive(Debug)]
pub(super) struct MemoryCopy<'a> {
    directory: &'a Path,
    record: &'a Path,
    owner: Owner,
    tokens: &'a TokenFile,
}

/// Letters of the name.
const NAME: usize = 32;

/// A copy that is there, as it was read.
#[derive(Debug)]
pub(super) struct CopyFile {
    directory: OwnedFd,
    file: OwnedFd,
    slots: Slots,
    state: State,
}

impl CopyFile {
    pub(super) fn state(&self) -> &State {
        &self.state
    }
}

impl<'a> MemoryCopy<'a> {
    /// The copy of the record of this owner, at this place, with these tokens.
    pub(super) fn of(
        directory: &'a Path,
        record: &'a Path,
        owner: Owner,
        tokens: &'a TokenFile,
    ) -> Self {
        Self {
            directory,
            record,
            owner,
            tokens,
        }
    }

    /// Its name in the directory. Made when it is asked for: on most machines
    /// there is no such directory.
    fn name(&self) -> String {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        if let Some(token) = self.tokens.tokens().first() {
            token.secret.fill(&mut block);
        }
        let digest = <Hmac<Sha256> as KeyInit>::new(&block)
            .chain_update(b"pam-otp copy 1")
            .chain_update(self.owner.uid().to_le_bytes())
            .chain_update(self.record.as_os_str().as_encoded_bytes())
            .finalize()
            .into_bytes();
        zeroize::Zeroize::zeroize(block.as_mut_slice());
        let mut name = HEXLOWER.encode(&digest);
        name.truncate(NAME);
        name
    }

    /// Opens and reads it; `None` if there is none. The lock of the record's
    /// directory, under which this is called, keeps others from it.
    pub(super) fn open(&self) -> Result<Option<CopyFile>, StoreError> {
        let directory = match self.open_directory() {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(|errno| StoreError::io(self.directory, errno))?,
        };
        self.check(&directory)?;
        self.open_in(directory)
    }

    /// Reads it without a lock; `None` if there is none, or none for us to see: it
    /// is root's.
    pub(super) fn glance(&self) -> Result<Option<State>, StoreError> {
        let directory = match self.open_directory() {
            Err(Errno::NOENT | Errno::ACCESS) => return Ok(None),
            opened => opened.map_err(|errno| StoreError::io(self.directory, errno))?,
        };
        self.check(&directory)?;
        match self.open_file(&directory, OFlags::RDONLY) {
            Ok(Some((file, _))) => Ok(Some(lock::glance(&file, &self.path())?.state())),
            Ok(None) => Ok(None),
            Err(StoreError::Io { error, .. }) if error.kind() == ErrorKind::PermissionDenied => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a state that the disk did not.
    pub(super) fn write(
        &self,
        file: Option<CopyFile>,
        state: State,
        durability: Durability,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let file = match file {
            Some(file) => file,
            None => self.create()?,
        };
        let path = self.path();
        let locked = Locked::acquire(&file.file, &path)?;
        let write = file.slots.update(state, durability);
        locked.write(
            &write.map_err(|error| locked.unusable(error))?,
            durability,
            now,
        )
    }

    /// Removes it: the disk knows all that it knew. One that stays does no harm.
    pub(super) fn remove(&self, file: &CopyFile) {
        let _ = rustix::fs::unlinkat(&file.directory, self.name(), AtFlags::empty());
    }

    fn create(&self) -> Result<CopyFile, StoreError> {
        let path = self.path();
        let failed = |errno| StoreError::io(&path, errno);
        match rustix::fs::mkdir(self.directory, PASSABLE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(StoreError::io(self.directory, errno)),
        }
        let directory = self.open_directory().map_err(failed)?;
        self.check(&directory)?;
        // A umask may have taken more away than we want; and whoever made it
        // may have been killed before this line.
        rustix::fs::chmod(self.directory, PASSABLE).map_err(failed)?;
        let content = Slots::create(&State::default()).map_err(|error| StoreError::State {
            path: path.clone(),
            error,
        })?;
        create_exclusive(&directory, &self.name(), &content).map_err(failed)?;
        self.open_in(directory)?.ok_or(StoreError::Gone(path))
    }

    fn open_in(&self, directory: OwnedFd) -> Result<Option<CopyFile>, StoreError> {
        let Some((file, stat)) = self.open_file(&directory, OFlags::RDWR)? else {
            return Ok(None);
        };
        let path = self.path();
        let locked = Locked::acquire(&file, &path)?;
        let slots = locked.read(&stat)?;
        drop(locked);
        Ok(Some(CopyFile {
            directory,
            file,
            state: slots.state(),
            slots,
        }))
    }

    fn open_file(
        &self,
        directory: &OwnedFd,
        access: OFlags,
    ) -> Result<Option<(OwnedFd, Stat)>, StoreError> {
        let path = self.path();
        let failed = |errno| StoreError::io(&path, errno);
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(directory, self.name(), flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.and_then(clear_of_stdio).map_err(failed)?,
        };
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(StoreError::insecure(&path, Problem::NotFile));
        }
        check_owner(&stat, &path, 0o077, 0o600)?;
        Ok(Some((file, stat)))
    }

    fn open_directory(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::open(self.directory, flags, Mode::empty()).and_then(clear_of_stdio)
    }

    fn check(&self, directory: &OwnedFd) -> Result<(), StoreError> {
        let stat =
            rustix::fs::fstat(directory).map_err(|errno| StoreError::io(self.directory, errno))?;
        check_owner(&stat, self.directory, 0o022, 0o711)
    }

    fn path(&self) -> PathBuf {
        self.directory.join(self.name())
    }
}

/// What others could have put there tells nothing: it must be root's, or of
/// whom we run as.
fn check_owner(stat: &Stat, path: &Path, forbidden: u32, allowed: u32) -> Result<(), StoreError> {
    let expected = rustix::process::geteuid().as_raw();
    let problem = if stat.st_uid != 0 && stat.st_uid != expected {
        Problem::Owner {
            uid: stat.st_uid,
            expected,
        }
    } else if stat.st_mode & forbidden != 0 {
        Problem::Mode {
            mode: stat.st_mode & 0o7777,
            allowed,
        }
    } else {
        return Ok(());
    };
    Err(StoreError::insecure(path, problem))
}
