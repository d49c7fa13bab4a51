//! Changes of a record that is there, and enrolments that were begun. No login
//! comes here.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, OFlags};

use super::create::replace;
use super::enrol::{make_directory, unlink};
use super::error::StoreError;
use super::files;
use super::lock::Locked;
use super::place::Place;
use super::{Account, Missing, PENDING_FILE, Record, Store, TOKEN_FILE};
use crate::enrolment::Pending;
use crate::state::State;
use crate::state::slots::Durability;
use crate::time::UnixTime;
use crate::token::TokenFile;

impl Record {
    /// Changes the tokens, under the record's locks: `change` is given tokens
    /// and state as they are now, and gives them as they shall be. The state is
    /// written first, so that a code that it has spent is spent whatever
    /// follows; then the token file is replaced, whole. Memory does not stand in
    /// for a disk here.
    ///
    /// # Errors
    ///
    /// What `change` fails with, or [`StoreError`]; then the tokens are as they
    /// were.
    pub fn change<E: From<StoreError>>(
        &mut self,
        now: UnixTime,
        change: impl FnOnce(&TokenFile, &State) -> Result<(TokenFile, State), E>,
    ) -> Result<(), E> {
        let foreign = |path: &Path| StoreError::Foreign(path.to_owned());
        if let Some(legacy) = self.files.legacy() {
            return Err(foreign(legacy.path()).into());
        }
        self.locked(Missing::Create, |place, files, held| {
            // It may have been opened anew since.
            if let Some(legacy) = files.legacy() {
                return Err(foreign(legacy.path()).into());
            }
            let gone = || StoreError::Gone(place.record_path().to_owned());
            let directory = files.directory.opened().ok_or_else(gone)?;
            let path = place.record_path().join(TOKEN_FILE);
            let (tokens, state) = change(files.tokens(), held.state())?;
            // Also where the state stays as it is: the copy in memory has its
            // name from the tokens.
            let held = held.on_disk_only();
            let _lock = held.write(state, &tokens, Durability::Flushed, now)?;
            let text = tokens.to_toml();
            place
                .enter(|| replace(directory, TOKEN_FILE, text.as_bytes()))?
                .map_err(|errno| StoreError::io(&path, errno).into())
        })
    }
}

impl Store {
    /// Notes an enrolment that was begun, in the place of an earlier one. Logins
    /// do not look at it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then an earlier one is as it was.
    pub fn begin(&self, account: &Account, pending: &Pending) -> Result<(), StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let directory = make_directory(&place)?;
            let _locked = Locked::acquire(&directory, place.record_path())?;
            let text = pending.to_toml();
            replace(&directory, PENDING_FILE, text.as_bytes())
                .map_err(|errno| StoreError::io(&place.record_path().join(PENDING_FILE), errno))
        })?
    }

    /// The enrolment that was begun, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] names the path and what is wrong with it.
    pub fn pending(&self, account: &Account) -> Result<Option<Pending>, StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let Some(directory) = place.open_record(&base)? else {
                return Ok(None);
            };
            read_pending(&place, &directory)
        })?
    }

    /// Forgets the enrolment that was begun; whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn forget_pending(&self, account: &Account) -> Result<bool, StoreError> {
        let place = self.place(account)?;
        place.enter(|| {
            let base = place.open_base()?;
            let Some(directory) = place.open_record(&base)? else {
                return Ok(false);
            };
            let _locked = Locked::acquire(&directory, place.record_path())?;
            let forgotten = unlink(&directory, PENDING_FILE, place.record_path())?;
            // Where nothing but this was begun, nothing is left.
            let _ = rustix::fs::unlinkat(&base, place.entry(), AtFlags::REMOVEDIR);
            Ok(forgotten)
        })?
    }
}

pub(super) fn read_pending(
    place: &Place,
    directory: &OwnedFd,
) -> Result<Option<Pending>, StoreError> {
    let opened = files::open(place, directory, PENDING_FILE, OFlags::RDONLY)?;
    let Some((file, stat)) = opened else {
        return Ok(None);
    };
    let path = place.record_path().join(PENDING_FILE);
    let text = files::read_text(&file, &stat, &path)?;
    match Pending::parse(&text) {
        Ok(pending) => Ok(Some(pending)),
        Err(fault) => Err(StoreError::Token { path, fault }),
    }
}
