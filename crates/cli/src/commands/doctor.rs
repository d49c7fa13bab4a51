//! `pam-otp doctor`: would this user get in through this service, and how?

use nix::unistd::{Uid, User};
use pam_otp_core::store::Account;
use pam_otp_core::user::UserName;

use crate::arguments::Arguments;
use crate::doctor::finding::Severity;
use crate::doctor::{Inquiry, examine, shown};
use crate::error::Error;
use crate::reply::{Audience, Reply};

pub(crate) use super::NoOptions as Options;

/// The command's name.
pub(crate) const NAME: &str = "doctor";

/// Changes nothing, and keeps no login waiting. Unlike other commands it goes on
/// where the policy or the record is broken: that is what it is for.
pub(crate) fn run(arguments: &Arguments) -> Result<(Reply, Audience), Error> {
    let caller = Uid::effective();
    let own = User::from_uid(caller)
        .map_err(|errno| Error::Caller(errno.desc().to_owned()))?
        .map(|user| user.name);
    let other = arguments
        .user
        .as_ref()
        .filter(|it| Some(*it) != own.as_ref());
    if other.is_some() && !caller.is_root() && !keeps_store(arguments, caller) {
        return Err(Error::NotRoot);
    }
    // Root asks about the machine, unless it says about whom.
    let about = match &arguments.user {
        None if caller.is_root() => None,
        Some(user) => Some(user),
        None => Some(
            own.as_ref()
                .ok_or_else(|| Error::Caller(format!("user id {caller} has no name")))?,
        ),
    };
    let account = about.map(|name| account(name)).transpose()?;
    let inquiry = Inquiry {
        service: arguments.service.clone(),
        policy: crate::session::policy_path(arguments)?,
        other: other.cloned(),
        account,
    };
    let report = examine(&inquiry);
    let mut reply = Reply::new();
    shown::show(&report, &mut reply);
    match report.severity() {
        Severity::Ok | Severity::Note => {}
        Severity::Warning => reply.partly(Error::Warnings),
        Severity::Error => reply.partly(Error::Faults),
    }
    let user = about.cloned().or(own).unwrap_or_else(|| caller.to_string());
    Ok((reply, Audience::of_anybody(arguments.json, NAME, user)))
}

/// A program that runs as an ordinary user may have a system store of its own: that
/// user asks about its users, as root does about others.
fn keeps_store(arguments: &Arguments, caller: Uid) -> bool {
    let policy = crate::session::policy(arguments, false).ok();
    policy.as_ref().and_then(crate::session::owner) == Some(caller)
}

fn account(name: &str) -> Result<Account, Error> {
    Ok(Account::resolve(&UserName::new(name)?)?)
}
