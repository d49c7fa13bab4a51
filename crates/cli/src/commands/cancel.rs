//! `pam-otp cancel`: forgets an enrolment that was begun.

use pam_otp_core::store::PENDING_FILE;

use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Forgets what `enroll` began. Takes no code: what was begun has no effect on
/// logins, and neither has its end.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let nothing = || Error::NothingBegun(session.user().to_owned());
    let name = match session.pending() {
        Ok(pending) => Some(pending.ok_or_else(nothing)?.token.name.to_string()),
        // Whatever lies there, nobody can confirm it.
        Err(Error::Store(error)) if error.path().is_some_and(|at| at.ends_with(PENDING_FILE)) => {
            None
        }
        Err(error) => return Err(error),
    };
    if !session.store.forget_pending(&session.account)? {
        return Err(nothing());
    }
    session.log_done();
    let mut reply = Reply::new();
    reply.line(&match &name {
        Some(name) => format!(
            "The enrolment of \"{}\" is forgotten; logins are as they were.",
            plain(name)
        ),
        None => "What was begun is forgotten; logins are as they were.".to_owned(),
    });
    reply.field("token", name);
    Ok(reply)
}
