//! `pam-otp confirm`: makes effective what `enroll` began.

use pam_otp_core::answer::Answer;
use pam_otp_core::enrolment::{Confirmed, Pending};
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::state::State;
use pam_otp_core::store::{Record, StoreError};
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::TokenFile;
use pam_otp_core::verify::Refusal;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::mismatch::Mismatch;
use crate::plain::plain;
use crate::reply::{List, Reply};
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Asks for a code of the new token. Only a right one makes anything effective.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    // Nobody types a code in vain.
    begun(session, Session::now())?;
    confirm(session, &session.ask_code("Code: ")?)
}

/// Makes effective what was begun, if this is a code of it. What was begun is
/// read now: a later enrolment takes the place of an earlier one.
pub(super) fn confirm(session: &Session, answer: &Answer) -> Result<Reply, Error> {
    let now = Session::now();
    let pending = begun(session, now)?;
    let rules = session.policy.rules;
    let confirmed = pending
        .confirm(answer, rules, now)
        .map_err(|refusal| why(&pending, answer, refusal, now))?;
    let reply = match find_record(session)? {
        Some(record) => change(session, record, &pending, &confirmed, now)?,
        None => create(session, &pending, &confirmed, now)?,
    };
    Ok(reply)
}

/// The user's record. One that has lost its token file is none here: a new one
/// takes its place.
pub(super) fn find_record(session: &Session) -> Result<Option<Record>, Error> {
    match session.find_record() {
        Err(Error::Store(StoreError::NoToken(_))) => Ok(None),
        found => found,
    }
}

/// Forgets what was begun, unless somebody has begun something else since.
pub(super) fn forget(session: &Session, pending: &Pending) -> Result<(), Error> {
    let there = session.pending()?;
    if there.is_some_and(|there| there.token.id() == pending.token.id()) {
        session.store.forget_pending(&session.account)?;
    }
    Ok(())
}

fn begun(session: &Session, now: UnixTime) -> Result<Pending, Error> {
    let user = || session.user().to_owned();
    match session.pending()? {
        None => Err(Error::NoPending(user())),
        Some(pending) if pending.is_over(now) => Err(Error::PendingExpired(user())),
        Some(pending) => Ok(pending),
    }
}

/// Why a code does not confirm. The secret is the caller's own: it helps nobody
/// to know less.
fn why(pending: &Pending, answer: &Answer, refusal: Refusal, now: UnixTime) -> Error {
    match (refusal, answer) {
        (Refusal::Wrong | Refusal::OtherTime { .. }, Answer::Code(code)) => {
            Error::Mismatch(Mismatch::of(&pending.token, code, now))
        }
        (_, Answer::Recovery(_)) => Error::NoPhone,
        _ => Error::TokenRefused(refusal),
    }
}

/// The first token: two-factor login is on from now on.
fn create(
    session: &Session,
    pending: &Pending,
    confirmed: &Confirmed,
    now: UnixTime,
) -> Result<Reply, Error> {
    if let Some(name) = &pending.replaces {
        let missing = pam_otp_core::token::TokenError::Missing(name.to_string());
        return Err(Error::Tokens(missing));
    }
    let mut entropy = Zeroizing::new([0; RecoverySet::ENTROPY]);
    getrandom::fill(&mut *entropy)?;
    let (recovery, codes) = RecoverySet::generate(&entropy);
    let tokens = vec![confirmed.token().clone()];
    let tokens = TokenFile::new(tokens, Some(recovery)).map_err(Error::Tokens)?;
    // Whoever confirms here is no stranger at the first login.
    let source = session.source().id(&tokens);
    let state = confirmed.state(&State::default()).succeeded(source, now);
    session.store.enrol(&session.account, &tokens, &state)?;

    let mut reply = reply(pending);
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
    reply.unless_seen(move |session| {
        Ok(session.store.take_back(&session.account, &tokens).map(drop)?)
    });
    Ok(reply)
}

/// One more token, or another one in an old one's place. The recovery codes
/// stay.
fn change(
    session: &Session,
    mut record: Record,
    pending: &Pending,
    confirmed: &Confirmed,
    now: UnixTime,
) -> Result<Reply, Error> {
    if pending.first {
        // A record has come since, and nobody has proved to be its owner.
        return Err(StoreError::Enrolled(record.path().to_owned()).into());
    }
    record.change(now, |tokens, state| {
        let new = confirmed.token().id();
        if tokens.tokens().iter().any(|token| token.id() == new) {
            // Somebody else was faster, with the same code perhaps.
            return Err(Error::NoPending(session.user().to_owned()));
        }
        let tokens = confirmed.tokens(tokens).map_err(Error::Tokens)?;
        Ok((tokens, confirmed.state(state)))
    })?;
    // One that stays confirms nothing more.
    let _ = forget(session, pending);
    session.log_done();

    let mut reply = reply(pending);
    let name = plain(&pending.token.name);
    reply.line(&match &pending.replaces {
        Some(old) => format!(
            "Codes of \"{name}\" open logins from now on, those of the old \"{}\" no more.",
            plain(old)
        ),
        None => format!("Codes of \"{name}\" open logins too from now on."),
    });
    reply.line("The recovery codes are as they were.");
    reply.field("recovery_codes", None::<List>);
    Ok(reply)
}

fn reply(pending: &Pending) -> Reply {
    let mut reply = Reply::new();
    reply.field("token", pending.token.name.to_string());
    let replaces = pending.replaces.as_ref();
    reply.field("replaces", replaces.map(ToString::to_string));
    reply
}
