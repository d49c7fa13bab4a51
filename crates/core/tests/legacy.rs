//! Files and URIs of other programs. Each sample in `data/legacy` stands beside
//! what it says, so that a new case is a new file and no code.
//!
//! The codes and ids in what they say were computed by other programs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test that panics has failed"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pam_otp_core::code::{Algorithm, Code, Digits, Secret};
use pam_otp_core::legacy::google::GoogleFile;
use pam_otp_core::legacy::oath::{Pins, UsersFile};
use pam_otp_core::migration::Export;
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenFile, TokenName};
use pam_otp_core::uri::{self, Key, otpauth};
use proptest::prelude::*;
use proptest::sample::select;

/// When the samples of `users.oath` are looked at.
const NOW: UnixTime = UnixTime(1_700_000_000);

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/legacy")
        .join(name)
}

/// Every `NAME.file` is shown as `NAME.says` has it.
fn each_file_says(directory_name: &str, show: impl Fn(&str, &[u8]) -> String) {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(directory(directory_name)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "file") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let said = show(name, &std::fs::read(&path).unwrap());
        let expected = std::fs::read_to_string(path.with_extension("says")).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{name} says\n{said}and not\n{expected}"));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 5, "no samples");
}

/// The first line of every block is shown as the lines below it have it.
fn each_line_says(file: &str, show: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(directory(file)).unwrap();
    let mut seen = 0;
    for block in text.split("\n\n").filter(|block| !block.starts_with('#')) {
        let (line, expected) = block.trim().split_once('\n').unwrap();
        assert_eq!(show(line).trim(), expected, "{line}");
        seen += 1;
    }
    assert!(seen > 5, "no samples");
}

fn shown(token: &Token) -> String {
    let moves = match token.kind {
        Kind::Totp { period } => format!("period {}", period.seconds()),
        Kind::Hotp { counter } => format!("counter {counter}"),
    };
    format!(
        "{} {}, {moves}, {}, {} digits, code 1 {}",
        token.kind.name(),
        token.name,
        token.algorithm.name(),
        token.digits.count(),
        *token.generator().code(1).to_text(),
    )
}

/// What was read can be written as a token file, and is the same there.
fn lives_in_a_token_file(token: &Token) {
    let written = TokenFile::new(vec![token.clone()], None).unwrap().to_toml();
    let again = TokenFile::parse(written.as_bytes()).unwrap();
    assert_eq!(again.tokens()[0].id(), token.id());
    assert_eq!(again.tokens()[0].kind, token.kind);
}

#[test]
fn every_google_authenticator_file_says_what_stands_beside_it() {
    each_file_says("google", |_, text| {
        let file = match GoogleFile::parse(text, TokenName::new("phone").unwrap()) {
            Ok(file) => file,
            Err(fault) => return format!("{fault}\n"),
        };
        lives_in_a_token_file(&file.token);
        let mut said = shown(&file.token);
        let spent = file
            .spent
            .map_or("none".to_owned(), |step| step.to_string());
        let _ = writeln!(
            said,
            "\nwindow {}, skew {}, spent {spent}",
            file.window, file.skew
        );
        // Whatever looks like a scratch code, with the id that it has or has not.
        for line in text.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line).trim().to_owned();
            if let Some(code) = Code::parse(&line).filter(|_| line.len() == 8) {
                let id = file.scratch.find(&code);
                let id = id.map_or("no".to_owned(), |id| {
                    assert!(file.scratch.ids().any(|known| known == id));
                    id.0.iter().fold(String::new(), |mut hex, byte| {
                        let _ = write!(hex, "{byte:02x}");
                        hex
                    })
                });
                let _ = writeln!(said, "scratch {line} {id}");
            }
        }
        assert_eq!(file.scratch.ids().count(), file.scratch.len());
        assert_eq!(
            file.scratch.is_empty(),
            !said
                .lines()
                .any(|line| { line.starts_with("scratch ") && !line.ends_with(" no") })
        );
        for warning in &file.warnings {
            let _ = writeln!(said, "{warning}");
        }
        said
    });
}

#[test]
fn every_users_oath_file_says_what_stands_beside_it() {
    each_file_says("oath", |name, text| {
        let pins = if name.contains("drop") {
            Pins::Drop
        } else {
            Pins::Refuse
        };
        let file = UsersFile::parse(text, pins).unwrap();
        let mut said = String::new();
        for entry in &file.entries {
            lives_in_a_token_file(&entry.token);
            let spent = entry
                .spent(NOW)
                .map_or("none".to_owned(), |step| step.to_string());
            let _ = write!(
                said,
                "line {}: {}: {}",
                entry.line,
                entry.user,
                shown(&entry.token)
            );
            let pin = if entry.pin_dropped {
                ", without its PIN"
            } else {
                ""
            };
            let _ = writeln!(said, ", spent {spent}{pin}");
        }
        for refused in &file.refused {
            let user = refused.user.as_ref().map_or("nobody", |user| user.as_str());
            let _ = writeln!(said, "refused for {user}: {}", refused.fault);
        }
        said
    });
}

fn key_shown(key: &Key) -> String {
    lives_in_a_token_file(&key.token);
    let issuer = key.issuer.as_deref();
    let uri = otpauth(&key.token, issuer.unwrap_or_default(), &key.account);
    let again = uri::parse(&uri).unwrap();
    assert_eq!(again.token.id(), key.token.id());
    assert_eq!(
        (again.issuer.as_deref(), &again.account),
        (issuer, &key.account)
    );
    let issuer = key
        .issuer
        .as_deref()
        .map_or("nobody".to_owned(), |issuer| format!("{issuer:?}"));
    format!(
        "{}, issuer {issuer}, account {:?}\n",
        shown(&key.token),
        key.account
    )
}

#[test]
fn every_otpauth_uri_says_what_stands_below_it() {
    each_line_says("otpauth.txt", |line| match uri::parse(line) {
        Ok(key) => key_shown(&key),
        Err(error) => format!("{error}"),
    });
}

#[test]
fn every_export_says_what_stands_below_it() {
    each_line_says("migration.txt", |line| {
        let export = match Export::parse(line) {
            Ok(export) => export,
            Err(error) => return format!("{error}"),
        };
        let mut said: String = export.keys.iter().map(key_shown).collect();
        for refused in &export.refused {
            let _ = writeln!(said, "{refused}");
        }
        if let Some(part) = export.part {
            let _ = writeln!(said, "{part}");
        }
        said
    });
}

#[test]
fn what_is_too_long_is_refused() {
    let name = || TokenName::new("phone").unwrap();
    let mut file = b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n".to_vec();
    file.resize(64 * 1024, b'\n');
    assert!(GoogleFile::parse(&file, name()).is_ok());
    file.push(b'\n');
    assert!(GoogleFile::parse(&file, name()).is_err());
    let file = vec![b'\n'; 4 * 1024 * 1024 + 1];
    assert!(UsersFile::parse(&file[1..], Pins::Refuse).is_ok());
    assert!(UsersFile::parse(&file, Pins::Refuse).is_err());
    let uri = format!(
        "otpauth://totp/{}?secret=JBSWY3DPEHPK3PXP",
        "a".repeat(4096)
    );
    assert_eq!(uri::parse(&uri).unwrap_err(), uri::UriError::TooLong);
    let uri = format!("otpauth-migration://offline?data={}", "a".repeat(8192));
    assert_eq!(
        Export::parse(&uri).unwrap_err(),
        pam_otp_core::migration::MigrationError::TooLong
    );
}

#[test]
fn a_scratch_code_has_another_id_with_another_secret() {
    let ids = ["JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PXQ"].map(|secret| {
        let text = format!("{secret}\n\" TOTP_AUTH\n12345678\n");
        let file = GoogleFile::parse(text.as_bytes(), TokenName::new("phone").unwrap()).unwrap();
        assert!(
            file.scratch
                .find(&Code::parse("12345679").unwrap())
                .is_none()
        );
        assert!(file.scratch.find(&Code::parse("123456").unwrap()).is_none());
        file.scratch
            .find(&Code::parse("12345678").unwrap())
            .unwrap()
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn nothing_that_was_read_shows_a_secret() {
    const BASE32: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let hidden = [
        BASE32,
        "12345678",
        "48656c6c6f21deadbeef48656c6c6f21deadbeef",
        "755224",
    ];
    let google = format!("{BASE32}\n\" TOTP_AUTH\n12345678\n");
    let oath = "HOTP alice 4711 48656c6c6f21deadbeef48656c6c6f21deadbeef 0 755224\n";
    let uri = format!("otpauth://totp/a?secret={BASE32}");
    let shown = [
        format!(
            "{:?}",
            GoogleFile::parse(google.as_bytes(), TokenName::new("p").unwrap())
        ),
        format!("{:?}", UsersFile::parse(oath.as_bytes(), Pins::Drop)),
        format!("{:?}", UsersFile::parse(oath.as_bytes(), Pins::Refuse)),
        format!("{:?}", uri::parse(&uri)),
    ];
    for shown in shown {
        assert!(
            hidden.iter().all(|hidden| !shown.contains(hidden)),
            "{shown}"
        );
        assert!(!shown.contains("4711"), "{shown}");
    }
}

fn token() -> impl Strategy<Value = Token> {
    let kind = prop_oneof![
        (10..=300_u64).prop_map(|seconds| Kind::Totp {
            period: Period::new(seconds).unwrap()
        }),
        prop_oneof![0..9_u64, 0..=i64::MAX as u64].prop_map(|counter| Kind::Hotp { counter }),
    ];
    let secret = proptest::collection::vec(any::<u8>(), 10..=64);
    (kind, secret, select(&Algorithm::ALL[..]), 6..=8_u64).prop_map(
        |(kind, secret, algorithm, digits)| Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind,
            secret: Secret::new(&secret).unwrap(),
            algorithm,
            digits: Digits::new(digits).unwrap(),
            added: None,
        },
    )
}

/// No file of past failures: it is found by asking for the working directory.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_uri_that_we_write_is_read_as_it_was(
        token in token(),
        issuer in any::<String>(),
        account in any::<String>(),
    ) {
        // A blank after the colon is no part of the account, says the format.
        let account = account.trim_start_matches(' ').to_owned();
        let uri = otpauth(&token, &issuer, &account);
        prop_assume!(uri.len() <= uri::MAX_URI);
        let key = uri::parse(&uri).unwrap();
        prop_assert_eq!(key.token.id(), token.id());
        prop_assert_eq!(key.token.kind, token.kind);
        prop_assert_eq!(key.issuer.unwrap_or_default(), issuer);
        prop_assert_eq!(key.account, account);
    }

    #[test]
    fn whatever_the_text_nothing_panics(text in ".{0,200}", bytes: Vec<u8>) {
        let name = || TokenName::new("phone").unwrap();
        let _ = GoogleFile::parse(&bytes, name());
        let _ = GoogleFile::parse(format!("JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n{text}").as_bytes(), name());
        let _ = UsersFile::parse(&bytes, Pins::Drop);
        let _ = UsersFile::parse(format!("HOTP {text}").as_bytes(), Pins::Drop);
        let _ = uri::parse(&text);
        let _ = uri::parse(&format!("otpauth://totp/{text}"));
        let _ = Export::parse(&format!("otpauth-migration://offline?data={text}"));
    }
}
