//! Google Authenticator's export: any text, and any message behind right
//! base64. Every entry is a token or is refused; no secret is shown.
//!
//! An input that begins with `m` is a message; any other is a text.

#![no_main]

use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::fuzz_target;
use pam_otp_core::migration::Export;
use pam_otp_core::token::TokenFile;
use pam_otp_core::uri::{self, otpauth};

/// In a message, stands where the input has [`MARK`]: a secret of the same
/// length that must never be shown.
const CANARY: &[u8] = b"canary-canary-canary";
const MARK: &[u8] = b"@@@@@@@@@@@@@@@@@@@@";

fuzz_target!(|input: &[u8]| match input.split_first() {
    Some((b'm', message)) => {
        let mut message = message.to_vec();
        if let Some(place) = message.windows(20).position(|part| part == MARK) {
            message[place..place + 20].copy_from_slice(CANARY);
        }
        let data = BASE64URL_NOPAD.encode(&message);
        let text = format!("otpauth-migration://offline?data={data}");
        read(&text);
    }
    _ => read(&String::from_utf8_lossy(input)),
});

fn read(text: &str) {
    let export = match Export::parse(text) {
        Ok(export) => export,
        Err(_) => return,
    };
    let count = export.keys.len() + export.refused.len();
    assert!(count > 0, "an empty export");
    let mut last = 0;
    for refused in &export.refused {
        assert!(last < refused.number && refused.number <= count);
        last = refused.number;
        let shown = refused.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        let named = refused.name.contains("canary");
        assert!(named || !shown.contains("canary"), "{shown}");
    }
    if let Some(part) = export.part {
        assert!(part.of > 1 && part.number > 0);
    }
    for key in &export.keys {
        let issuer = key.issuer.as_deref().unwrap_or_default();
        let written = otpauth(&key.token, issuer, &key.account);
        if written.len() <= uri::MAX_URI {
            let again = uri::parse(&written).expect("what we wrote");
            assert_eq!(again.token.id(), key.token.id());
            assert_eq!(again.token.kind, key.token.kind);
        }
    }
    let tokens: Vec<_> = export.keys.iter().map(|key| key.token.clone()).collect();
    if (1..=16).contains(&tokens.len()) {
        let kept = TokenFile::new(tokens, None).expect("names that differ");
        TokenFile::parse(kept.to_toml().as_bytes()).expect("what we wrote");
    }
}
