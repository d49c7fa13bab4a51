//! Who calls, for whom, and under which policy: settled once, at the start.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use nix::unistd::{Uid, User};
use pam_otp_core::answer::Answer;
use pam_otp_core::enrolment::Pending;
use pam_otp_core::policy::{Arguments as Line, Policy, StoreKind};
use pam_otp_core::source::Source;
use pam_otp_core::store::{Account, HOME_RECORD, Record, Store, StoreError};
use pam_otp_core::time::UnixTime;
use pam_otp_core::user::UserName;

use crate::arguments::Arguments;
use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::syslog;

/// One run of the command.
#[derive(Debug)]
pub(crate) struct Session {
    /// The rules, with the policy's section if one was asked for.
    pub(crate) policy: Policy,
    /// Where records lie.
    pub(crate) store: Store,
    /// Whom this is about.
    pub(crate) account: Account,
    /// What is to be done.
    pub(crate) command: &'static str,
    /// Who called the command.
    caller: String,
    /// An administrator acts for somebody else, and needs no code of theirs.
    pub(crate) administrator: bool,
    /// The answer is to be JSON.
    pub(crate) json: bool,
    /// A person types the answers, and is asked for them.
    pub(crate) interactive: bool,
    /// What was seen at the start, for the JSON answer.
    pub(crate) warnings: Vec<String>,
}

impl Session {
    /// Settles who and where.
    pub(crate) fn start(arguments: &Arguments) -> Result<Self, Error> {
        let caller = Uid::effective();
        let own_name = User::from_uid(caller)
            .map_err(|errno| Error::Caller(errno.desc().to_owned()))?
            .map(|user| user.name);
        let command = arguments.command.name();
        let Some(name) = arguments.user.as_ref().or(own_name.as_ref()) else {
            return Err(Error::Caller(format!("user id {caller} has no name")));
        };
        let name = UserName::new(name)?;
        let for_another = arguments.user.is_some() && arguments.user != own_name;
        if for_another && !caller.is_root() {
            return Err(Error::NotRoot);
        }

        let account = Account::resolve(&name)?;
        let policy = policy(arguments)?;
        let warning = meet(&account, policy.store, command)?;
        if let (Some(warning), false) = (&warning, arguments.json) {
            person::warn(&plain(warning));
        }
        Ok(Self {
            store: Store::new(&policy),
            policy,
            account,
            command,
            caller: own_name.clone().unwrap_or_else(|| caller.to_string()),
            administrator: arguments.user.is_some() && caller.is_root(),
            json: arguments.json,
            interactive: !arguments.json && person::is_there(),
            warnings: warning.into_iter().collect(),
        })
    }

    /// The user's name, as the system writes it.
    pub(crate) fn user(&self) -> &str {
        self.account.name().as_str()
    }

    /// Tells a person what comes next; a program knows.
    pub(crate) fn guide(&self, text: &str) -> Result<(), Error> {
        if self.interactive {
            person::prompt(&format!("{text}\n"))?;
        }
        Ok(())
    }

    /// Reads a code from standard input; a person is asked for it first, on
    /// standard error.
    pub(crate) fn ask_code(&self, question: &str) -> Result<Answer, Error> {
        if self.interactive {
            person::prompt(question)?;
        }
        person::read_code()
    }

    /// Where an answer to this command comes from.
    pub(crate) fn source(&self) -> Source {
        Source::local(&self.caller)
    }

    /// Opens the user's record, if there is one.
    pub(crate) fn find_record(&self) -> Result<Option<Record>, Error> {
        let opened = self.store.open(&self.account);
        opened.map_err(|error| self.failed(error))
    }

    /// The enrolment that was begun, if there is one.
    pub(crate) fn pending(&self) -> Result<Option<Pending>, Error> {
        let pending = self.store.pending(&self.account);
        // A first login's own becomes effective there or nowhere.
        let ours = |pending: Option<Pending>| pending.filter(|it| it.login.is_none());
        pending.map(ours).map_err(|error| self.failed(error))
    }

    /// Why the store does not give what was asked for.
    fn failed(&self, error: StoreError) -> Error {
        match error {
            StoreError::Io {
                path,
                error: denied,
            } if self.store.kind() == StoreKind::System
                && denied.kind() == io::ErrorKind::PermissionDenied =>
            {
                Error::Administrators {
                    path,
                    command: self.command,
                    user: self.user().to_owned(),
                }
            }
            error => error.into(),
        }
    }

    /// Where the user's record lies, or would; for messages.
    pub(crate) fn record_path(&self) -> PathBuf {
        match self.store.kind() {
            StoreKind::System => self.policy.system_store.join(self.user()),
            StoreKind::Home => {
                let user = User::from_name(self.user()).ok().flatten();
                user.map(|user| user.dir)
                    .unwrap_or_default()
                    .join(HOME_RECORD)
            }
        }
    }

    /// Tells the system's log that the command was carried out.
    pub(crate) fn log_done(&self) {
        // In one step or in two, it is the same.
        let action = match self.command {
            "confirm" => "enroll",
            command => command,
        };
        let path = self.record_path();
        syslog::done(action, self.user(), &self.caller, &path);
    }

    /// Opens the user's record.
    pub(crate) fn record(&self) -> Result<Record, Error> {
        self.find_record()?
            .ok_or_else(|| Error::NotEnrolled(self.user().to_owned()))
    }

    /// The clock, read here and nowhere else.
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    pub(crate) fn now() -> UnixTime {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        UnixTime(since.map_or(0, |since| since.as_secs()))
    }
}

/// Does the system know this user? A home is the user's own. The system store
/// may have a record for a name of another sort, e.g. a mailbox; but it may be
/// a slip, too.
fn meet(account: &Account, store: StoreKind, command: &str) -> Result<Option<String>, Error> {
    if account.uid().is_some() {
        return Ok(None);
    }
    let error = Error::from(StoreError::UnknownUser {
        user: account.name().to_string(),
    });
    match (store, command) {
        (StoreKind::Home, _) => Err(error),
        (StoreKind::System, "enroll") => Ok(Some(error.to_string())),
        (StoreKind::System, _) => Ok(None),
    }
}

/// The policy as a login through this service would have it.
fn policy(arguments: &Arguments) -> Result<Policy, Error> {
    let path = &arguments.policy;
    let mut line = Line::default();
    // Like a login: only the default file may be missing.
    if path.as_os_str() != pam_otp_core::policy::DEFAULT_FILE {
        line.policy = Some(std::path::absolute(path).map_err(Error::Io)?);
    }
    Ok(Policy::for_login(
        &line,
        arguments.service.as_deref().unwrap_or_default(),
    )?)
}
