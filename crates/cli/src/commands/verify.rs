//! `pam-otp verify`: what would a login say?

use pam_otp_core::store::Record;
use pam_otp_core::verify::{Accepted, Means, Verdict};

use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Asks for a code and decides about it as a login does: what opened is spent.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let accepted = prove(session, &mut session.record()?)?;
    let mut reply = Reply::new();
    let (token, left) = match accepted.means() {
        Means::Token(name) | Means::Resync { token: name, .. } => {
            reply.line(&format!(
                "Right code of \"{}\". It is used up now, as by a login.",
                plain(name)
            ));
            (Some(name.as_str()), None)
        }
        Means::Recovery { left } => {
            reply.line(&format!(
                "Right recovery code. It is used up now, {left} left."
            ));
            (None, Some(*left))
        }
    };
    reply.field("token", token);
    reply.field("recovery_codes_left", left);
    Ok(reply)
}

/// Has the caller prove, with a code or a recovery code, that the record is
/// theirs.
pub(super) fn prove(session: &Session, record: &mut Record) -> Result<Accepted, Error> {
    let answer = session.ask_code("Code or recovery code: ")?;
    let verdict = record.decide(
        &answer,
        &session.source(),
        session.policy.rules,
        Session::now(),
    )?;
    match verdict {
        Verdict::Accepted(accepted) => Ok(accepted),
        // Scratch codes of another program's file must wait like any code.
        Verdict::Refused(refusal) if record.tokens().recovery().is_none() => {
            Err(Error::TokenRefused(refusal))
        }
        Verdict::Refused(refusal) => Err(Error::Refused(refusal)),
    }
}
