//! The policy file: read whole or refused by line; what is accepted means the
//! same each time, and the same as it would among the arguments.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pam_otp_core::policy::{Arguments, Policy, PolicyError, StoreKind, Unenrolled, Unwritable};

/// A file of this process, in memory where there is such a place.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| pam_otp_fuzz::directory("policy").join("policy.toml"));

fn read(text: &[u8], service: &str) -> Result<Policy, PolicyError> {
    std::fs::write(&*FILE, text).expect("write the policy");
    let argument = format!("policy={}", FILE.display());
    let arguments = Arguments::parse([argument.as_bytes()]).expect("one argument");
    Policy::for_login(&arguments, service)
}

fuzz_target!(|text: &[u8]| {
    match read(text, "sshd") {
        Ok(policy) => {
            check(&policy);
            assert_eq!(read(text, "sshd").expect("the same again"), policy);
            // An end of line that is the library's to read changes nothing.
            if text.len() < 64 * 1024 - 1 {
                let other = read(&[text, b"\r\n"].concat(), "sshd");
                assert_eq!(other.expect("the same to the other reader"), policy);
            }
            // A section of another service is checked too, but changes nothing.
            let elsewhere = read(text, "no-such-service-anywhere").expect("the same file");
            if !text.windows(7).any(|part| part == b"service") && !text.contains(&b'\\') {
                assert_eq!(elsewhere, policy);
            }
        }
        Err(PolicyError::Fault { fault, .. }) => {
            let lines = text.split(|byte| *byte == b'\n').count();
            assert!(
                (1..=lines).contains(&fault.line),
                "{fault} of {lines} lines"
            );
            for service in ["su", ""] {
                assert!(read(text, service).is_err(), "refused for one service only");
            }
        }
        Err(PolicyError::File { error, .. }) => assert!(text.len() > 64 * 1024, "{error}"),
        Err(error @ PolicyError::Argument(_)) => unreachable!("{error}"),
    }
});

/// Every value is within its range, and can be said by arguments.
fn check(policy: &Policy) {
    assert!(policy.rules.window <= 10);
    assert!((1..=100).contains(&policy.rules.look_ahead));
    assert!(policy.fail_delay <= Duration::from_mins(1));
    assert!(policy.system_store.is_absolute());
    let store = match policy.store {
        StoreKind::Home => "home",
        StoreKind::System => "system",
    };
    let unenrolled = match policy.unenrolled {
        Unenrolled::Deny => "deny",
        Unenrolled::Allow => "allow",
        Unenrolled::Enroll => "enroll",
    };
    let unwritable = match policy.unwritable {
        Unwritable::Deny => "deny",
        Unwritable::Volatile => "volatile",
    };
    let said = [
        format!("store={store}"),
        format!("system_store={}", policy.system_store.display()),
        format!("unenrolled={unenrolled}"),
        format!("window={}", policy.rules.window),
        format!("look_ahead={}", policy.rules.look_ahead),
        format!("drift={}", policy.rules.drift),
        format!("tries={}", policy.rules.throttle.tries),
        format!("wait={}", policy.rules.throttle.first_wait),
        format!("unwritable={unwritable}"),
        format!("prompt={}", policy.prompt.as_deref().unwrap_or_default()),
        format!("echo={}", policy.echo),
        format!("fail_delay={}", policy.fail_delay.as_millis()),
    ];
    let file = format!("policy={}", FILE.display());
    let text = std::fs::read(&*FILE).expect("the policy");
    // A text that says nothing: then the arguments alone count.
    std::fs::write(&*FILE, "").expect("empty the policy");
    let arguments = Arguments::parse(said.iter().chain([&file]).map(String::as_bytes));
    let arguments = arguments.expect("values that a file may have");
    let mut read = Policy::for_login(&arguments, "sshd").expect("a policy");
    // Lists and durations have tests of their own.
    read.exceptions = policy.exceptions.clone();
    read.rules.remember = policy.rules.remember;
    assert_eq!(read, *policy);
    std::fs::write(&*FILE, text).expect("restore the policy");
}
