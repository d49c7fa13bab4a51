//! First logins by an application that logs what it shows: the key and the recovery
//! codes of whoever enrols there.

use std::fmt;
use std::path::PathBuf;

use pam_otp_core::policy::arguments::{Arguments, Field};
use pam_otp_stack::{Entry, Place};

use crate::policy_path::PolicyPath;

/// Services of applications that write what PAM shows into the journal, in lower case
/// as libpam has them, and the applications' names.
const LOGGING: [(&str, &str); 1] = [("cockpit", "Cockpit")];

/// Some first logins would be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) service: &'static str,
    application: &'static str,
    pub(crate) said_by: SaidBy,
}

/// What says that users enrol there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SaidBy {
    /// An argument of this line in the stack.
    Line(Place),
    /// This policy file.
    Policy(PathBuf),
}

impl Logged {
    /// Those by a line of the module in this service's stack. None, too, where what
    /// the line or the policy says is broken: every login is refused then.
    pub(crate) fn by_line(service: &str, entry: &Entry, policies: &PolicyPath) -> Option<Self> {
        let written = entry.module().map(|module| module.arguments.as_slice());
        let written = written.unwrap_or_default();
        // A later argument overrules an earlier one, and all that is no `enroll` means
        // another word.
        let overrules = written.iter().any(|it| it.starts_with("unenrolled="));
        let line = overrules.then(|| entry.place.clone());
        Self::by(service, written, line, policies)
    }

    /// The same by a line without arguments, which is not there yet.
    pub(crate) fn by_new_line(service: &str, policies: &PolicyPath) -> Option<Self> {
        Self::by(service, &[], None, policies)
    }

    fn by(
        service: &str,
        written: &[String],
        line: Option<Place>,
        policies: &PolicyPath,
    ) -> Option<Self> {
        let mut logging = LOGGING.into_iter();
        let (service, application) = logging.find(|it| it.0.eq_ignore_ascii_case(service))?;
        let arguments = Arguments::parse(written.iter().map(String::as_bytes)).ok()?;
        let (arguments, policy) = policies.by_line(arguments, service).ok()?;
        // A line that only parts a field shows nothing.
        let shows = policy.enrols(arguments.field) && arguments.field != Field::Split;
        let file = || arguments.policy.unwrap_or_else(|| policies.file());
        shows.then(|| Self {
            service,
            application,
            said_by: line.map_or_else(|| SaidBy::Policy(file()), SaidBy::Line),
        })
    }
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            application,
            said_by,
        } = self;
        write!(
            f,
            "who has no record enrols at a login by {service}, and {application} writes what that \
             shows into the journal, key and recovery codes too: unenrolled should be \"deny\" or \
             \"allow\""
        )?;
        match said_by {
            SaidBy::Line(place) => write!(f, " in {place}"),
            SaidBy::Policy(path) => write!(f, " in [service.{service}] of {}", path.display()),
        }
    }
}
