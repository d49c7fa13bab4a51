//! A file of `pam_google_authenticator`, in the place of a token file. It is
//! opened with the same care, read, and never written: what logins change lies
//! in a record's directory, as for tokens of ours.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::Store;
use super::account::Account;
use super::create::sync_directory;
use super::error::{Problem, StoreError};
use super::files::{self, Stamp};
use super::identity::Identity;
use super::place::{check_base, walk};
use crate::legacy::google::{GoogleFile, Warning};
use crate::policy::StoreKind;
use crate::policy::legacy::{self, HOME_FILE, LegacyFile};
use crate::state::State;
use crate::token::{Kind, TokenFile, TokenName};
use crate::verify::Rules;

/// What its token is called in the log.
const NAME: &str = "google-authenticator";

/// Where one user's file lies, or would, and what is asked of it.
#[derive(Clone, Debug)]
pub(super) struct LegacyPlace {
    place: legacy::Place,
    /// Which store keeps the state.
    kind: StoreKind,
    owner: u32,
    /// Whose it may be, too.
    others: Vec<u32>,
    mode: u32,
    identity: Option<Identity>,
    /// Most steps by which its clock may be off.
    drift: u16,
}

/// The file, opened and read.
#[derive(Debug)]
pub(super) struct LegacyRecord {
    place: LegacyPlace,
    directory: OwnedFd,
    name: OsString,
    pub(super) file: OwnedFd,
    stamp: Stamp,
    pub(super) tokens: TokenFile,
    window: u64,
    /// What was read over.
    pub(super) warnings: Vec<Warning>,
    /// What the file knows of earlier logins.
    begin: State,
}

impl LegacyPlace {
    /// `None` if the policy has no such file for this user.
    pub(super) fn of(store: &Store, account: &Account) -> Result<Option<Self>, StoreError> {
        let Some(LegacyFile {
            path,
            user,
            lax_owner,
            mode,
        }) = &store.legacy
        else {
            return Ok(None);
        };
        let owner = match user {
            Some(user) => &Account::resolve(user)?,
            None => account,
        };
        let (place, kind, passwd) = match (path, &owner.passwd) {
            (None, None) => return Ok(None),
            // Whose secret must be out of reach has none at home.
            (None, Some(_)) if store.kind == StoreKind::System => return Ok(None),
            (None, Some(passwd)) => {
                let place = legacy::Place {
                    anchor: passwd.home.clone(),
                    path: passwd.home.join(HOME_FILE),
                };
                (place, StoreKind::Home, passwd)
            }
            (Some(_), None) if user.is_some() => {
                // The administrator's mistake, and no guess of a stranger's.
                return Err(StoreError::Account {
                    user: owner.name.to_string(),
                    error: "the argument `user` names nobody whom the system knows".to_owned(),
                });
            }
            (Some(_), None) => return Err(owner.unknown()),
            (Some(path), Some(passwd)) => {
                let place = path.of(&account.name, &passwd.home);
                // A home may not be there yet when the file is, and the state
                // must be. Whoever opens the file: another line may name it
                // otherwise, and a code opens once.
                let home = account.passwd.as_ref().map(|own| &own.home);
                let at_home =
                    home.is_some_and(|home| home.is_absolute() && place.path.starts_with(home));
                let kind = if at_home {
                    store.kind
                } else {
                    StoreKind::System
                };
                (place, kind, passwd)
            }
        };
        Ok(Some(Self {
            place,
            kind,
            owner: passwd.uid,
            others: match lax_owner {
                true => account.uid().into_iter().chain([0]).collect(),
                false => Vec::new(),
            },
            mode: *mode,
            identity: Identity::of(owner)?,
            drift: store.drift,
        }))
    }

    /// Which store keeps the state.
    pub(super) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    fn enter<T>(&self, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        match &self.identity {
            Some(identity) => identity.assume(work),
            None => Ok(work()),
        }
    }

    /// Opens and reads the file; `None` if it is not there.
    pub(super) fn open(&self) -> Result<Option<LegacyRecord>, StoreError> {
        let opened = self.enter(|| {
            let Some((directory, name)) = self.open_directory()? else {
                return Ok(None);
            };
            let check = |stat: &Stat| self.check(stat);
            let opened = files::open_checked(&directory, &name, self.path(), OFlags::RDONLY, check);
            let Some((file, stat)) = opened? else {
                return Ok(None);
            };
            let text = files::read_text(&file, &stat, self.path())?;
            Ok(Some((directory, name, file, stat, text)))
        })?;
        let Some((directory, name, file, stat, text)) = opened? else {
            return Ok(None);
        };
        let fault = |fault| StoreError::Token {
            path: self.path().to_owned(),
            fault,
        };
        let google = GoogleFile::parse(&text, TokenName::fixed(NAME)).map_err(fault)?;
        Ok(Some(LegacyRecord {
            place: self.clone(),
            directory,
            name,
            file,
            stamp: Stamp::of(&stat),
            begin: begin(&google, self.drift),
            window: google.window,
            warnings: google.warnings,
            tokens: TokenFile::of_legacy(google.token, google.scratch),
        }))
    }

    /// Whether anything lies there, in whatever directory.
    pub(super) fn is_there(&self) -> Result<bool, StoreError> {
        let path = self.path();
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(false);
        };
        self.enter(|| {
            let (directory, _) = match walk(directory) {
                Err(StoreError::Missing(_)) => return Ok(false),
                opened => opened?,
            };
            match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Ok(true),
                Err(Errno::NOENT) => Ok(false),
                Err(errno) => Err(StoreError::io(path, errno)),
            }
        })?
    }

    /// Gives the file another name, under which nobody looks for it; `None` if
    /// there is none.
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        self.enter(|| {
            let Some((directory, name)) = self.open_directory()? else {
                return Ok(None);
            };
            let failed = |errno| StoreError::io(self.path(), errno);
            for aside in names_aside(&name) {
                match rename_new(&directory, &name, &aside) {
                    Ok(()) => {
                        sync_directory(&directory).map_err(failed)?;
                        return Ok(Some(self.path().with_file_name(aside)));
                    }
                    Err(Errno::NOENT) => return Ok(None),
                    Err(Errno::EXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
            }
            Err(failed(Errno::EXIST))
        })?
    }

    /// Whether a file lies under one of the names that [`Self::set_aside`] gives.
    pub(super) fn lies_aside(&self) -> Result<bool, StoreError> {
        self.enter(|| {
            let Some((directory, name)) = self.open_directory()? else {
                return Ok(false);
            };
            // What cannot be told may be one.
            let lies = |aside| {
                let found = rustix::fs::statat(&directory, aside, AtFlags::SYMLINK_NOFOLLOW);
                !matches!(found, Err(Errno::NOENT))
            };
            Ok(names_aside(&name).any(lies))
        })?
    }

    /// Opens the directory that the file lies in; `None` if it is not there,
    /// though what is above all users' is.
    fn open_directory(&self) -> Result<Option<(OwnedFd, OsString)>, StoreError> {
        let (anchor, path) = (&self.place.anchor, &self.place.path);
        walk(anchor)?;
        let missing = || StoreError::Missing(path.clone());
        let name = path.file_name().ok_or_else(missing)?;
        let directory = path.parent().ok_or_else(missing)?;
        let (opened, stat) = match walk(directory) {
            Err(StoreError::Missing(_)) if directory != anchor => return Ok(None),
            opened => opened?,
        };
        check_base(&stat, directory, || self.owner, |uid| self.owns(uid))?;
        Ok(Some((opened, name.to_owned())))
    }

    fn owns(&self, uid: u32) -> bool {
        uid == self.owner || self.others.contains(&uid)
    }

    fn check(&self, stat: &Stat) -> Result<(), StoreError> {
        let problem = if !self.owns(stat.st_uid) {
            Problem::Owner {
                uid: stat.st_uid,
                expected: self.owner,
            }
        } else if stat.st_mode & 0o777 & !self.mode != 0 {
            Problem::Mode {
                mode: stat.st_mode & 0o7777,
                allowed: self.mode,
            }
        } else {
            return Ok(());
        };
        Err(StoreError::insecure(self.path(), problem))
    }
}

impl LegacyRecord {
    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Whether its name still names what was read.
    pub(super) fn is_current(&self) -> Result<bool, StoreError> {
        let stat = self
            .place
            .enter(|| rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW))?;
        match stat {
            Ok(stat) => Ok(Stamp::of(&stat) == self.stamp),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(StoreError::io(self.path(), errno)),
        }
    }

    /// What the file knows of earlier logins.
    pub(super) fn begin(&self) -> &State {
        &self.begin
    }

    /// What else is known of them.
    pub(super) fn remember(&mut self, known: &State) {
        self.begin = self.begin.clone().merge(known);
    }

    /// The policy's rules, narrower where the file says so.
    pub(super) fn narrow(&self, rules: Rules) -> Rules {
        Rules {
            window: rules.window.min(self.window / 2),
            look_ahead: rules.look_ahead.min(self.window),
            ..rules
        }
    }
}

/// What was used before stays used, and a clock that was followed is followed,
/// as far as the policy goes.
fn begin(google: &GoogleFile, drift: u16) -> State {
    let mut state = State::default();
    let token = &google.token;
    if let Kind::Hotp { .. } = token.kind {
        return state;
    }
    if let Some(step) = google.spent {
        // The highest number cannot be spent, for want of a next one.
        let step = step.min(u64::MAX.saturating_sub(1));
        state = state.spend(token.id(), step).unwrap_or_default();
    }
    let most = i128::from(drift);
    match i128::from(google.skew).clamp(most.saturating_neg(), most) {
        0 => state,
        skew => state.follow(token.id(), skew),
    }
}

/// Under these nobody looks for the file.
fn names_aside(name: &OsString) -> impl Iterator<Item = OsString> {
    (0..100).map(move |number| {
        let mut aside = name.clone();
        aside.push(".disabled");
        if number > 0 {
            aside.push(format!(".{number}"));
        }
        aside
    })
}

/// Renames, and replaces nothing.
fn rename_new(at: &OwnedFd, from: &OsString, to: &OsString) -> Result<(), Errno> {
    match rustix::fs::renameat_with(at, from, at, to, RenameFlags::NOREPLACE) {
        // Some network file systems cannot do it in one step.
        Err(Errno::INVAL | Errno::NOSYS) => {}
        renamed => return renamed,
    }
    match rustix::fs::statat(at, to, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => rustix::fs::renameat(at, from, at, to),
        Err(errno) => Err(errno),
    }
}
