//! A line's arguments: each is known and in its range, or names itself in the
//! error; none grants what it does not say.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pam_otp_core::policy::arguments::{FLAGS, Field, OPTIONS};
use pam_otp_core::policy::keys::KEYS;
use pam_otp_core::policy::{Arguments, Policy, Unenrolled};

/// An empty policy file, so that the machine's own has no say.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let file: PathBuf = pam_otp_fuzz::directory("arguments").join("policy.toml");
    std::fs::write(&file, "").expect("write the policy");
    format!("policy={}", file.display())
});

fuzz_target!(|input: &[u8]| {
    // libpam ends an argument with NUL; seeds are easier to read with lines.
    let list: Vec<&[u8]> = input.split(|byte| matches!(byte, 0 | b'\n')).collect();
    let arguments = match Arguments::parse(list.iter().copied()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("a module argument") || said.starts_with("module argument"));
            return;
        }
    };
    for argument in &list {
        let text = std::str::from_utf8(argument).expect("it was accepted");
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let flag = FLAGS.iter().any(|flag| flag.0 == text);
        let option = OPTIONS.iter().any(|option| option.0 == name) && text.contains('=');
        let key = KEYS.iter().any(|key| key.name == name) && text.contains('=');
        assert!(flag || option || key, "accepted and unknown: {text:?}");
        assert!(!value.contains(char::is_control) || option, "{text:?}");
    }
    let says = |words: &[u8]| list.contains(&words);
    let fields = [
        (Field::Split, "split"),
        (Field::TryFirstPass, "try_first_pass"),
        (Field::UseFirstPass, "use_first_pass"),
    ];
    for (field, word) in fields {
        assert_eq!(arguments.field == field, says(word.as_bytes()), "{word}");
    }
    assert_eq!(arguments.forward_pass, says(b"forward_pass"));

    // The empty policy file overrules the one that the input names.
    let all: Vec<&[u8]> = list.iter().copied().chain([POLICY.as_bytes()]).collect();
    let arguments = Arguments::parse(all.iter().copied()).expect("one argument more");
    let policy = Policy::for_login(&arguments, "sshd").expect("an empty policy");
    assert!(policy.rules.window <= 10 && (1..=100).contains(&policy.rules.look_ahead));
    assert!(policy.system_store.is_absolute());
    if policy.unenrolled == Unenrolled::Allow {
        assert!(says(b"nullok") || says(b"unenrolled=allow"));
    }
    if policy.echo {
        let words: [&[u8]; 3] = [
            b"echo=true",
            b"echo_verification_code",
            b"echo-verification-code",
        ];
        assert!(words.iter().any(|word| says(word)));
    }
    // Said twice, it means the same.
    let twice: Vec<&[u8]> = all.iter().chain(&all).copied().collect();
    let twice = Arguments::parse(twice.iter().copied()).expect("the same arguments");
    assert_eq!(
        Policy::for_login(&twice, "sshd").expect("the same policy"),
        policy
    );
});
