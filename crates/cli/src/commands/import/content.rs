//! What another program's file says: entries, each with its place.

use clap::ValueEnum;
use pam_otp_core::label::LabelText;
use pam_otp_core::legacy::google::GoogleFile;
use pam_otp_core::legacy::oath::{Pins, UsersFile};
use pam_otp_core::migration::Export;
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, Token, TokenName};
use pam_otp_core::uri::{self, Key};
use pam_otp_core::user::UserName;
use pam_otp_core::verify::Rules;

use crate::error::Error;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `~/.google_authenticator`
    Google,
    /// The users file of `pam_oath`
    Oath,
    /// `otpauth://` and `otpauth-migration://`, one a line
    Uri,
}

impl Format {
    /// In words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Google => "a file of pam_google_authenticator's",
            Self::Oath => "a users file of pam_oath's",
            Self::Uri => "a list of otpauth URIs",
        }
    }

    /// What the content looks like. A secret in base32 could begin with any
    /// letters, but not go on with a slash; with a blank it hardly does.
    pub(super) fn guess(content: &[u8]) -> Self {
        let mut lines = content
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let begins = |with: &[u8]| {
            let head = first.get(..with.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(with))
        };
        if begins(b"otpauth") {
            Self::Uri
        } else if begins(b"#") || [&b"HOTP/"[..], b"HOTP ", b"HOTP\t"].iter().any(|b| begins(b)) {
            Self::Oath
        } else {
            Self::Google
        }
    }
}

/// One entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    /// Whose it is, where the file says so.
    pub(super) user: Option<UserName>,
    /// What can be imported, or why it cannot.
    pub(super) read: Result<Read, String>,
}

/// Where in the file it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Line, from 1.
    pub(super) line: usize,
    /// Its number in an app's export, from 1.
    pub(super) number: Option<usize>,
}

impl Place {
    fn line(line: usize) -> Self {
        Self { line, number: None }
    }

    /// In words.
    pub(super) fn describe(self) -> String {
        match self.number {
            None => format!("line {}", self.line),
            Some(number) => format!("line {}, entry {number}", self.line),
        }
    }
}

/// A token, and what is known of its codes.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) token: Token,
    /// The highest step that is spent.
    pub(super) spent: Option<u64>,
    /// How many steps its clock is ahead, as far as the policy lets it.
    pub(super) drift: i16,
}

/// All that a file says.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<String>,
}

impl Content {
    /// Reads a file's content.
    pub(super) fn read(
        text: &[u8],
        format: Format,
        pins: Pins,
        rules: Rules,
        now: UnixTime,
    ) -> Result<Self, Error> {
        let mut content = Self::default();
        match format {
            Format::Google => content.google(text, rules)?,
            Format::Oath => content.oath(text, pins, now),
            Format::Uri => content.uris(text),
        }
        Ok(content)
    }

    fn refuse(&mut self, place: Place, user: Option<UserName>, why: String) {
        self.entries.push(Entry {
            place,
            user,
            read: Err(why),
        });
    }

    /// With its label, as far as that can be kept.
    fn take_key(&mut self, place: Place, key: Key) {
        let Key {
            token,
            issuer,
            account,
        } = key;
        let lost = [
            ("issuer", issuer.is_some() && token.label.issuer.is_none()),
            ("account", !account.is_empty() && token.label.account.is_none()),
        ];
        for (part, _) in lost.into_iter().filter(|(_, lost)| *lost) {
            self.warnings.push(format!(
                "{}: the {part} is not kept: it has a colon or control characters, or more \
                 than {} bytes",
                place.describe(),
                LabelText::MAX
            ));
        }
        self.entries.push(Entry {
            place,
            user: None,
            read: Ok(Read {
                token,
                spent: None,
                drift: 0,
            }),
        });
    }

    fn google(&mut self, text: &[u8], rules: Rules) -> Result<(), Error> {
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let file = match GoogleFile::parse(text, TokenName::new("google")?) {
            Ok(file) => file,
            Err(fault) => {
                self.refuse(Place::line(fault.line), None, fault.what);
                return Ok(());
            }
        };
        self.warnings
            .extend(file.warnings.iter().map(ToString::to_string));
        if !file.scratch.is_empty() {
            self.warnings.push(format!(
                "the file's {} scratch codes are not taken over: they are too short for recovery codes",
                file.scratch.len()
            ));
        }
        let within = file.skew.unsigned_abs() <= rules.drift;
        if !within {
            self.warnings.push(format!(
                "TIME_SKEW: {} steps are more than the policy lets a clock be off; if its codes do \
                 not open, pam-otp resync follows it",
                file.skew
            ));
        }
        let (window, key, ours, steps) = match file.token.kind {
            // A policy's window counts on either side.
            Kind::Totp { .. } => (file.window.div_euclid(2), "window", rules.window, "steps"),
            Kind::Hotp { .. } => (file.window, "look_ahead", rules.look_ahead, "counter values"),
        };
        if window > ours {
            self.warnings.push(format!(
                "WINDOW_SIZE: the file allows codes that are up to {window} {steps} off, the policy \
                 up to {ours}; an administrator can allow them by `{key} = {window}` in the policy"
            ));
        }
        self.entries.push(Entry {
            place: Place::line(1),
            user: None,
            read: Ok(Read {
                token: file.token,
                spent: file.spent,
                drift: if within { file.skew } else { 0 },
            }),
        });
        Ok(())
    }

    fn oath(&mut self, text: &[u8], pins: Pins, now: UnixTime) {
        let file = match UsersFile::parse(text, pins) {
            Ok(file) => file,
            Err(fault) => return self.refuse(Place::line(fault.line), None, fault.what),
        };
        for entry in file.entries {
            let place = Place::line(entry.line);
            if entry.pin_dropped {
                let user = &entry.user;
                self.warnings.push(format!(
                    "{}: the PIN of {user} is asked for no more",
                    place.describe()
                ));
            }
            let spent = entry.spent(now);
            self.entries.push(Entry {
                place,
                user: Some(entry.user),
                read: Ok(Read {
                    token: entry.token,
                    spent,
                    drift: 0,
                }),
            });
        }
        for refused in file.refused {
            let place = Place::line(refused.fault.line);
            self.refuse(place, refused.user, refused.fault.what);
        }
        self.entries.sort_by_key(|entry| entry.place.line);
    }

    fn uris(&mut self, text: &[u8]) {
        for (text, line) in text.split(|byte| *byte == b'\n').zip(1..) {
            let place = Place::line(line);
            match std::str::from_utf8(text.trim_ascii()) {
                Ok("") => {}
                Ok(text) => self.uri(text, place),
                Err(_) => self.refuse(place, None, "not UTF-8 text".to_owned()),
            }
        }
    }

    fn uri(&mut self, text: &str, place: Place) {
        const EXPORT: &str = "otpauth-migration:";
        let head = text.get(..EXPORT.len());
        if !head.is_some_and(|head| head.eq_ignore_ascii_case(EXPORT)) {
            match uri::parse(text) {
                Ok(key) => self.take_key(place, key),
                Err(error) => self.refuse(place, None, error.to_string()),
            }
            return;
        }
        let export = match Export::parse(text) {
            Ok(export) => export,
            Err(error) => return self.refuse(place, None, error.to_string()),
        };
        if let Some(part) = export.part {
            self.warnings.push(format!("{}: {part}", place.describe()));
        }
        // The numbers that were not refused, in their order.
        let mut number = 0_usize;
        for key in export.keys {
            number = number.saturating_add(1);
            while export.refused.iter().any(|other| other.number == number) {
                number = number.saturating_add(1);
            }
            let number = Some(number);
            self.take_key(Place { number, ..place }, key);
        }
        for refused in export.refused {
            let number = Some(refused.number);
            let why = format!("{:?}: {}", refused.name, refused.error);
            self.refuse(Place { number, ..place }, None, why);
        }
        let entries = &mut self.entries;
        entries.sort_by_key(|entry| (entry.place.line, entry.place.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        for (content, format) in [
            (&b"JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n"[..], Format::Google),
            (b"", Format::Google),
            (b"HOTPHOTPHOTPHOTP\n\" TOTP_AUTH\n", Format::Google),
            (b"HOTP/T30 alice - 00\n", Format::Oath),
            (b"\n  HOTP\talice\t-\t00\n", Format::Oath),
            (b"# users\nHOTP alice - 00\n", Format::Oath),
            (b"otpauth://totp/a?secret=A\n", Format::Uri),
            (b"\nOTPAUTH-MIGRATION://offline?data=A\n", Format::Uri),
        ] {
            assert_eq!(Format::guess(content), format, "{content:?}");
        }
    }
}
