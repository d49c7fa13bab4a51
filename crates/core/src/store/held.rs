//! A record's state while its locks are held: read once, then decided on, then
//! written.
//!
//! Where the policy says `unwritable = "volatile"`, a disk that cannot be
//! written keeps nobody out: then root's copy in memory ([`MemoryCopy`]) takes
//! what the disk does not, and both together are the state. The token file is
//! locked first in that case, since there may be no state file to lock.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;
use rustix::io::Errno;

use super::copy::{CopyFile, MemoryCopy};
use super::error::StoreError;
use super::lock::Locked;
use super::place::Place;
use super::{RecordFiles, STATE_FILE, StateFile, TOKEN_FILE, Tokens, files};
use crate::state::State;
use crate::state::slots::{Durability, Slots};
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::Kept;

/// What has to be locked: paths for messages, and the copy in memory.
#[derive(Debug)]
pub(super) struct Locks {
    token: PathBuf,
    state: PathBuf,
    copy: Option<MemoryCopy>,
}

impl Locks {
    pub(super) fn of(place: &Place, files: &RecordFiles) -> Self {
        let (token, id) = match &files.tokens {
            Tokens::Own { id, .. } => (place.record_path().join(TOKEN_FILE), *id),
            // Its directory may not be there yet, and must not matter then.
            Tokens::Legacy(legacy) => (legacy.path().to_owned(), legacy.id),
        };
        Self {
            token,
            state: place.record_path().join(STATE_FILE),
            copy: place.memory_copy(id),
        }
    }
}

/// The state, and the locks under which it stays so. Dropped from the top: the
/// token file, which was locked first, is unlocked last.
#[derive(Debug)]
pub(super) struct Held<'a> {
    disk: Option<Disk<'a>>,
    copy: Option<(&'a MemoryCopy, Option<CopyFile>)>,
    _token: Option<Locked<'a>>,
    state: State,
    path: &'a Path,
    on_disk_only: bool,
}

#[derive(Debug)]
struct Disk<'a> {
    locked: Locked<'a>,
    slots: Slots,
    writable: bool,
}

impl<'a> Held<'a> {
    /// Locks and reads. `None` if the record's path names other files than
    /// these by now: while the user was typing, or we waited, it may have been
    /// removed or replaced, and then what we hold is nobody's any more.
    pub(super) fn acquire(
        place: &Place,
        files: &'a RecordFiles,
        locks: &'a Locks,
    ) -> Result<Option<Self>, StoreError> {
        let token = locks
            .copy
            .as_ref()
            .map(|_| Locked::acquire(files.token_handle(), &locks.token))
            .transpose()?;
        let locked = files
            .state
            .as_ref()
            .map(|file| Ok::<_, StoreError>((file, Locked::acquire(&file.file, &locks.state)?)))
            .transpose()?;
        let Some(stat) = files::current(place, files)? else {
            return Ok(None);
        };
        let disk = locked
            .map(|(file, locked)| Disk::read(file, locked, &stat))
            .transpose()?;
        let copy = match &locks.copy {
            Some(copy) => Some((copy, copy.open()?)),
            None => None,
        };
        let on_disk = disk.iter().map(|disk| disk.slots.state());
        let in_memory = copy.iter().filter_map(|(_, file)| file.as_ref());
        let state = on_disk
            .chain(in_memory.map(|file| file.state().clone()))
            .fold(files.begin(), |state, other| state.merge(&other));
        Ok(Some(Self {
            disk,
            copy,
            _token: token,
            state,
            path: &locks.state,
            on_disk_only: false,
        }))
    }

    /// The state as it is now.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Has memory not stand in for the disk.
    pub(super) fn on_disk_only(mut self) -> Self {
        self.on_disk_only = true;
        self
    }

    /// Writes a new state down, with room for what `tokens` has.
    pub(super) fn write(
        mut self,
        state: State,
        tokens: &TokenFile,
        durability: Durability,
        now: UnixTime,
    ) -> Result<Kept, StoreError> {
        let state = state.with_room_for(tokens);
        match (self.write_disk(&state, durability, now), self.copy.take()) {
            (Ok(()), Some((copy, Some(file)))) if durability == Durability::Flushed => {
                // All that it knew is on disk now.
                copy.remove(&file);
                Ok(Kept::OnDisk)
            }
            (Ok(()), _) => Ok(Kept::OnDisk),
            (Err(error), Some((copy, file))) if !self.on_disk_only && is_unwritable(&error) => {
                copy.write(file, state, durability, now)?;
                Ok(Kept::InMemory)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn write_disk(
        &self,
        state: &State,
        durability: Durability,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let read_only = || StoreError::io(self.path, Errno::ROFS);
        let disk = self.disk.as_ref().ok_or_else(read_only)?;
        if !disk.writable {
            return Err(read_only());
        }
        let write = disk.slots.update(state.clone(), durability);
        let write = write.map_err(|error| disk.locked.unusable(error))?;
        disk.locked.write(&write, durability, now)
    }
}

impl<'a> Disk<'a> {
    fn read(file: &StateFile, locked: Locked<'a>, stat: &Stat) -> Result<Self, StoreError> {
        Ok(Self {
            slots: locked.read(stat)?,
            locked,
            writable: file.writable,
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
