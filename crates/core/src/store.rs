//! Where records lie, and how one is opened, decided on and made durable.
//!
//! A record is a directory of two files: `token.toml` ([`TokenFile`]), which no
//! login writes, and `state` ([`Slots`]), which logins update in place under its
//! lock. The home store keeps it in `~/.pam-otp`, the system store in a
//! directory of root's; the files and the code are the same.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::answer::Answer;
use crate::code::Code;
use crate::policy::{Policy, StoreKind, Unwritable};
use crate::remember::{Remembered, remembered};
use crate::source::Source;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::TokenFile;
use crate::verify::{Rules, Verdict, resync, verify};

mod account;
mod change;
mod copy;
mod create;
mod decoy;
mod enrol;
mod error;
mod files;
mod held;
mod identity;
mod list;
mod lock;
mod place;
mod steady;

pub use account::{Account, Groups, Membership};
pub use decoy::pretend;
pub use enrol::Removal;
pub use error::{Problem, StoreError};
pub use list::open_file;

use files::Stamp;
use held::{Held, Locks};
use place::Place;

/// The token file's name within a record.
pub const TOKEN_FILE: &str = "token.toml";
/// The state file's name within a record.
pub const STATE_FILE: &str = "state";
/// The name within a record of an enrolment that waits for its first code.
pub const PENDING_FILE: &str = "pending.toml";
/// The record's name within a home directory.
pub const HOME_RECORD: &str = ".pam-otp";
/// The directory of root's copies in memory: `unwritable = "volatile"`.
pub const MEMORY: &str = "/run/pam-otp";

/// The place that the policy keeps records in.
#[derive(Clone, Debug)]
pub struct Store {
    kind: StoreKind,
    system: PathBuf,
    /// Where copies of states lie that a disk did not take.
    memory: PathBuf,
    /// Whether there may be new ones.
    may_be_unwritable: bool,
}

impl Store {
    /// The store that the policy names.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            kind: policy.store,
            system: policy.system_store.clone(),
            // Whatever this policy says: another service's may be another.
            memory: PathBuf::from(MEMORY),
            may_be_unwritable: policy.unwritable == Unwritable::Volatile,
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
    state: Option<StateFile>,
}

#[derive(Debug)]
struct StateFile {
    file: OwnedFd,
    /// Not on a read-only disk, where the policy bears that.
    writable: bool,
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
        self.locked(Missing::Create, |_, RecordFiles { tokens, .. }, held| {
            verify(tokens, held.state(), answer, source, rules, now).settle(|state, durability| {
                let (kept, _) = held.write(state, tokens, durability, now)?;
                Ok(kept)
            })
        })
    }

    /// Decides about two consecutive codes of a token whose clock or counter is
    /// far off, and learns from them by how much.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was accepted.
    pub fn resync(
        &mut self,
        codes: [&Code; 2],
        source: &Source,
        rules: Rules,
        now: UnixTime,
    ) -> Result<Verdict, StoreError> {
        self.locked(Missing::Create, |_, RecordFiles { tokens, .. }, held| {
            let decision = resync(tokens, held.state(), codes, source, rules, now);
            // Memory forgets. Back at the old drift, the token's codes of the
            // last day would have their time still to come.
            let held = held.on_disk_only();
            decision.settle(|state, durability| {
                let (kept, _) = held.write(state, tokens, durability, now)?;
                Ok(kept)
            })
        })
    }

    /// Whether a login with a code is remembered at this source: then another one
    /// needs none. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing is remembered.
    pub fn remembered(
        &mut self,
        source: &Source,
        rules: Rules,
        now: UnixTime,
    ) -> Result<Option<Remembered>, StoreError> {
        self.locked(Missing::Leave, |_, RecordFiles { tokens, .. }, held| {
            Ok(remembered(tokens, held.state(), source, rules, now))
        })
    }

    /// The state as it is now. Creates nothing: without a state file, nobody
    /// has logged in yet, or not on this disk.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn state(&mut self) -> Result<State, StoreError> {
        self.locked(Missing::Leave, |_, _, held| Ok(held.state().clone()))
    }

    /// Runs `work` on the state that the record's path names now, locked.
    fn locked<T, E: From<StoreError>>(
        &mut self,
        missing: Missing,
        work: impl FnOnce(&Place, &RecordFiles, Held<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..ATTEMPTS {
            let (place, files) = (&self.place, &mut self.files);
            if files.state.is_none() && missing == Missing::Create {
                files.state = place.enter(|| files::create_state(place, &files.directory))??;
            }
            let locks = Locks::of(place, files);
            if let Some(held) = Held::acquire(place, files, &locks)? {
                return work(place, files, held);
            }
            let gone = || StoreError::Gone(self.place.record_path().join(STATE_FILE));
            *self = self.store.open(&self.account)?.ok_or_else(gone)?;
        }
        Err(StoreError::Unstable(self.place.record_path().to_owned()).into())
    }
}

/// What becomes of a state file that is not there.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Create,
    Leave,
}

#[cfg(test)]
pub(crate) mod tests;
