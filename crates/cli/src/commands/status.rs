//! `pam-otp status`: how things stand.

use std::time::{Duration, SystemTime};

use pam_otp_core::policy::StoreKind;
use pam_otp_core::store::{Record, StoreError};
use pam_otp_core::state::State;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token, TokenFile};
use pam_otp_core::verify::Rules;

use crate::clock::Clock;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;
use crate::shown;

pub(crate) use super::NoOptions as Options;

/// Tells `key: value` lines. Changes nothing, shows no secret, takes no code.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let mut reply = Reply::new();
    reply.line(&format!("user: {}", plain(session.user())));
    let store = match session.store.kind() {
        StoreKind::Home => "home",
        StoreKind::System => "system",
    };
    match session.find_record() {
        Ok(None) => off(session, store, &mut reply),
        Ok(Some(record)) => on(session, record, store, &mut reply)?,
        // Nothing is there, as `list` says too; and nothing could be used there.
        Err(Error::Store(error))
            if session.store.kind() == StoreKind::Home
                && matches!(session.store.has_entry(&session.account), Ok(false)) =>
        {
            off(session, store, &mut reply);
            reply.warn(no_place(&error));
            reply.field("pending", None::<Object>);
            return Ok(reply);
        }
        Err(error) => return Err(error),
    }
    tell_pending(session, &mut reply);
    Ok(reply)
}

/// Of a user without a record, whose directory is no place for one.
pub(super) fn no_place(error: &StoreError) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    format!(
        "logins that need a code are refused as things are: {error}{}",
        hint.unwrap_or_default()
    )
}

fn off(session: &Session, store: &'static str, reply: &mut Reply) {
    let path = session.record_path().display().to_string();
    reply.line("two-factor login: off");
    tell_clock(reply);
    reply.line(&format!("no record: {} ({store} store)", plain(&path)));
    reply.field("enrolled", false);
    reply.field("store", store);
    reply.field("record", path);
}

fn on(
    session: &Session,
    mut record: Record,
    store: &'static str,
    reply: &mut Reply,
) -> Result<(), Error> {
    let state = record.state()?;
    let path = record.path().display().to_string();
    let tokens = record.tokens().tokens();
    reply.line("two-factor login: on");
    reply.line(&format!("record: {}", plain(&path)));
    for token in tokens {
        reply.line(&format!("token: {}", describe(token)));
    }
    let left = record.tokens().recovery_left(&state);
    let history = state.history();
    reply.line(&format!("recovery codes left: {left}"));
    reply.line(&format!("last right code: {}", when(history.success)));
    reply.line(&format!("wrong codes since then: {}", history.failures));
    if history.failures > 0 {
        reply.line(&format!("last wrong code: {}", when(history.failure)));
    }
    let rules = session.policy.rules;
    let throttled = throttled_until(rules, record.tokens(), &state, Session::now());
    if throttled > 0 {
        reply.line(&format!(
            "throttled until: {}; a recovery code opens at once",
            when(throttled)
        ));
    }
    tell_clock(reply);

    let ever = |seconds: u64| Some(seconds).filter(|seconds| *seconds > 0);
    reply.field("enrolled", true);
    reply.field("store", store);
    reply.field("record", path);
    reply.field(
        "tokens",
        tokens.iter().map(shown::token).collect::<List>(),
    );
    reply.field("recovery_codes_left", left);
    reply.field("last_right_code", ever(history.success));
    reply.field("wrong_codes_since", history.failures);
    reply.field("last_wrong_code", ever(history.failure));
    reply.field("throttled_until", ever(throttled));
    warn_of_short_secrets(&record, reply);
    for warning in record.foreign_warnings() {
        reply.warn(format!("{}: {warning}", record.path().display()));
    }
    Ok(())
}

/// Until when somebody who has guessed must wait, seconds since the epoch; 0 if
/// nobody must.
pub(super) fn throttled_until(
    rules: Rules,
    tokens: &TokenFile,
    state: &State,
    now: UnixTime,
) -> u64 {
    match rules.longest_wait(tokens, state, now) {
        0 => 0,
        wait => now.0.saturating_add(wait),
    }
}

/// What was begun and not confirmed. Logins do not look at it.
fn tell_pending(session: &Session, reply: &mut Reply) {
    let pending = match session.pending() {
        Ok(pending) => pending.filter(|pending| !pending.is_over(Session::now())),
        Err(error) => {
            reply.warn(error.to_string());
            None
        }
    };
    if let Some(pending) = &pending {
        reply.line(&format!(
            "begun: {}, to be confirmed until {}",
            describe(&pending.token),
            when(pending.expires.0)
        ));
        let user = session.for_user();
        reply.line(&format!(
            "next: pam-otp confirm{user} takes a code of it, pam-otp cancel{user} forgets it"
        ));
    }
    let pending = pending.map(|pending| {
        let mut object = shown::token(&pending.token);
        object.push("replaces", pending.replaces.map(|name| name.to_string()));
        object.push("expires", pending.expires.0);
        object
    });
    reply.field("pending", pending);
}

fn tell_clock(reply: &mut Reply) {
    let clock = Clock::look();
    reply.line(&format!("clock: {clock}"));
    let mut object = Object::new();
    object.push("synchronised", clock.synchronised());
    object.push("daemon", clock.daemon());
    object.push("time", Session::now().0);
    reply.field("clock", object);
}

pub(crate) fn describe(token: &Token) -> String {
    let moving = match token.kind {
        Kind::Totp { period } => format!("a new code every {} s", period.seconds()),
        Kind::Hotp { .. } => "a new code at each press".to_owned(),
    };
    let since = token.added.map(|added| format!(", since {}", day(added)));
    format!(
        "{} ({}, {}, {} digits, {moving}{})",
        plain(&token.name),
        token.kind.name(),
        token.algorithm.name(),
        token.digits.count(),
        since.unwrap_or_default()
    )
}

/// The day, in UTC, as people read it.
pub(crate) fn day(time: UnixTime) -> String {
    let when = when(time.0);
    when.split_once('T').map_or(when.clone(), |(day, _)| day.to_owned())
}

/// Seconds since the epoch, as people read time; 0 is never.
pub(crate) fn when(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    match time {
        // Year 9999 is as far as the format goes.
        Some(time) if (1..=253_402_300_799).contains(&seconds) => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ if seconds == 0 => "never".to_owned(),
        _ => format!("{seconds} s after 1970, so the clock was wrong"),
    }
}

/// Secrets that were made elsewhere, and are shorter than RFC 4226 allows.
pub(super) fn warn_of_short_secrets(record: &Record, reply: &mut Reply) {
    let tokens = record.tokens().tokens().iter();
    for token in tokens.filter(|token| token.secret.is_short()) {
        reply.warn(format!(
            "the secret of \"{}\" has fewer than 16 bytes, less than RFC 4226 allows",
            token.name
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_read_them() {
        assert_eq!(when(0), "never");
        assert_eq!(when(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(
            when(u64::MAX),
            "18446744073709551615 s after 1970, so the clock was wrong"
        );
        assert_eq!(day(UnixTime(1_700_000_000)), "2023-11-14");
    }
}
