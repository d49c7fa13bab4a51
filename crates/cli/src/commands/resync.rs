//! `pam-otp resync`: has the record follow a token that is far off.

use std::io::Write;

use pam_otp_core::answer::Answer;
use pam_otp_core::code::Code;
use pam_otp_core::verify::{Means, Refusal, Verdict};

use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::session::Session;

/// Asks for two codes in a row, and learns from them how far the token's clock
/// or counter is off. Root needs them too: they are what tells how far.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    let mut record = session.record()?;
    let first = ask("Code: ")?;
    let second = ask("The next one that the app shows: ")?;
    let verdict = record.resync(
        [&first, &second],
        &session.source(),
        session.policy.rules,
        Session::now(),
    )?;
    match verdict {
        Verdict::Accepted(accepted) => {
            session.log_done();
            tell(accepted.means())
        }
        Verdict::Refused(Refusal::Wrong) => Err(Error::NotInARow),
        Verdict::Refused(refusal) => Err(Error::Refused(refusal)),
    }
}

fn ask(question: &str) -> Result<Code, Error> {
    match person::ask_code(question)? {
        Answer::Code(code) => Ok(code),
        Answer::Recovery(_) => Err(Error::NoClock),
        Answer::Empty => Err(Error::Refused(Refusal::Empty)),
        Answer::Malformed => Err(Error::Refused(Refusal::Malformed)),
    }
}

fn tell(means: &Means) -> Result<(), Error> {
    // Two codes open by no other means.
    let Means::Resync { token, seconds } = means else {
        return Ok(());
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "Right codes of \"{}\". They are used up now, as by a login.",
        plain(token)
    )?;
    writeln!(stdout, "{}", found(*seconds))?;
    Ok(())
}

/// How far the token is off, in words.
fn found(seconds: Option<i64>) -> String {
    let which = match seconds {
        None => return "Its counter is found again; logins go on from there.".to_owned(),
        Some(0) => return "Its clock agrees with this machine's.".to_owned(),
        Some(..0) => "behind",
        Some(_) => "ahead of",
    };
    let seconds = seconds.unwrap_or_default().unsigned_abs();
    format!("Its clock is {seconds} seconds {which} this machine's; logins follow it now.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_token_is_off_is_told_in_words() {
        for (seconds, expected) in [
            (None, "Its counter is found again; logins go on from there."),
            (Some(0), "Its clock agrees with this machine's."),
            (
                Some(3600),
                "Its clock is 3600 seconds ahead of this machine's; logins follow it now.",
            ),
            (
                Some(-30),
                "Its clock is 30 seconds behind this machine's; logins follow it now.",
            ),
        ] {
            assert_eq!(found(seconds), expected);
        }
    }
}
