//! Making and removing records. No login comes here.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::change::read_pending;
use super::create::{UNFINISHED, create_exclusive, replace, sync_directory};
use super::error::StoreError;
use super::files;
use super::legacy::LegacyPlace;
use super::lock::Locked;
use super::place::Place;
use super::{Account, DISABLED_STATE_FILE, PENDING_FILE, STATE_FILE, Store, TOKEN_FILE};
use crate::state::State;
use crate::state::slots::Slots;
use crate::token::TokenFile;

const PRIVATE_DIRECTORY: Mode = Mode::RWXU;

impl Store {
    /// Makes a record: from now on this user's logins ask for a code. The state
    /// comes first, so that no code that it has spent is ever good again; what
    /// is known of another program's file with the same token is taken over.
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
        let place = self.place(account)?;
        place.enter(|| {
            let directory = make_directory(&place)?;
            let path = place.record_path();
            let _locked = Locked::acquire(&directory, path)?;
            if exists(&directory, TOKEN_FILE, path)? {
                return Err(StoreError::Enrolled(path.join(TOKEN_FILE)));
            }
            let had_state = exists(&directory, STATE_FILE, path)?;
            let failed = |name| move |errno| StoreError::io(&path.join(name), errno);
            let state = [STATE_FILE, DISABLED_STATE_FILE]
                .iter()
                .filter_map(|name| known(&place, &directory, name))
                .fold(state.clone(), |state, known| state.merge(&known))
                .with_room_for(tokens);
            let content = Slots::create(&state).map_err(|error| StoreError::State {
                path: path.join(STATE_FILE),
                error,
            })?;
            let created = replace(&directory, STATE_FILE, &content)
                .map_err(failed(STATE_FILE))
                .and_then(|()| {
                    let text = tokens.to_toml();
                    create_exclusive(&directory, TOKEN_FILE, text.as_bytes())
                        .map_err(failed(TOKEN_FILE))
                });
            let tokenless = matches!(exists(&directory, TOKEN_FILE, path), Ok(false));
            if created.is_err() && tokenless && !had_state {
                // A state alone would be half a record, and lock the user out.
                let _ = unlink(&directory, STATE_FILE, path);
            }
            if created? {
                // What was begun is done. One that stays does no harm.
                let _ = unlink(&directory, PENDING_FILE, path);
                let _ = unlink(&directory, DISABLED_STATE_FILE, path);
                Ok(())
            } else {
                Err(StoreError::Enrolled(path.join(TOKEN_FILE)))
            }
        })?
    }

    /// Removes a record, whatever state it is in. Another program's file in its
    /// place gets another name. From now on the policy's `unenrolled` decides.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is a record still.
    pub fn remove(&self, account: &Account) -> Result<Removal, StoreError> {
        let place = self.place(account)?;
        let legacy = LegacyPlace::of(self, account)?;
        // First, or it would take the record's place, and know nothing of what
        // was used.
        let aside = legacy.as_ref().map(LegacyPlace::set_aside).transpose()?;
        let aside = aside.flatten();
        // One that an earlier run has set aside, and then failed, can be put back too.
        let keep_state = match &legacy {
            Some(legacy) => aside.is_some() || legacy.lies_aside()?,
            None => false,
        };
        let record = Self::remove_record(&place, keep_state)?;
        Ok(match aside {
            Some(file) => Removal::Legacy {
                file,
                record: Box::new(record),
            },
            None => record,
        })
    }

    fn remove_record(place: &Place, keep_state: bool) -> Result<Removal, StoreError> {
        place.enter(|| {
            let base = place.open_base()?;
            let removed = match place.open_record(&base) {
                Ok(None) => return Ok(Removal::None),
                Ok(Some(directory)) => empty(place, &directory, keep_state),
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
                // Not as it should be: a link, or a directory in a file's place.
                // Or locked by a process that does not go on, which must not
                // keep an administrator from taking it away. Out of the way it
                // goes as a whole.
                Err(error) => set_aside(place, &base).ok_or(error),
            }
        })?
    }
}

impl Store {
    /// Whether the system would let a login make a record for a user who has none.
    /// Nothing is changed. Only what rights and a disk for reading alone forbid is
    /// found: not one that is full.
    ///
    /// # Errors
    ///
    /// [`StoreError`] says what would not let it.
    pub fn check_enrol(&self, account: &Account) -> Result<(), StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let made = place.open_record(&base)?;
            let directory = made.as_ref().unwrap_or(&base);
            let access = Access::WRITE_OK | Access::EXEC_OK;
            // By the rights that this thread has now. A kernel that can ask for the
            // process's own alone says so, and is no reason to speak of refusal.
            match rustix::fs::accessat(directory, ".", access, AtFlags::EACCESS) {
                Err(errno @ (Errno::ACCESS | Errno::ROFS)) => {
                    Err(StoreError::io(place.record_path(), errno))
                }
                _ => Ok(()),
            }
        })?
    }
}

impl Store {
    /// Takes back a record that was made just now; whether it did. One that was
    /// changed since, or made anew, stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it is there still.
    pub fn take_back(&self, account: &Account, made: &TokenFile) -> Result<bool, StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let Some(directory) = place.open_record(&base)? else {
                return Ok(false);
            };
            let path = place.record_path();
            let _locked = Locked::acquire(&directory, path)?;
            let opened = files::open(&place, &directory, TOKEN_FILE, OFlags::RDONLY)?;
            let Some((file, stat)) = opened else {
                return Ok(false);
            };
            let text = files::read_text(&file, &stat, &path.join(TOKEN_FILE))?;
            if **text != *made.to_toml().as_bytes() {
                return Ok(false);
            }
            unlink_all(&directory, path)?;
            let _ = rustix::fs::unlinkat(&base, place.entry(), AtFlags::REMOVEDIR);
            Ok(true)
        })?
    }
}

impl Store {
    /// Removes the state that an enrolment has left which was cut off before its
    /// tokens were there; whether it did. It knows of the code that confirmed
    /// what never was a record. A state that any login may have changed stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there may be such a state still.
    pub fn clear_cut_off(&self, account: &Account) -> Result<bool, StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let Some(directory) = place.open_record(&base)? else {
                return Ok(false);
            };
            let path = place.record_path();
            let _locked = Locked::acquire(&directory, path)?;
            if exists(&directory, TOKEN_FILE, path)? {
                return Ok(false);
            }
            let begun = read_pending(&place, &directory)?.filter(|begun| begun.first);
            let state = known(&place, &directory, STATE_FILE);
            // It knows this token by its first code alone: nobody else has it.
            match begun.zip(state) {
                Some((begun, state)) if state.next(begun.token.id()) > 0 => {
                    unlink(&directory, STATE_FILE, path)
                }
                _ => Ok(false),
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
    /// It was not as it should be, or locked all the time, and lies at this path
    /// now.
    SetAside(PathBuf),
    /// Another program's file would have taken its place.
    Legacy {
        /// It lies at this path now.
        file: PathBuf,
        /// What became of the record.
        record: Box<Self>,
    },
}

/// Removes a record's files; whether there was a token file.
fn empty(place: &Place, directory: &OwnedFd, keep_state: bool) -> Result<bool, StoreError> {
    let path = place.record_path();
    let _locked = Locked::acquire(directory, path)?;
    if keep_state {
        disable_state(place, directory)?;
    }
    unlink_all(directory, path)
}

/// Keeps what is known of another program's file that was set aside: whoever
/// puts it back, or imports it, must find its used codes used.
fn disable_state(place: &Place, directory: &OwnedFd) -> Result<(), StoreError> {
    let Some(state) = known(place, directory, STATE_FILE) else {
        return Ok(());
    };
    let state = match known(place, directory, DISABLED_STATE_FILE) {
        Some(older) => state.merge(&older),
        None => state,
    };
    let path = place.record_path().join(DISABLED_STATE_FILE);
    let content = Slots::create(&state).map_err(|error| StoreError::State {
        path: path.clone(),
        error,
    })?;
    replace(directory, DISABLED_STATE_FILE, &content).map_err(|errno| StoreError::io(&path, errno))
}

/// What a state file knows; `None` if there is none that can be read. To be
/// called under the directory's lock, which every login takes.
fn known(place: &Place, directory: &OwnedFd, name: &str) -> Option<State> {
    let path = place.record_path().join(name);
    let (file, stat) = files::open(place, directory, name, OFlags::RDONLY).ok()??;
    let slots = Locked::read_only(&file, &path).read(&stat).ok()?;
    Some(slots.state())
}

fn unlink_all(directory: &OwnedFd, path: &Path) -> Result<bool, StoreError> {
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
