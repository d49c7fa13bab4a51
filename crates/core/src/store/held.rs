//! A record's state while its locks are held: read once, then decided on, then
//! written.
//!
//! The record's directory is locked first, since there may be no state file to
//! lock; then the state file, whose lock also counts among hosts that share it.
//! Where another program's file is the record, and has no directory yet, that file
//! is locked before both.
//! If root keeps a copy of the state in memory ([`MemoryCopy`]), because a disk
//! could not be written, both together are the state, whatever policy this
//! login has. Only `unwritable = "volatile"` makes new copies.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;
use rustix::io::Errno;

use super::copy::{CopyFile, MemoryCopy};
use super::error::StoreError;
use super::lock::Locked;
use super::place::Place;
use super::{RecordFiles, STATE_FILE, StateFile, files, lock};
use crate::state::State;
use crate::state::slots::{Durability, Slots};
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::Kept;

/// What has to be locked: paths for messages, and the copy in memory.
#[derive(Debug)]
pub(super) struct Locks<'a> {
    directory: &'a Path,
    state: PathBuf,
    copy: MemoryCopy<'a>,
}

impl<'a> Locks<'a> {
    pub(super) fn of(place: &'a Place, files: &'a RecordFiles) -> Self {
        Self {
            directory: place.record_path(),
            state: place.record_path().join(STATE_FILE),
            copy: place.memory_copy(files.tokens()),
        }
    }
}

/// The state, and the locks under which it stays so. Dropped from the top: the
/// directory, which was locked first, is unlocked last.
#[derive(Debug)]
pub(super) struct Held<'a> {
    disk: Option<Disk<'a>>,
    copy: Option<CopyFile>,
    guard: Guard<'a>,
    locks: &'a Locks<'a>,
    state: State,
    /// Whether memory stands in where the disk takes nothing.
    may_be_unwritable: bool,
}

/// The state file.
#[derive(Debug)]
struct Disk<'a> {
    slots: Slots,
    locked: Locked<'a>,
}

impl<'a> Held<'a> {
    /// Locks and reads. `None` if the record's path names other files than
    /// these by now: while the user was typing, or we waited, it may have been
    /// removed or replaced, and then what we hold is nobody's any more.
    pub(super) fn acquire(
        place: &Place,
        files: &'a RecordFiles,
        locks: &'a Locks<'a>,
    ) -> Result<Option<Self>, StoreError> {
        let guard = Guard::acquire(files, locks)?;
        let file = files.state.as_ref();
        let locked = file
            .map(|file| Disk::lock(file, &locks.state, &guard))
            .transpose()?;
        let Some(stat) = files::current(place, files)? else {
            return Ok(None);
        };
        let disk = locked.map(|locked| Disk::read(locked, &stat)).transpose()?;
        let copy = locks.copy.open()?;
        let on_disk = disk.iter().map(|disk| disk.slots.state());
        let in_memory = copy.iter().map(|file| file.state().clone());
        let state = on_disk
            .chain(in_memory)
            .fold(files.begin(), |state, other| state.merge(&other));
        Ok(Some(Self {
            disk,
            copy,
            guard,
            locks,
            state,
            may_be_unwritable: place.may_be_unwritable(),
        }))
    }

    /// The state as it is now.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Has memory not stand in for the disk.
    pub(super) fn on_disk_only(mut self) -> Self {
        self.may_be_unwritable = false;
        self
    }

    /// Writes a new state down, with room for what `tokens` has. The record
    /// stays locked as long as the answer lives.
    pub(super) fn write(
        self,
        state: State,
        tokens: &TokenFile,
        durability: Durability,
        now: UnixTime,
    ) -> Result<(Kept, Guard<'a>), StoreError> {
        let state = state.with_room_for(tokens);
        // What a copy knows goes to the disk for good, and the copy away.
        let durability = match &self.copy {
            Some(_) => Durability::Flushed,
            None => durability,
        };
        let kept = match self.write_disk(&state, durability, now) {
            Ok(()) => {
                if let Some(copy) = &self.copy {
                    self.locks.copy.remove(copy);
                }
                Kept::OnDisk
            }
            Err(error) if self.may_be_unwritable && is_unwritable(&error) => {
                let copy = &self.locks.copy;
                copy.write(self.copy, state, durability, now)?;
                Kept::InMemory
            }
            Err(error) => return Err(error),
        };
        Ok((kept, self.guard))
    }

    fn write_disk(
        &self,
        state: &State,
        durability: Durability,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let read_only = || StoreError::io(&self.locks.state, Errno::ROFS);
        let disk = self.disk.as_ref().ok_or_else(read_only)?;
        let write = disk.slots.update(state.clone(), durability);
        let write = write.map_err(|error| disk.locked.unusable(error))?;
        disk.locked.write(&write, durability, now)
    }
}

/// The state, read without locks: on disk and in memory together.
pub(super) fn glance(place: &Place, files: &RecordFiles) -> Result<State, StoreError> {
    let locks = Locks::of(place, files);
    let mut state = files.begin();
    if let Some(file) = &files.state {
        state = state.merge(&lock::glance(&file.file, &locks.state)?.state());
    }
    if let Some(copy) = locks.copy.glance()? {
        state = state.merge(&copy);
    }
    Ok(state)
}

/// Keeps others from the record.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    /// None where there is no directory yet.
    directory: Option<Locked<'a>>,
    _legacy: Option<Locked<'a>>,
}

impl<'a> Guard<'a> {
    fn acquire(files: &'a RecordFiles, locks: &Locks<'a>) -> Result<Self, StoreError> {
        let legacy = files.legacy();
        let legacy = legacy.map(|legacy| Locked::acquire_readable(&legacy.file, legacy.path()));
        let directory = files.directory.opened();
        let directory = directory.map(|file| Locked::acquire(file, locks.directory));
        Ok(Self {
            _legacy: legacy.transpose()?,
            directory: directory.transpose()?,
        })
    }
}

impl<'a> Disk<'a> {
    fn lock(
        file: &'a StateFile,
        path: &'a Path,
        guard: &Guard<'_>,
    ) -> Result<Locked<'a>, StoreError> {
        if !file.writable {
            // NFS locks nothing that was opened for reading alone.
            return Ok(Locked::read_only(&file.file, path));
        }
        match &guard.directory {
            Some(directory) => Locked::acquire_within(&file.file, path, directory),
            None => Locked::acquire(&file.file, path),
        }
    }

    fn read(locked: Locked<'a>, stat: &Stat) -> Result<Self, StoreError> {
        Ok(Self {
            slots: locked.read(stat)?,
            locked,
        })
    }
}

/// Whether it is the disk that does not take what we write.
pub(super) fn is_unwritable(error: &StoreError) -> bool {
    match error {
        StoreError::Io { error, .. } => matches!(
            Errno::from_io_error(error),
            Some(Errno::ROFS | Errno::NOSPC | Errno::DQUOT | Errno::IO)
        ),
        _ => false,
    }
}
