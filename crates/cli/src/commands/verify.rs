//! `pam-otp verify`: what would a login say?

use std::io::Write;

use pam_otp_core::store::Record;
use pam_otp_core::verify::{Accepted, Means, Verdict};

use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::session::Session;

/// Asks for a code and decides about it as a login does: what opened is spent.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    let accepted = prove(session, &mut session.record()?)?;
    let mut stdout = std::io::stdout().lock();
    match accepted.means() {
        Means::Token(name) | Means::Resync { token: name, .. } => {
            writeln!(
                stdout,
                "Right code of \"{}\". It is used up now, as by a login.",
                plain(name)
            )?;
        }
        Means::Recovery { left } => {
            writeln!(
                stdout,
                "Right recovery code. It is used up now, {left} left."
            )?;
        }
    }
    Ok(())
}

/// Has the caller prove, with a code or a recovery code, that the record is
/// theirs.
pub(super) fn prove(session: &Session, record: &mut Record) -> Result<Accepted, Error> {
    let answer = person::ask_code("Code or recovery code: ")?;
    match record.decide(
        &answer,
        &session.source(),
        session.policy.rules,
        Session::now(),
    )? {
        Verdict::Accepted(accepted) => Ok(accepted),
        Verdict::Refused(refusal) => Err(Error::Refused(refusal)),
    }
}
