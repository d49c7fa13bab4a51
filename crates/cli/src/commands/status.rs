//! `pam-otp status`: how things stand.

use std::io::Write;
use std::time::{Duration, SystemTime};

use pam_otp_core::policy::StoreKind;
use pam_otp_core::store::Record;
use pam_otp_core::token::{Kind, Token};

use crate::clock::Clock;
use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::session::Session;

/// Prints `key: value` lines. Changes nothing, shows no secret, takes no code.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "user: {}", plain(session.user()))?;
    let Some(mut record) = session.find_record()? else {
        writeln!(stdout, "two-factor login: off")?;
        writeln!(stdout, "clock: {}", Clock::look())?;
        let store = match session.store.kind() {
            StoreKind::Home => "home",
            StoreKind::System => "system",
        };
        let path = session.record_path();
        writeln!(
            stdout,
            "no record: {} ({store} store)",
            plain(path.display())
        )?;
        return Ok(());
    };
    let state = record.state()?;
    writeln!(stdout, "two-factor login: on")?;
    writeln!(stdout, "record: {}", plain(record.path().display()))?;
    for token in record.tokens().tokens() {
        writeln!(stdout, "token: {}", describe(token))?;
    }
    let left = record.tokens().recovery_left(&state);
    writeln!(stdout, "recovery codes left: {left}")?;
    let history = state.history();
    writeln!(stdout, "last right code: {}", when(history.success))?;
    writeln!(stdout, "wrong codes since then: {}", history.failures)?;
    if history.failures > 0 {
        writeln!(stdout, "last wrong code: {}", when(history.failure))?;
    }
    writeln!(stdout, "clock: {}", Clock::look())?;
    drop(stdout);
    warn_of_short_secrets(&record);
    Ok(())
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
fn when(seconds: u64) -> String {
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
pub(super) fn warn_of_short_secrets(record: &Record) {
    for token in record
        .tokens()
        .tokens()
        .iter()
        .filter(|token| token.secret.is_short())
    {
        person::tell(&format!(
            "pam-otp: warning: the secret of \"{}\" has fewer than 16 bytes, less than RFC 4226 allows",
            plain(&token.name)
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
