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
use crate::legacy::google::Warning;
use crate::policy::{LegacyFile, Policy, StoreKind, Unwritable};
use crate::remember::{Remembered, remembered};
use crate::source::Source;
use crate::state::State;
use crate::state::slots::Durability;
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
mod legacy;
mod list;
mod lock;
mod place;
mod steady;

pub use account::{Account, Groups, Membership};
pub use decoy::pretend;
pub use enrol::Removal;
pub use error::{Problem, StoreError};
pub use list::open_file;

use files::{Inode, Stamp};
use held::{Held, Locks};
use legacy::{LegacyPlace, LegacyRecord};
use place::Place;

/// The token file's name within a record.
pub const TOKEN_FILE: &str = "token.toml";
/// The state file's name within a record.
pub const STATE_FILE: &str = "state";
/// The name within a record of what is known of another program's file that was
/// disabled: should it come back, its used codes are used.
pub const DISABLED_STATE_FILE: &str = "state.disabled";
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
    /// Files of another program that let in who has no record.
    legacy: Option<LegacyFile>,
    /// Most steps by which a clock that such a file tells of may be off.
    drift: u16,
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
            legacy: policy.legacy.clone(),
            drift: policy.rules.drift,
        }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Opens a user's record, under the user's own rights if it is in a home.
    /// Without one, another program's file takes its place, if the policy says
    /// so. `None` if the user has none: *unenrolled*. That is said only where the
    /// directory that would hold it is there and can be searched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] names the path and what is wrong with it.
    pub fn open(&self, account: &Account) -> Result<Option<Record>, StoreError> {
        let legacy = LegacyPlace::of(self, account)?;
        let kind = legacy.as_ref().map_or(self.kind, LegacyPlace::kind);
        let elsewhere = kind != self.kind && account.passwd.is_some();
        let at_home = if elsewhere {
            self.open_at_home(account)?
        } else {
            AtHome::Nothing
        };
        let unseen = match at_home {
            AtHome::Record(record) => return Ok(Some(*record)),
            AtHome::Unseen(error) => Some(error),
            AtHome::Nothing => None,
        };
        let place = Place::of(self, kind, account)?;
        let opened = files::open_record(&place, legacy.as_ref())?;
        match (opened, unseen) {
            (Some(files), _) => Ok(Some(self.record(account, place, files))),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// Looks for a record in the home of a user whose other program's file lies
    /// elsewhere. It may be there because the home is not, before the login.
    fn open_at_home(&self, account: &Account) -> Result<AtHome, StoreError> {
        let place = self.place(account)?;
        let home = place.base_path().to_owned();
        match files::open_record(&place, None) {
            Ok(Some(files)) => {
                let record = self.record(account, place, files);
                Ok(AtHome::Record(Box::new(record)))
            }
            Ok(None) => Ok(AtHome::Nothing),
            Err(
                error @ (StoreError::Missing(_) | StoreError::Io { .. } | StoreError::NoToken(_)),
            ) => Ok(AtHome::Unseen(error)),
            Err(error) if error.path() == Some(&home) => Ok(AtHome::Unseen(error)),
            Err(error) => Err(error),
        }
    }

    fn record(&self, account: &Account, place: Place, files: RecordFiles) -> Record {
        Record {
            store: self.clone(),
            account: account.clone(),
            place,
            files,
        }
    }

    /// Where a user's record lies.
    fn place(&self, account: &Account) -> Result<Place, StoreError> {
        Place::of(self, self.kind, account)
    }
}

/// What a home has of its user's record, if the user need not have one there.
enum AtHome {
    Record(Box<Record>),
    Nothing,
    /// Nobody can say.
    Unseen(StoreError),
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
    directory: Directory,
    tokens: Tokens,
    /// None until the first login of a token that was deployed without one.
    state: Option<StateFile>,
}

/// A record's directory.
#[derive(Debug)]
enum Directory {
    There(OwnedFd),
    /// Not until the first login by another program's file. With the one above.
    Missing {
        base: OwnedFd,
    },
}

impl Directory {
    fn opened(&self) -> Option<&OwnedFd> {
        match self {
            Self::There(directory) => Some(directory),
            Self::Missing { .. } => None,
        }
    }
}

/// Where a record's tokens come from.
#[derive(Debug)]
enum Tokens {
    /// The token file, as it was when it was read.
    Own { tokens: TokenFile, stamp: Stamp },
    /// Another program's file.
    Legacy(Box<LegacyRecord>),
}

impl RecordFiles {
    fn tokens(&self) -> &TokenFile {
        match &self.tokens {
            Tokens::Own { tokens, .. } => tokens,
            Tokens::Legacy(legacy) => &legacy.tokens,
        }
    }

    /// Whether there are still tokens to make a state for. Half a record would
    /// stay behind.
    fn has_tokens(&self) -> Result<bool, StoreError> {
        self.legacy().map_or(Ok(true), LegacyRecord::is_current)
    }

    /// What is known of logins without a state file.
    fn begin(&self) -> State {
        let begin = self.legacy().map(LegacyRecord::begin);
        begin.cloned().unwrap_or_default()
    }

    /// The policy's rules, narrower where another program's file says so.
    fn narrow(&self, rules: Rules) -> Rules {
        self.legacy().map_or(rules, |legacy| legacy.narrow(rules))
    }

    fn legacy(&self) -> Option<&LegacyRecord> {
        match &self.tokens {
            Tokens::Own { .. } => None,
            Tokens::Legacy(legacy) => Some(legacy),
        }
    }
}

#[derive(Debug)]
struct StateFile {
    file: OwnedFd,
    inode: Inode,
    /// Not on a read-only disk, where the policy bears that.
    writable: bool,
}

/// How often a record that changes under our hands is opened anew.
const ATTEMPTS: usize = 3;

impl Record {
    /// The user's tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenFile {
        self.files.tokens()
    }

    /// The directory that holds it, or the other program's file in its place.
    #[must_use]
    pub fn path(&self) -> &Path {
        let legacy = self.files.legacy();
        legacy.map_or(self.place.record_path(), LegacyRecord::path)
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
        self.locked(Missing::Create, |_, files, held| {
            let (tokens, rules) = (files.tokens(), files.narrow(rules));
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
        self.locked(Missing::Create, |_, files, held| {
            let (tokens, rules) = (files.tokens(), files.narrow(rules));
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
        self.locked(Missing::Leave, |_, files, held| {
            let (tokens, rules) = (files.tokens(), files.narrow(rules));
            Ok(remembered(tokens, held.state(), source, rules, now))
        })
    }

    /// Forgets all wrong codes: nobody waits any more. Returns the state as it
    /// was.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing is forgotten.
    pub fn unlock(&mut self, now: UnixTime) -> Result<State, StoreError> {
        self.locked(Missing::Create, |_, files, held| {
            let before = held.state().clone();
            let state = before.clone().unlocked();
            let held = held.on_disk_only();
            held.write(state, files.tokens(), Durability::Flushed, now)?;
            Ok(before)
        })
    }

    /// Another program's file, if that is what the record is.
    #[must_use]
    pub fn foreign(&self) -> Option<&Path> {
        self.files.legacy().map(LegacyRecord::path)
    }

    /// What was read over in another program's file, if that is what the record
    /// is: no login fails for it, but its owner may have meant something by it.
    #[must_use]
    pub fn foreign_warnings(&self) -> &[Warning] {
        let legacy = self.files.legacy();
        legacy.map_or(&[], |legacy| &legacy.warnings)
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

    /// The same without a lock, for whoever only looks and keeps nobody waiting.
    /// A login may write meanwhile: each write leaves one of the two slots whole,
    /// so what is read is the state before that write or after it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn glance(&self) -> Result<State, StoreError> {
        held::glance(&self.place, &self.files)
    }

    /// Whether a login can write the state down, if there is none yet. One that is
    /// there was opened for writing. Creates nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as a login would have it.
    pub fn check_begin(&self) -> Result<(), StoreError> {
        files::may_create_state(&self.place, &self.files)
    }

    /// Runs `work` on the state that the record's path names now, locked.
    fn locked<T, E: From<StoreError>>(
        &mut self,
        missing: Missing,
        work: impl FnOnce(&Place, &RecordFiles, Held<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..ATTEMPTS {
            let (place, files) = (&self.place, &mut self.files);
            if files.state.is_none() && missing == Missing::Create && files.has_tokens()? {
                place.enter(|| files::create_state(place, files))??;
            }
            let files = &*files;
            let locks = Locks::of(place, files);
            if let Some(held) = Held::acquire(place, files, &locks)? {
                return work(place, files, held);
            }
            let path = match self.files.legacy() {
                Some(legacy) => legacy.path().to_owned(),
                None => self.place.record_path().join(STATE_FILE),
            };
            let opened = self.store.open(&self.account)?;
            *self = opened.ok_or(StoreError::Gone(path))?;
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
