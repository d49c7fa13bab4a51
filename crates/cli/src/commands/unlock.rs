//! `pam-otp unlock`: forgets wrong codes.

use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Nobody waits any more who has guessed at this record, owner or stranger.
/// Codes that were used stay used.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    session.require_user()?;
    let mut record = session.record()?;
    let (now, rules) = (Session::now(), session.policy.rules);
    let before = record.unlock(now)?;
    let waited = rules.longest_wait(record.tokens(), &before, now);
    let wrong = before.history().failures;
    session.log_done();
    let mut reply = Reply::new();
    let user = plain(session.user());
    reply.line(&if waited > 0 {
        format!("Nobody waits any more for {user}; it would have been {waited} seconds.")
    } else {
        format!("Nobody had to wait for {user}; wrong codes are forgotten.")
    });
    reply.field("would_have_waited_seconds", waited);
    reply.field("wrong_codes_forgotten", wrong);
    Ok(reply)
}
