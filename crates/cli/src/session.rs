//! Who calls, for whom, and under which policy: settled once, at the start.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::{Uid, User};
use pam_otp_core::answer::Answer;
use pam_otp_core::enrolment::Pending;
use pam_otp_core::policy::{DEFAULT_SYSTEM_STORE, Policy, StoreKind};
use pam_otp_core::source::Source;
use pam_otp_core::store::{Account, HOME_RECORD, Record, Store, StoreError};
use pam_otp_core::time::UnixTime;
use pam_otp_core::user::UserName;

use crate::arguments::Arguments;
use crate::error::Error;
use crate::interrupt::Interrupts;
use crate::person;
use crate::plain::plain;
use crate::policy_path::PolicyPath;
use crate::syslog;

/// One run of the command.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The rules, with the policy's section if one was asked for.
    pub(crate) policy: Policy,
    /// Where records lie.
    pub(crate) store: Store,
    /// Whom this is about.
    pub(crate) account: Account,
    /// The policy file.
    pub(crate) policy_path: PolicyPath,
    /// The service whose section applies.
    pub(crate) service: Option<String>,
    /// Whom `--user` names.
    pub(crate) named: Option<String>,
    /// What is to be done.
    pub(crate) command: &'static str,
    /// Who called the command.
    caller: String,
    /// An administrator acts for somebody else, and needs no code of theirs.
    pub(crate) administrator: bool,
    /// What else the caller may.
    charge: Charge,
    /// The answer is to be JSON.
    pub(crate) json: bool,
    /// A person types the answers, and is asked for them.
    pub(crate) interactive: bool,
    /// What was seen at the start, for the JSON answer.
    pub(crate) warnings: Vec<String>,
}

/// Of which store the caller is the administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Of any: root.
    Everything,
    /// Of this one. A program that runs as an ordinary user may have a system
    /// store of its own: that user is its administrator.
    OwnStore,
    /// Of none.
    Nothing,
}

impl Charge {
    fn of(caller: Uid, policy: Option<&Policy>) -> Self {
        if caller.is_root() {
            Self::Everything
        } else if policy.and_then(owner) == Some(caller) {
            Self::OwnStore
        } else {
            Self::Nothing
        }
    }
}

impl Session {
    /// Settles who and where.
    pub(crate) fn start(arguments: &Arguments, command: &'static str) -> Result<Self, Error> {
        let caller = Uid::effective();
        let own_name = User::from_uid(caller)
            .map_err(|errno| Error::Caller(errno.desc().to_owned()))?
            .map(|user| user.name);
        // These are about the policy or the log, and name users who need not be there.
        let about_policy = matches!(command, "require" | "exempt" | "events");
        let user = arguments.user.as_ref().filter(|_| !about_policy);
        let Some(name) = user.or(own_name.as_ref()) else {
            return Err(Error::Caller(format!("user id {caller} has no name")));
        };
        let name = UserName::new(name)?;
        let for_another = arguments.user.is_some() && arguments.user != own_name;
        let policy_path = policy_path(arguments)?;
        let policy = policy(arguments, about_policy);
        let charge = Charge::of(caller, policy.as_ref().ok());
        if for_another && charge == Charge::Nothing {
            return Err(Error::NotRoot);
        }

        let account = Account::resolve(&name)?;
        // It is about no record, and reads each service's policy where it needs it. What
        // it has changed it must be able to undo above all where a policy that is broken
        // keeps everybody out.
        let about_stacks = matches!(command, "setup" | "events");
        let policy = match policy {
            Err(_) if about_stacks => Policy::default(),
            policy => policy?,
        };
        if caller.is_root() && !about_policy && !about_stacks {
            keep_out(&policy, &policy_path, command)?;
        }
        let warning = meet(&account, policy.store, command)?;
        if let (Some(warning), false) = (&warning, arguments.json) {
            person::warn(&plain(warning));
        }
        Ok(Self {
            store: Store::new(&policy),
            policy,
            account,
            policy_path,
            service: arguments.service.clone(),
            named: arguments.user.clone(),
            command,
            caller: own_name.clone().unwrap_or_else(|| caller.to_string()),
            administrator: arguments.user.is_some() && charge != Charge::Nothing,
            charge,
            json: arguments.json,
            interactive: !arguments.json && person::is_there(),
            warnings: warning.into_iter().collect(),
        })
    }

    /// The same, about another user, by whoever is in charge of the store.
    pub(crate) fn about(&self, account: Account) -> Self {
        Self {
            account,
            administrator: self.charge != Charge::Nothing,
            ..self.clone()
        }
    }

    /// Whether the caller is root.
    pub(crate) fn is_root(&self) -> bool {
        self.charge == Charge::Everything
    }

    /// Refuses whoever is not root.
    pub(crate) fn require_root(&self) -> Result<(), Error> {
        if self.is_root() {
            return Ok(());
        }
        Err(self.not_in_charge(None))
    }

    /// Refuses whoever is not in charge of the store.
    pub(crate) fn require_charge(&self) -> Result<(), Error> {
        if self.charge == Charge::Nothing {
            return Err(self.not_in_charge(None));
        }
        Ok(())
    }

    fn not_in_charge(&self, user: Option<String>) -> Error {
        Error::NotInCharge {
            command: self.command,
            user,
        }
    }

    /// Whoever acts as the administrator must say for whom.
    pub(crate) fn require_user(&self) -> Result<(), Error> {
        if self.charge == Charge::Nothing {
            return Err(self.not_in_charge(Some(self.user().to_owned())));
        }
        if self.administrator {
            return Ok(());
        }
        let needs = format!("pam-otp {} needs --user NAME", self.command);
        Err(Error::Usage(needs))
    }

    /// The user's name, as the system writes it.
    pub(crate) fn user(&self) -> &str {
        self.account.name().as_str()
    }

    /// The option with which the next command is about the same user.
    pub(crate) fn for_user(&self) -> String {
        let named = self.named.as_ref();
        named.map_or_else(String::new, |user| format!(" --user {}", plain(user)))
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
        self.ask_code_unless(question, None)
    }

    /// The same, unless the person gives up first.
    pub(crate) fn ask_code_unless(
        &self,
        question: &str,
        interrupts: Option<&Interrupts>,
    ) -> Result<Answer, Error> {
        if self.interactive {
            person::prompt(question)?;
        }
        if let Some(interrupts) = interrupts {
            interrupts.until_typed()?;
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

    /// Tells the system's log how the policy was changed.
    pub(crate) fn log_policy(&self, what: &[(&str, String)], path: &Path) {
        syslog::changed(self.command, what, &self.caller, path);
    }

    /// Opens the user's record.
    pub(crate) fn record(&self) -> Result<Record, Error> {
        self.find_record()?
            .ok_or_else(|| Error::NotEnrolled(self.user().to_owned()))
    }

    /// Tells the system's log that a file of the system was changed.
    pub(crate) fn log_file(&self, action: &str, path: &std::path::Path) {
        syslog::done(action, self.user(), &self.caller, path);
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

/// Who owns the directory of the system store, if the policy has one.
pub(crate) fn owner(policy: &Policy) -> Option<Uid> {
    let owner = || {
        Some(Uid::from_raw(
            std::fs::metadata(&policy.system_store).ok()?.uid(),
        ))
    };
    (policy.store == StoreKind::System).then(owner).flatten()
}

/// Root keeps out of such a store: what it made there its owner could not read.
fn keep_out(policy: &Policy, path: &PolicyPath, command: &'static str) -> Result<(), Error> {
    let Some(owner) = owner(policy).filter(|owner| !owner.is_root()) else {
        return Ok(());
    };
    // That one is root's, and must be again.
    if policy.system_store == std::path::Path::new(DEFAULT_SYSTEM_STORE) {
        return Ok(());
    }
    let user = User::from_uid(owner).ok().flatten();
    Err(Error::OthersStore {
        path: policy.system_store.clone(),
        owner: user.map_or_else(|| owner.to_string(), |user| user.name),
        policy: path.file(),
        command,
    })
}

/// Where the policy lies.
pub(crate) fn policy_path(arguments: &Arguments) -> Result<PolicyPath, Error> {
    PolicyPath::new(arguments.policy.as_deref()).map_err(Error::Io)
}

/// The policy as a login through this service would have it.
pub(crate) fn policy(arguments: &Arguments, may_be_made: bool) -> Result<Policy, Error> {
    let path = policy_path(arguments)?;
    let is_missing = || {
        let found = std::fs::symlink_metadata(path.file());
        found.is_err_and(|it| it.kind() == io::ErrorKind::NotFound)
    };
    if may_be_made && is_missing() {
        return Ok(Policy::default());
    }
    Ok(path.for_service(arguments.service.as_deref().unwrap_or_default())?)
}
