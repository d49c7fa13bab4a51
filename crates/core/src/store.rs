//! Where records lie, and how one is opened, decided on and made durable.
//!
//! A record is a directory of two files: `token.toml` ([`TokenFile`]), which no
//! login writes, and `state` ([`Slots`]), which logins update in place under its
//! lock. The home store keeps it in `~/.pam-otp`, the system store in a
//! directory of root's; the files and the code are the same.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::answer::Answer;
use crate::policy::{Policy, StoreKind};
use crate::source::Source;
use crate::state::State;
use crate::state::slots::Slots;
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::{Rules, Verdict, verify};

mod account;
mod create;
mod enrol;
mod error;
mod files;
mod identity;
mod lock;
mod place;
mod steady;

pub use account::Account;
pub use enrol::Removal;
pub use error::{Problem, StoreError};

use files::Stamp;
use lock::Locked;
use place::Place;

/// The token file's name within a record.
pub const TOKEN_FILE: &str = "token.toml";
/// The state file's name within a record.
pub const STATE_FILE: &str = "state";
/// The record's name within a home directory.
pub const HOME_RECORD: &str = ".pam-otp";

/// The place that the policy keeps records in.
#[derive(Clone, Debug)]
pub struct Store {
    kind: StoreKind,
    system: PathBuf,
}

impl Store {
    /// The store that the policy names.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            kind: policy.store,
            system: policy.system_store.clone(),
        }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Opens a user's record, under the user's own rights if it is in a home.
    /// `None` if the user has none: *unenrolled*. That is said only where the
    /// directory that would hold it is there and can be searched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] names the path and what is wrong with it.
    pub fn open(&self, account: &Account) -> Result<Option<Record>, StoreError> {
        let place = Place::of(self, account)?;
        let opened = place.enter(|| files::open_record(&place))?;
        Ok(opened?.map(|files| Record {
            store: self.clone(),
            account: account.clone(),
            place,
            files,
        }))
    }
}

/// One user's record, opened: its descriptors, and the tokens as they were read.
#[derive(Debug)]
pub struct Record {
    store: Store,
    account: Account,
    place: Place,
    files: RecordFiles,
}

/// What opening a record gives.
#[derive(Debug)]
struct RecordFiles {
    directory: OwnedFd,
    tokens: TokenFile,
    token_stamp: Stamp,
    /// None until the first login of a token that was deployed without one.
    state: Option<OwnedFd>,
}

/// How often a record that changes under our hands is opened anew.
const ATTEMPTS: usize = 3;

impl Record {
    /// The user's tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenFile {
        &self.files.tokens
    }

    /// The directory that holds it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.record_path()
    }

    /// Decides about an answer: the state as it is now, under its lock, is read,
    /// judged, written, and made durable if a code was spent. Only then the
    /// verdict is told.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was accepted.
    pub fn decide(
        &mut self,
        answer: &Answer,
        source: &Source,
        rules: Rules,
        now: UnixTime,
    ) -> Result<Verdict, StoreError> {
        self.locked(|tokens, state, locked, slots| {
            verify(tokens, state, answer, source, rules, now).settle(|state, durability| {
                let write = slots.update(state.with_room_for(tokens), durability);
                locked.write(&write.map_err(|error| locked.unusable(error))?, durability)
            })
        })
    }

    /// The state as it is now. Creates nothing: without a state file, nobody
    /// has logged in yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn state(&mut self) -> Result<State, StoreError> {
        if self.files.state.is_none() {
            return Ok(State::default());
        }
        self.locked(|_, state, _, _| Ok(state.clone()))
    }

    /// Runs `work` on the state that the record's path names now, locked.
    fn locked<T>(
        &mut self,
        work: impl FnOnce(&TokenFile, &State, &Locked<'_>, &Slots) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            let path = self.place.record_path().join(STATE_FILE);
            if self.files.state.is_none() {
                let created = self
                    .place
                    .enter(|| files::create_state(&self.place, &self.files.directory));
                self.files.state = Some(created??);
            }
            let Some(state) = &self.files.state else {
                return Err(StoreError::Gone(path));
            };
            let locked = Locked::acquire(state, &path)?;
            // While the user was typing, or we waited, the record may have been
            // removed or replaced: then what we hold is nobody's any more.
            if self
                .place
                .enter(|| files::is_current(&self.place, &self.files, state))??
            {
                let slots = locked.read()?;
                return work(&self.files.tokens, &slots.state(), &locked, &slots);
            }
            drop(locked);
            *self = self
                .store
                .open(&self.account)?
                .ok_or(StoreError::Gone(path))?;
        }
        Err(StoreError::Unstable(self.place.record_path().to_owned()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
