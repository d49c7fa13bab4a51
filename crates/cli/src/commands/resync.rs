//! `pam-otp resync`: has the record follow a token that is far off.

use pam_otp_core::answer::Answer;
use pam_otp_core::code::Code;
use pam_otp_core::verify::{Means, Refusal, Verdict};

use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Asks for two codes in a row, and learns from them how far the token's clock
/// or counter is off. Root needs them too: they are what tells how far.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let mut record = session.record()?;
    let first = ask(session, "Code: ")?;
    let second = ask(session, "The next one that the app shows: ")?;
    let verdict = record.resync(
        [&first, &second],
        &session.source(),
        session.policy.rules,
        Session::now(),
    )?;
    match verdict {
        Verdict::Accepted(accepted) => {
            session.log_done();
            Ok(reply(accepted.means()))
        }
        Verdict::Refused(Refusal::Wrong) => Err(Error::NotInARow),
        Verdict::Refused(refusal) => Err(Error::TokenRefused(refusal)),
    }
}

fn ask(session: &Session, question: &str) -> Result<Code, Error> {
    match session.ask_code(question)? {
        Answer::Code(code) => Ok(code),
        Answer::Recovery(_) => Err(Error::NoClock),
        Answer::Empty => Err(Error::TokenRefused(Refusal::Empty)),
        Answer::Malformed => Err(Error::TokenRefused(Refusal::Malformed)),
    }
}

fn reply(means: &Means) -> Reply {
    let mut reply = Reply::new();
    // Two codes open by no other means.
    if let Means::Resync { token, seconds } = means {
        reply.line(&format!(
            "Right codes of \"{}\". They are used up now, as by a login.",
            plain(token)
        ));
        reply.line(&found(*seconds));
        reply.field("token", token.as_str());
        reply.field("clock_off_seconds", *seconds);
    }
    reply
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
