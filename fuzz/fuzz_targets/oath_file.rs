//! The file `users.oath`: each line is a token or is refused; with and without
//! PINs it is the same but for these; no secret is ever shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_otp_core::legacy::oath::{Entry, Pins, UsersFile};
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::{Kind, TokenFile};

/// Stands where the input has `@`: a secret that must never be shown.
const CANARY: &str = "48656c6c6f21deadbeef48656c6c6f21deadbeef";

fuzz_target!(|input: &[u8]| {
    // A name that looks like the secret would be shown.
    let known = input.windows(8).any(|part| part == &CANARY.as_bytes()[..8]);
    let text: Vec<u8> = input
        .split(|byte| *byte == b'@')
        .collect::<Vec<_>>()
        .join(CANARY.as_bytes());
    let lines = text.split(|byte| *byte == b'\n').count();
    let strict = UsersFile::parse(&text, Pins::Refuse).expect("not too large");
    let lax = UsersFile::parse(&text, Pins::Drop).expect("not too large");
    let mut last = 0;
    for entry in &lax.entries {
        assert!(last < entry.line && entry.line <= lines);
        last = entry.line;
        check(entry);
        let kept = strict.entries.iter().any(|kept| kept.line == entry.line);
        assert_eq!(kept, !entry.pin_dropped, "line {}", entry.line);
    }
    assert_eq!(
        strict.entries.len() + strict.refused.len(),
        lax.entries.len() + lax.refused.len(),
        "a line is lost"
    );
    for refused in strict.refused.iter().chain(&lax.refused) {
        assert!((1..=lines).contains(&refused.fault.line));
        assert!(
            !refused.fault.to_string().contains(&CANARY[..8]),
            "{refused:?}"
        );
    }
    let debug = format!("{strict:?} {lax:?}");
    let named = lax.entries.iter().map(|entry| Some(&entry.user));
    let mut named = named.chain(lax.refused.iter().map(|refused| refused.user.as_ref()));
    let named = known || named.any(|user| user.is_some_and(|user| user.as_str().contains(CANARY)));
    assert!(named || !debug.contains(CANARY), "{debug}");
});

fn check(entry: &Entry) {
    let kept = TokenFile::new(vec![entry.token.clone()], None).expect("one token");
    let again = TokenFile::parse(kept.to_toml().as_bytes()).expect("what we wrote");
    assert_eq!(again.tokens()[0].id(), entry.token.id());
    assert_eq!(again.tokens()[0].kind, entry.token.kind);
    if entry.line > 2 {
        // Two hundred codes each: enough of them are looked at.
        return;
    }
    for now in [0, 1_700_000_000, u64::MAX] {
        match (entry.token.kind, entry.spent(UnixTime(now))) {
            (_, None) => {}
            (Kind::Totp { period }, Some(step)) => {
                assert!(step.abs_diff(period.step_at(UnixTime(now))) <= 100);
            }
            (Kind::Hotp { .. }, Some(_)) => panic!("a counter is no step"),
        }
    }
}
