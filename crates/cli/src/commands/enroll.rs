//! `pam-otp enroll`: switches two-factor login on.

use std::io::Write;

use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::state::State;
use pam_otp_core::store::StoreError;
use pam_otp_core::time::Period;
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::verify::{Kept, Verdict, verify};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::qr;
use crate::session::Session;

/// Tries that a person has to type the first code.
const TRIES: usize = 3;

/// Makes a secret, shows it, and asks for a code of it. Only a right code makes
/// anything effective; then the recovery codes are shown, once.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    match session.find_record() {
        Ok(None) | Err(Error::Store(StoreError::NoToken(_))) => {}
        Ok(Some(record)) => return Err(StoreError::Enrolled(record.path().to_owned()).into()),
        Err(error) => return Err(error),
    }
    let token = new_token()?;
    let mut entropy = Zeroizing::new([0; RecoverySet::ENTROPY]);
    getrandom::fill(&mut *entropy)?;
    let (recovery, codes) = RecoverySet::generate(&entropy);

    person::tell(&format!("Two-factor login for {}.", plain(session.user())));
    person::tell("Scan the QR code with an authenticator app, or type account and key into it.\n");
    qr::print_token(&token, session.user()).map_err(not_shown)?;

    let tokens = TokenFile::new(vec![token], Some(recovery))
        .map_err(|error| Error::Token(error.to_string()))?;
    person::tell("Then type the code that the app shows.");
    let state = confirm(session, &tokens)?;
    session.store.enrol(&session.account, &tokens, &state)?;

    if let Err(error) = show_recovery_codes(&codes) {
        // Nobody has seen them, so nobody has a way in without the phone.
        session.store.remove(&session.account)?;
        return Err(Error::NotShown(error));
    }
    session.log_done();
    writeln!(
        std::io::stdout().lock(),
        "Two-factor login is on for {}.",
        plain(session.user())
    )?;
    person::tell("Keep the recovery codes in a safe place; they are not shown again.");
    Ok(())
}

/// Whoever does not see key and QR code cannot go on.
fn not_shown(error: Error) -> Error {
    match error {
        Error::Io(error) => Error::NotShown(error),
        error => error,
    }
}

fn show_recovery_codes(codes: &[RecoveryCode]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "Recovery codes, each good for one login without the phone:"
    )?;
    for code in codes {
        writeln!(stdout, "{}", *code.to_text())?;
    }
    stdout.flush()
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
        let answer = person::ask_code("Code: ")?;
        let rules = session.policy.rules;
        let mut spent = State::default();
        let decision = verify(
            tokens,
            &State::default(),
            &answer,
            &session.source(),
            rules,
            Session::now(),
        );
        let verdict = decision.settle(|state, _| {
            spent = state;
            Ok::<_, Error>(Kept::OnDisk)
        })?;
        // A recovery code proves nothing about the phone.
        match (verdict, answer) {
            (Verdict::Accepted(_), pam_otp_core::answer::Answer::Code(_)) => return Ok(spent),
            _ if tries_left > 0 => person::tell("That code does not match. Try the next one."),
            _ => {}
        }
    }
    Err(Error::NotConfirmed)
}
