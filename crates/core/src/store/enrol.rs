//! Making and removing records. No login comes here.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;

use super::create::{UNFINISHED, create_exclusive, replace, sync_directory};
use super::error::StoreError;
use super::lock::Locked;
use super::place::Place;
use super::{Account, PENDING_FILE, STATE_FILE, Store, TOKEN_FILE};
use crate::state::State;
use crate::state::slots::Slots;
use crate::token::TokenFile;

const PRIVATE_DIRECTORY: Mode = Mode::RWXU;

impl Store {
    /// Makes a record: from now on this user's logins ask for a code. The state
    /// comes first, so that no code that it has spent is ever good again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Enrolled`] if there is a token file: it is left as it is.
    /// Any other [`StoreError`] means that nothing became effective.
    pub fn enrol(
        &self,
        account: &Account,
        tokens: &TokenFile,
        state: &State,
    ) -> Result<(), StoreError> {
        let place = Place::of(self, account)?;
        place.enter(|| {
            let directory = make_directory(&place)?;
            let path = place.record_path();
            let _locked = Locked::acquire(&directory, path)?;
            if exists(&directory, TOKEN_FILE, path)? {
                return Err(StoreError::Enrolled(path.join(TOKEN_FILE)));
            }
            let had_state = exists(&directory, STATE_FILE, path)?;
            let failed = |name| move |errno| StoreError::io(&path.join(name), errno);
            let content = Slots::create(state).map_err(|error| StoreError::State {
                path: path.join(STATE_FILE),
                error,
            })?;
            replace(&directory, STATE_FILE, &content).map_err(failed(STATE_FILE))?;
            let created = create_exclusive(&directory, TOKEN_FILE, tokens.to_toml().as_bytes());
            let tokenless = matches!(exists(&directory, TOKEN_FILE, path), Ok(false));
            if created.is_err() && tokenless && !had_state {
                // A state alone would be half a record, and lock the user out.
                let _ = unlink(&directory, STATE_FILE, path);
            }
            if created.map_err(failed(TOKEN_FILE))? {
                // What was begun is done. One that stays does no harm.
                let _ = unlink(&directory, PENDING_FILE, path);
                Ok(())
            } else {
                Err(StoreError::Enrolled(path.join(TOKEN_FILE)))
            }
        })?
    }

    /// Removes a record, whatever state it is in. From now on the policy's
    /// `unenrolled` decides.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is a record still.
    pub fn remove(&self, account: &Account) -> Result<Removal, StoreError> {
        let place = Place::of(self, account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let removed = match place.open_record(&base) {
                Ok(None) => return Ok(Removal::None),
                Ok(Some(directory)) => empty(&directory, place.record_path()),
                Err(error) => Err(error),
            };
            match removed {
                Ok(removed) => {
                    // Something of the user's own may be in it; then it stays.
                    let _ = rustix::fs::unlinkat(&base, place.entry(), AtFlags::REMOVEDIR);
                    Ok(if removed {
                        Removal::Removed
                    } else {
                        Removal::None
                    })
                }
                Err(error @ StoreError::Locked(_)) => Err(error),
                // Not as it should be: a link, or a directory in a file's place.
                // Out of the way it goes as a whole.
                Err(error) => set_aside(&place, &base).ok_or(error),
            }
        })?
    }
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// There was none.
    None,
    /// It is gone.
    Removed,
    /// It was not as it should be, and lies at this path now.
    SetAside(PathBuf),
}

/// Removes a record's files; whether there was a token file.
fn empty(directory: &OwnedFd, path: &Path) -> Result<bool, StoreError> {
    let _locked = Locked::acquire(directory, path)?;
    let removed = unlink(directory, TOKEN_FILE, path)?;
    let removed = unlink(directory, STATE_FILE, path)? || removed;
    unlink(directory, PENDING_FILE, path)?;
    remove_leftovers(directory, path)?;
    sync_directory(directory).map_err(|errno| StoreError::io(path, errno))?;
    Ok(removed)
}

fn set_aside(place: &Place, base: &OwnedFd) -> Option<Removal> {
    (0..100).find_map(|number| {
        let mut name = place.entry().clone();
        name.push(format!(".broken.{number}"));
        rustix::fs::renameat_with(base, place.entry(), base, &name, RenameFlags::NOREPLACE)
            .ok()
            .map(|()| Removal::SetAside(place.base_path().join(&name)))
    })
}

pub(super) fn make_directory(place: &Place) -> Result<OwnedFd, StoreError> {
    let base = place.open_base()?;
    match rustix::fs::mkdirat(&base, place.entry(), PRIVATE_DIRECTORY) {
        Ok(()) => {
            // The caller's umask may have taken more away than we want.
            rustix::fs::chmodat(&base, place.entry(), PRIVATE_DIRECTORY, AtFlags::empty())
                .map_err(|errno| StoreError::io(place.record_path(), errno))?;
            let at = sync_directory(&base);
            at.map_err(|errno| StoreError::io(place.base_path(), errno))?;
        }
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(StoreError::io(place.record_path(), errno)),
    }
    place
        .open_record(&base)?
        .ok_or_else(|| StoreError::Missing(place.record_path().to_owned()))
}

fn exists(directory: &OwnedFd, name: &str, path: &Path) -> Result<bool, StoreError> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(StoreError::io(&path.join(name), errno)),
    }
}

pub(super) fn unlink(directory: &OwnedFd, name: &str, path: &Path) -> Result<bool, StoreError> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(StoreError::io(&path.join(name), errno)),
    }
}

/// Files that a killed process did not finish.
fn remove_leftovers(directory: &OwnedFd, path: &Path) -> Result<(), StoreError> {
    let failed = |errno| StoreError::io(path, errno);
    for entry in rustix::fs::Dir::read_from(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let ours = [TOKEN_FILE, STATE_FILE, PENDING_FILE].iter().any(|file| {
            name.to_bytes()
                .starts_with(format!("{file}{UNFINISHED}").as_bytes())
        });
        if ours {
            rustix::fs::unlinkat(directory, name, AtFlags::empty()).map_err(failed)?;
        }
    }
    Ok(())
}
