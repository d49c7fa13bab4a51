//! `pam-otp enroll`: switches two-factor login on.

use pam_otp_core::answer::Answer;
use pam_otp_core::code::{Algorithm, Code, Digits, Secret};
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::state::State;
use pam_otp_core::store::StoreError;
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::verify::{Kept, Verdict, verify};
use zeroize::Zeroizing;

use crate::clock::{self, Clock};
use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::present::{Label, Wishes, print_token};
use crate::reply::{List, Reply};
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Tries that a person has to type the first code.
const TRIES: usize = 3;

/// Makes a secret, shows it, and asks for a code of it. Only a right code makes
/// anything effective; then the recovery codes are shown, once.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    match session.find_record() {
        Ok(None) | Err(Error::Store(StoreError::NoToken(_))) => {}
        Ok(Some(record)) => return Err(StoreError::Enrolled(record.path().to_owned()).into()),
        Err(error) => return Err(error),
    }
    let token = new_token()?;
    let mut entropy = Zeroizing::new([0; RecoverySet::ENTROPY]);
    getrandom::fill(&mut *entropy)?;
    let (recovery, codes) = RecoverySet::generate(&entropy);

    session.guide(&format!("Two-factor login for {}.", plain(session.user())))?;
    session
        .guide("Scan the QR code with an authenticator app, or type account and key into it.\n")?;
    print_token(&token, &Label::of(session.user()), Wishes::default()).map_err(not_shown)?;

    let tokens = TokenFile::new(vec![token], Some(recovery))
        .map_err(|error| Error::Token(error.to_string()))?;
    session.guide("Then type the code that the app shows.")?;
    let state = confirm(session, &tokens)?;
    session.store.enrol(&session.account, &tokens, &state)?;

    let mut reply = Reply::new();
    reply.line("Recovery codes, each good for one login without the phone:");
    for code in &codes {
        reply.line(&code.to_text());
    }
    reply.line(&format!(
        "Two-factor login is on for {}.",
        plain(session.user())
    ));
    reply.line("Keep the recovery codes in a safe place; they are not shown again.");
    let codes = codes.iter().map(RecoveryCode::to_text);
    reply.field("recovery_codes", codes.collect::<List>());
    // Codes that nobody has seen leave no way in without the phone.
    reply.unless_seen(|session| Ok(session.store.remove(&session.account).map(drop)?));
    Ok(reply)
}

/// Whoever does not see key and QR code cannot go on.
fn not_shown(error: Error) -> Error {
    match error {
        Error::Io(error) => Error::NotShown(error),
        error => error,
    }
}

fn new_token() -> Result<Token, Error> {
    let mut bytes = Zeroizing::new([0; Secret::NEW]);
    getrandom::fill(&mut *bytes)?;
    Ok(Token {
        name: TokenName::new("phone").map_err(|error| Error::Token(error.to_string()))?,
        kind: Kind::Totp {
            period: Period::DEFAULT,
        },
        secret: Secret::new(&*bytes).map_err(|error| Error::Token(error.to_string()))?,
        algorithm: Algorithm::Sha1,
        digits: Digits::DEFAULT,
    })
}

/// Asks for a code until one is right; the state in which it is spent.
fn confirm(session: &Session, tokens: &TokenFile) -> Result<State, Error> {
    for tries_left in (0..TRIES).rev() {
        let answer = session.ask_code("Code: ")?;
        let (rules, now) = (session.policy.rules, Session::now());
        let mut spent = State::default();
        let decision = verify(
            tokens,
            &State::default(),
            &answer,
            &session.source(),
            rules,
            now,
        );
        let verdict = decision.settle(|state, _| {
            spent = state;
            Ok::<_, Error>(Kept::OnDisk)
        })?;
        match (verdict, &answer) {
            (Verdict::Accepted(_), Answer::Code(_)) => return Ok(spent),
            (_, Answer::Code(code)) => {
                person::tell(&mismatch(tokens, code, now, &Clock::look().advice()));
            }
            // A recovery code proves nothing about the phone.
            _ => person::tell("That is no code of the app's: it shows 6 digits."),
        }
        if tries_left > 0 {
            person::tell("Try the one that it shows next.");
        }
    }
    Err(Error::NotConfirmed)
}

/// What may be wrong with a code that does not match: here the secret is the
/// caller's own, and it helps nobody to know less.
fn mismatch(tokens: &TokenFile, code: &Code, now: UnixTime, advice: &str) -> String {
    let mut tokens = tokens.tokens().iter();
    let what = match tokens.find_map(|token| clock::apart(token, code, now)) {
        Some(seconds) => format!("That code is {}.", clock::describe(seconds)),
        None => "That code does not match, nor would it within an hour of now: is it this \
                 account's?"
            .to_owned(),
    };
    format!("{what}\n{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_does_not_match_is_told_with_how_far_the_clocks_are_apart() {
        let token = Token {
            name: TokenName::new("phone").unwrap(),
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: Secret::new(b"12345678901234567890").unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
        };
        let code = |time: u64| token.generator().code(time / 30);
        let tokens = TokenFile::new(vec![token.clone()], None).unwrap();
        let now = 1_700_000_010;
        for (phone, said) in [
            (
                now - 900,
                "That code is about 15m behind this machine's clock.\nDo.",
            ),
            (
                now + 3600,
                "That code is about 1h ahead of this machine's clock.\nDo.",
            ),
            (
                now + 7200,
                "That code does not match, nor would it within an hour of now: is it this account's?\nDo.",
            ),
        ] {
            assert_eq!(mismatch(&tokens, &code(phone), UnixTime(now), "Do."), said);
        }
    }
}
