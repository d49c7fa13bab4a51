//! What becomes of a user whose record is removed: by the rules for all services, and
//! by those of each section of the policy.

use pam_otp_core::policy::arguments::Field;
use pam_otp_core::policy::{Policy, WithoutRecord};

use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

/// What becomes of the user, by one set of rules after the other.
pub(crate) struct Afterwards {
    user: String,
    /// By the rules that the command was called for.
    pub(crate) mostly: WithoutRecord,
    /// By sections that say otherwise.
    elsewhere: Vec<(String, WithoutRecord)>,
}

impl Afterwards {
    /// Looks it up for the session's user: for one service, if one was named, or else
    /// for all. Exempt networks and arguments of lines are left aside, and services
    /// whose records lie in another store.
    ///
    /// # Errors
    ///
    /// [`Error`] if the policy cannot be read.
    pub(crate) fn look(session: &Session) -> Result<Self, Error> {
        let by = |policy: &Policy| {
            let standing = policy.exceptions.standing(session.account.name(), None);
            policy.without_record(&standing, Field::default())
        };
        let mostly = by(&session.policy);
        let mut elsewhere = Vec::new();
        let sections = match session.service {
            Some(_) => None,
            None => Policy::sections(&session.policy_path.file())?,
        };
        let place = |policy: &Policy| (policy.store, policy.system_store.clone());
        for service in sections.unwrap_or_default() {
            let policy = session.policy_path.for_service(&service)?;
            let without = by(&policy);
            if without != mostly && place(&policy) == place(&session.policy) {
                elsewhere.push((service, without));
            }
        }
        Ok(Self {
            user: plain(session.user()),
            mostly,
            elsewhere,
        })
    }

    /// Tells programs whether the user gets in without a code, by any of them.
    pub(crate) fn tell(&self, reply: &mut Reply) {
        let mut all = self.elsewhere.iter().map(|(_, without)| without);
        let opens = opens(&self.mostly) || all.any(opens);
        reply.field("logins_without_code", opens);
    }

    /// Tells people.
    pub(crate) fn tell_in_words(&self, reply: &mut Reply) {
        let words = |without| words(without, &self.user);
        reply.line(&format!("Without a record, {}.", words(&self.mostly)));
        for (service, without) in &self.elsewhere {
            reply.line(&format!("By {}, {}.", plain(service), words(without)));
        }
    }
}

fn opens(without: &WithoutRecord) -> bool {
    *without == WithoutRecord::NoCode || without.puts_off_for(Session::now()).is_some()
}

fn words(without: &WithoutRecord, user: &str) -> String {
    match (without, without.puts_off_for(Session::now())) {
        (WithoutRecord::NoCode, _) => format!("logins ask {user} for no code"),
        (WithoutRecord::Refused, _) => "logins that ask for a code are refused".to_owned(),
        (WithoutRecord::Enrols(_), None) => {
            format!("the next login that asks for a code enrols {user} anew")
        }
        (WithoutRecord::Enrols(_), Some(days)) => format!(
            "logins that ask for a code enrol {user} anew, who can put it off for {days} days \
             and needs no code until then"
        ),
    }
}
