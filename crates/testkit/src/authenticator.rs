//! The phone: codes by oathtool, which shares no code with pam-otp.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The hash function of RFC 6238.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1, the usual one.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// Seconds since the epoch, now.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs()
}

/// The code that an app shows at `time` (seconds since the epoch) by default:
/// SHA-1, 6 digits, 30 seconds.
#[must_use]
pub fn code(secret: &str, time: u64) -> String {
    totp(secret, time, Algorithm::Sha1, 6, 30)
}

/// RFC 6238: the code of a base32 secret at `time`, with a period in seconds.
#[must_use]
pub fn totp(secret: &str, time: u64, algorithm: Algorithm, digits: u32, period: u64) -> String {
    let algorithm = match algorithm {
        Algorithm::Sha1 => "--totp=sha1",
        Algorithm::Sha256 => "--totp=sha256",
        Algorithm::Sha512 => "--totp=sha512",
    };
    oathtool(
        secret,
        &[
            algorithm,
            "--base32",
            &format!("--digits={digits}"),
            &format!("--time-step-size={period}s"),
            &format!("--now=@{time}"),
            // The secret comes on standard input: arguments are public.
            "-",
        ],
    )
}

/// RFC 4226: the code of a base32 secret at a counter.
#[must_use]
pub fn hotp(secret: &str, counter: u64, digits: u32, algorithm: Algorithm) -> String {
    // oathtool --hotp knows SHA-1 only; a clock that ticks once a second is
    // a counter, for all three.
    totp(secret, counter, algorithm, digits, 1)
}

fn oathtool(secret: &str, arguments: &[&str]) -> String {
    let mut process = Command::new("oathtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start oathtool (package oathtool)");
    let mut input = process.stdin.take().expect("a pipe to oathtool");
    writeln!(input, "{secret}").expect("hand over the secret");
    drop(input);
    let output = process.wait_with_output().expect("run oathtool");
    assert!(
        output.status.success(),
        "oathtool {arguments:?}: {}",
        output.status
    );
    String::from_utf8(output.stdout)
        .expect("digits")
        .trim_end()
        .to_owned()
}
