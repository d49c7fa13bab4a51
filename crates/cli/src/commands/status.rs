//! `pam-otp status`: how things stand.

use std::time::{Duration, SystemTime};

use pam_otp_core::policy::StoreKind;
use pam_otp_core::store::Record;
use pam_otp_core::token::{Kind, Token};

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
    match session.find_record()? {
        None => off(session, store, &mut reply),
        Some(record) => on(record, store, &mut reply)?,
    }
    tell_pending(session, &mut reply);
    Ok(reply)
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

fn on(mut record: Record, store: &'static str, reply: &mut Reply) -> Result<(), Error> {
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
    warn_of_short_secrets(&record, reply);
    Ok(())
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
    reply.field("clock", object);
}

fn describe(token: &Token) -> String {
    let moving = match token.kind {
        Kind::Totp { period } => format!("a new code every {} s", period.seconds()),
        Kind::Hotp { .. } => "a new code at each press".to_owned(),
    };
    format!(
        "{} ({}, {}, {} digits, {moving})",
        plain(&token.name),
        token.kind.name(),
        token.algorithm.name(),
        token.digits.count()
    )
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
    }
}
