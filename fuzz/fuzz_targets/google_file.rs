//! The file `~/.google_authenticator`: read whole or refused by line; a scratch
//! code is one that stands in the file; no secret is ever shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_otp_core::code::Code;
use pam_otp_core::legacy::ScratchCodes;
use pam_otp_core::legacy::google::{GoogleFile, Warning};
use pam_otp_core::token::{Kind, TokenFile, TokenName};

/// Stands where the input begins with `@`: a secret that must never be shown.
const CANARY: &[u8] = b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fuzz_target!(|input: &[u8]| {
    let text = match input.split_first() {
        Some((b'@', rest)) => [CANARY, rest].concat(),
        _ => input.to_vec(),
    };
    let lines = text.split(|byte| *byte == b'\n').count();
    let name = TokenName::new("phone").expect("a name");
    match GoogleFile::parse(&text, name) {
        Ok(file) => check(&file, &text, lines),
        Err(fault) => {
            assert!(
                (1..=lines).contains(&fault.line),
                "{fault} of {lines} lines"
            );
            hidden(&fault.to_string());
        }
    }
});

fn hidden(shown: &str) {
    let canary = std::str::from_utf8(CANARY).expect("ASCII");
    assert!(!shown.contains(canary), "{shown}");
}

fn check(file: &GoogleFile, text: &[u8], lines: usize) {
    hidden(&format!("{file:?}"));
    assert!((1..=100).contains(&file.window));
    if let Kind::Hotp { counter } = file.token.kind {
        assert!(counter > 0 && file.skew == 0 && file.spent.is_none());
    }
    // It can be kept, and is the same then.
    let kept = TokenFile::new(vec![file.token.clone()], None).expect("one token");
    let again = TokenFile::parse(kept.to_toml().as_bytes()).expect("what we wrote");
    assert_eq!(again.tokens()[0].id(), file.token.id());
    assert_eq!(again.tokens()[0].kind, file.token.kind);

    let mut found = 0;
    let mut ids = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(line.trim_ascii()).unwrap_or_default();
        let Some(code) = Code::parse(line).filter(|_| line.len() == 8) else {
            continue;
        };
        let Some(id) = file.scratch.find(&code) else {
            continue;
        };
        if !ids.contains(&id) {
            ids.push(id);
            found += 1;
        }
    }
    assert_eq!(
        found,
        file.scratch.len(),
        "a scratch code that stands nowhere"
    );
    assert!(file.scratch.len() <= ScratchCodes::MAX);
    assert!(file.scratch.ids().eq(ids));
    for warning in &file.warnings {
        let (Warning::UnknownOption { line, .. }
        | Warning::Repeated { line, .. }
        | Warning::NoScratchCode { line }
        | Warning::TooManyScratchCodes { line }) = warning;
        assert!((2..=lines).contains(line), "{warning} of {lines} lines");
        hidden(&warning.to_string());
    }
}
