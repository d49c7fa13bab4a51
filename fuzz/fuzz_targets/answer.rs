//! What people type: sorted by its form alone; never a code where there are no
//! digits, and never a byte of a password lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_otp_core::answer::{Answer, MAX_ANSWER};
use pam_otp_core::code::Digits;
use pam_otp_core::recovery::RecoveryCode;

fuzz_target!(|input: &[u8]| {
    let Some((lengths, reply)) = input.split_first() else {
        return;
    };
    parse(reply);
    split(reply, &digits(*lengths), lengths & 0x80 != 0);
});

/// Each of six, seven and eight, or not.
fn digits(bits: u8) -> Vec<Digits> {
    let all = [6_u8, 7, 8].into_iter();
    let chosen = all.filter(|digits| bits >> (digits - 6) & 1 == 1);
    chosen
        .map(|digits| Digits::new(digits.into()).expect("6 to 8"))
        .collect()
}

fn parse(reply: &[u8]) {
    let answer = Answer::parse(reply);
    let bare: Vec<u8> = reply
        .iter()
        .copied()
        .filter(|byte| !b" \t-".contains(byte))
        .collect();
    if reply.len() > MAX_ANSWER {
        assert!(matches!(answer, Answer::Malformed), "too long");
        return;
    }
    match &answer {
        Answer::Code(code) => {
            assert_eq!(code.to_text().as_bytes(), bare);
            assert!((6..=8).contains(&bare.len()) && bare.iter().all(u8::is_ascii_digit));
        }
        Answer::Recovery(code) => {
            assert!(bare.len() == 16 && bare.iter().all(u8::is_ascii_alphanumeric));
            let text = code.to_text();
            let again = RecoveryCode::parse(&text).expect("what we wrote");
            assert_eq!(*again.to_text(), *text);
        }
        Answer::Empty => assert!(bare.is_empty()),
        Answer::Malformed => assert!(!bare.is_empty()),
    }
    let digits = bare.iter().all(u8::is_ascii_digit) && (6..=8).contains(&bare.len());
    assert_eq!(
        matches!(answer, Answer::Code(_)),
        digits,
        "all that looks like one is one"
    );
    if matches!(answer, Answer::Code(_) | Answer::Recovery(_)) {
        let shown = format!("{answer:?}").into_bytes();
        assert!(
            !shown.windows(bare.len()).any(|part| part == bare),
            "a code in Debug"
        );
    }
}

fn split(field: &[u8], lengths: &[Digits], fits: bool) {
    let (password, answer) = Answer::split(field, lengths, |_| fits);
    assert!(field.starts_with(password));
    let tail = &field[password.len()..];
    match &answer {
        // A scratch code, by the hyphen in its middle.
        Answer::Code(code) if tail.get(4) == Some(&b'-') => {
            let digits = [&tail[..4], &tail[5..]].concat();
            assert_eq!(code.to_text().as_bytes(), digits);
        }
        Answer::Code(code) => {
            assert!(lengths.contains(&code.digits()));
            assert_eq!(code.to_text().as_bytes(), tail);
        }
        Answer::Recovery(code) => {
            assert_eq!(tail.len(), RecoveryCode::WRITTEN);
            let typed = std::str::from_utf8(tail).expect("it was read");
            let typed = RecoveryCode::parse(typed).expect("it was read");
            assert_eq!(*code.to_text(), *typed.to_text());
        }
        Answer::Empty => assert!(tail.is_empty() && field.len() <= MAX_ANSWER),
        Answer::Malformed => assert!(tail.is_empty() && field.len() > MAX_ANSWER),
    }
    if field.len() <= MAX_ANSWER && matches!(answer, Answer::Empty) {
        for length in lengths {
            let end = field
                .len()
                .checked_sub(length.count())
                .map(|start| &field[start..]);
            assert!(
                !end.is_some_and(|end| end.iter().all(u8::is_ascii_digit)),
                "a code unseen"
            );
        }
    }
}
