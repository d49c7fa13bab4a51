//! otpauth URIs: what is read is what we would write, and no secret is shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_otp_core::uri::{self, otpauth};

/// Stands where the input has `secret=@`: a secret that must never be shown.
const CANARY: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let text = text.replace("secret=@", &format!("secret={CANARY}"));
    let key = match uri::parse(&text) {
        Ok(key) => key,
        Err(error) => {
            assert!(!error.to_string().contains(&CANARY[..8]), "{error}");
            return;
        }
    };
    let secret = key.token.secret.to_base32();
    let issuer = key.issuer.as_deref().unwrap_or_default();
    assert!(
        key.issuer.as_deref() != Some(""),
        "an issuer without a name"
    );
    // The name is the label without some of its characters.
    let name = key.token.name.to_string();
    let mut shown = [issuer, &key.account, &name].into_iter();
    let named = shown.any(|text| text.contains(&**secret));
    let debug = format!("{key:?}");
    assert!(named || !debug.contains(&**secret), "a secret in Debug");
    let written = otpauth(&key.token, issuer, &key.account);
    if written.len() > uri::MAX_URI {
        return;
    }
    let again = uri::parse(&written).expect("what we wrote");
    assert_eq!(again.token.id(), key.token.id());
    assert_eq!(again.token.kind, key.token.kind);
    assert_eq!(again.token.name, key.token.name);
    assert_eq!(&again.issuer, &key.issuer);
    assert_eq!(again.account, key.account);
});
