//! The token file: whatever it holds, it is read whole or refused by line, and
//! no secret is ever shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_otp_core::token::{Token, TokenFile};

/// Stands where the input has [`MARK`]: a secret that must never be shown.
const CANARY: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const MARK: &str = "\"@\"";

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        let fault = TokenFile::parse(input).expect_err("not UTF-8");
        assert_eq!(fault.what, "not UTF-8 text");
        return;
    };
    let text = text.replace(MARK, &format!("\"{CANARY}\""));
    match TokenFile::parse(text.as_bytes()) {
        Ok(file) => {
            check(&file);
            // An end of line that is the library's to read changes nothing.
            let other = TokenFile::parse(format!("{text}\r\n").as_bytes());
            let other = other.expect("the same to the other reader");
            assert_eq!(*other.to_toml(), *file.to_toml());
        }
        Err(fault) => {
            let lines = text.split('\n').count();
            assert!(
                (1..=lines).contains(&fault.line),
                "{fault} of {lines} lines"
            );
            // A key and a name are shown; who writes the secret there shows it.
            let named = ["unknown key", "two tokens have the name"];
            let is_name = named.iter().any(|words| fault.what.contains(words));
            assert!(is_name || !fault.to_string().contains(CANARY), "{fault}");
        }
    }
});

/// What was read is what is written, and is read again.
fn check(file: &TokenFile) {
    let written = file.to_toml();
    let again = TokenFile::parse(written.as_bytes()).expect("what we wrote");
    assert_eq!(*again.to_toml(), *written);
    assert_eq!(again.recovery(), file.recovery());
    assert!((1..=16).contains(&file.tokens().len()));
    let told = |token: &Token| {
        let code = token.generator().code(1).to_text().to_string();
        (
            token.id(),
            token.label.clone(),
            token.kind,
            token.digits,
            token.name.clone(),
            code,
        )
    };
    let (one, other) = (
        file.tokens().iter().map(told),
        again.tokens().iter().map(told),
    );
    assert!(one.eq(other), "another token");
    let debug = format!("{file:?}");
    // A name and a label are shown; who writes the secret there shows it.
    let texts = file.tokens().iter().flat_map(|token| {
        let label = [&token.label.issuer, &token.label.account];
        let label = label
            .into_iter()
            .flatten()
            .map(|text| text.as_str().to_owned());
        label.chain([token.name.to_string()])
    });
    let texts: Vec<_> = texts.collect();
    for token in file.tokens() {
        let secret = token.secret.to_base32();
        let named = texts.iter().any(|text| text.contains(&**secret));
        assert!(named || !debug.contains(&**secret), "a secret in Debug");
    }
}
