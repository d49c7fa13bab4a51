//! `pam-otp require`: who needs a code, whatever else the policy says.

use clap::Args;
use pam_otp_core::date::Date;
use pam_otp_core::policy::{Policy, Unenrolled};
use pam_otp_core::store::Account;
use pam_otp_core::user::UserName;

use crate::error::Error;
use crate::plain::plain;
use crate::policy::{self, Change, DAY, Names, Written};
use crate::reply::{List, Object, Reply};
use crate::session::Session;

const KEYS: [&str; 3] = ["require_users", "require_groups", DAY];
/// Their fields in JSON.
const FIELDS: [&str; 3] = ["users", "groups", "by"];

/// Whom, and from when on.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Users; none of all: tell who is required
    #[arg(value_name = "USER")]
    users: Vec<String>,
    /// A group, whose members are required; may be given again
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// They may put enrolling off before this day; "" for none
    #[arg(long, value_name = "DATE", value_parser = day, conflicts_with = "remove")]
    by: Option<String>,
    /// Take them out of the list
    #[arg(long)]
    remove: bool,
    /// Users and groups that the system does not know, too
    #[arg(long)]
    force: bool,
}

fn day(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || Date::parse(text).is_some() {
        Ok(text.to_owned())
    } else {
        Err("must be a day as in 2027-03-31, or empty")
    }
}

/// Changes the policy file, or tells what is so.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    session.require_root()?;
    let mut reply = Reply::new();
    let lenient = options.force || options.remove;
    let change = Change {
        lists: vec![
            (
                Names::RequireUsers,
                policy::users(session, Names::RequireUsers, &options.users, lenient)?,
            ),
            (
                Names::RequireGroups,
                policy::groups(Names::RequireGroups, &options.groups, lenient)?,
            ),
        ],
        remove: options.remove,
        day: options.by.clone(),
    };
    let nobody = "name a user or a --group";
    let (written, changed) = change.make_or_look(session, lenient, nobody, &mut reply)?;
    if !change.is_empty() && !options.remove {
        warn(session, &change, &written, &mut reply);
    }
    tell(&written, changed, &mut reply)?;
    Ok(reply)
}

fn tell(written: &Written, changed: bool, reply: &mut Reply) -> Result<(), Error> {
    written.tell(reply, changed);
    reply.line(&format!(
        "required users: {}",
        written.words(Names::RequireUsers)
    ));
    reply.line(&format!(
        "required groups: {}",
        written.words(Names::RequireGroups)
    ));
    reply.line(&format!("of these, without a record: {}", without_record(written)));
    reply.field("users", policy::listed(written, Names::RequireUsers));
    reply.field("groups", policy::listed(written, Names::RequireGroups));
    reply.field("by", written.day());
    reply.field("unenrolled", unenrolled(&written.policy));
    tell_rules(written, reply)?;
    policy::tell_sections(reply, written, &KEYS, |section| {
        let words = format!(
            "required users: {}; groups: {}; of these, without a record: {}",
            section.words(Names::RequireUsers),
            section.words(Names::RequireGroups),
            without_record(section),
        );
        (words, fields(section))
    })
}

/// Services that go by one of the lists or by the day, but not by all the same rules.
fn tell_rules(written: &Written, reply: &mut Reply) -> Result<(), Error> {
    let mut rules = Vec::new();
    for (service, own) in written.sections(&[&KEYS[..], &["unenrolled"]].concat())? {
        let keys = KEYS.iter().zip(FIELDS);
        let shared: Vec<_> = keys
            .filter(|(key, _)| !own.is_own(key))
            .map(|(_, field)| field.to_owned())
            .collect();
        if shared.is_empty() {
            continue;
        }
        if shared.len() == FIELDS.len() {
            reply.line(&format!(
                "[service.{}]: the same; of these, without a record: {}",
                plain(&service),
                without_record(&own)
            ));
        }
        let mut object = Object::new();
        object.push("service", service);
        object.push("unenrolled", unenrolled(&own.policy));
        object.push("by", own.day());
        object.push("shared", shared.into_iter().collect::<List>());
        rules.push(object);
    }
    reply.field("unenrolled_at", rules.into_iter().collect::<List>());
    Ok(())
}

fn fields(written: &Written) -> Object {
    let mut object = Object::new();
    object.push("users", policy::listed(written, Names::RequireUsers));
    object.push("groups", policy::listed(written, Names::RequireGroups));
    object.push("by", written.day());
    object.push("unenrolled", unenrolled(&written.policy));
    object
}

fn unenrolled(policy: &Policy) -> &'static str {
    match policy.unenrolled {
        Unenrolled::Deny => "deny",
        Unenrolled::Allow => "allow",
        Unenrolled::Enroll => "enroll",
    }
}

/// What becomes of those who are required and have none.
fn without_record(written: &Written) -> String {
    match (written.policy.unenrolled, written.day()) {
        (Unenrolled::Deny | Unenrolled::Allow, _) => "refused".to_owned(),
        (Unenrolled::Enroll, None) => "enrol at the login, at once".to_owned(),
        (Unenrolled::Enroll, Some(day)) => {
            format!("enrol at the login, and may put it off before {day}")
        }
    }
}

fn warn(session: &Session, change: &Change, written: &Written, reply: &mut Reply) {
    let policy = &written.policy;
    let enrols = policy.unenrolled == Unenrolled::Enroll;
    for (names, wanted) in &change.lists {
        for name in wanted {
            let exempt = match names {
                Names::RequireUsers => Names::ExemptUsers,
                _ => Names::ExemptGroups,
            };
            if exempt.of(policy).contains(name) {
                reply.warn(format!(
                    "{name} is in {} too: require goes before exempt, so a code is needed",
                    exempt.key()
                ));
            }
            if *names == Names::RequireUsers && !enrols && !has_record(session, name) {
                reply.warn(format!(
                    "{name} has no record, and is refused from now on: pam-otp enroll --user \
                     {name}, or unenrolled = \"enroll\" in the policy"
                ));
            }
            if *names == Names::RequireGroups
                && policy::groups(*names, std::slice::from_ref(name), false).is_err()
            {
                reply.warn(format!(
                    "the system knows no group {name}: while that is so, everybody is required"
                ));
            }
        }
    }
    let waits = policy.enroll_by.and_then(|day| day.days_until(Session::now()));
    let named = change.lists.iter().any(|(_, wanted)| !wanted.is_empty());
    if let (true, true, None, Some(days)) = (enrols, named, written.day(), waits) {
        reply.warn(format!(
            "enroll_by lets others put enrolling off for {days} days, and who is required enrols \
             at once: --by sets a day for them"
        ));
    }
    if change.day.as_ref().is_some_and(|day| !day.is_empty()) && !enrols {
        reply.warn(format!(
            "the day has no effect while unenrolled is \"{}\": who is required and has no record \
             is refused today",
            unenrolled(policy)
        ));
    }
}

/// Whatever cannot be told counts as a record: it is no reason to warn.
fn has_record(session: &Session, name: &str) -> bool {
    let account = UserName::new(name).ok();
    let account = account.and_then(|name| Account::resolve(&name).ok());
    account.is_none_or(|account| !matches!(session.store.open(&account), Ok(None)))
}
