use std::process::Command;

use super::*;
use crate::time::{Period, UnixTime};

/// The rows of a vector file: white space between fields, `#` for comments.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_whitespace().collect())
}

fn digits(count: u64) -> Digits {
    Digits::new(count).unwrap()
}

#[test]
fn every_vector_of_rfc_4226_holds() {
    let secret = Secret::new(b"12345678901234567890").unwrap();
    let generator = Generator::new(&secret, Algorithm::Sha1, digits(6));
    let mut seen = 0;
    for row in rows(include_str!("../../tests/vectors/rfc4226.txt")) {
        let counter: u64 = row[0].parse().unwrap();
        assert_eq!(
            generator
                .keyed
                .digest(&[&counter.to_be_bytes()], truncate)
                .to_string(),
            row[1]
        );
        assert_eq!(*generator.code(counter).to_text(), row[2]);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn every_vector_of_rfc_6238_holds() {
    let mut seen = 0;
    for row in rows(include_str!("../../tests/vectors/rfc6238.txt")) {
        let now = UnixTime(row[0].parse().unwrap());
        let algorithm = Algorithm::from_name(row[1]).unwrap();
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        let bytes: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
        let generator = Generator::new(&Secret::new(&bytes).unwrap(), algorithm, digits(8));
        let step = Period::DEFAULT.step_at(now);
        assert_eq!(
            *generator.code(step).to_text(),
            row[2],
            "time {} {}",
            row[0],
            row[1]
        );
        seen += 1;
    }
    assert_eq!(seen, 18);
}

#[test]
fn random_cases_agree_with_oathtool() {
    // A small generator with a fixed seed: a failure can be repeated.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..120 {
        let bytes: Vec<u8> = (0..10 + random() % 55)
            .map(|_| random().to_le_bytes()[0])
            .collect();
        let secret = Secret::new(&bytes).unwrap();
        let digits = digits(6 + random() % 3);
        let counter = random() >> (random() % 60);
        let hotp = Generator::new(&secret, Algorithm::Sha1, digits).code(counter);
        assert_eq!(
            *hotp.to_text(),
            oathtool(
                &secret,
                &[
                    "--hotp",
                    &format!("--counter={counter}"),
                    &format!("--digits={}", digits.count()),
                ]
            )
        );

        let algorithm = Algorithm::ALL[usize::try_from(random() % 3).unwrap()];
        let period = Period::new(10 + random() % 291).unwrap();
        let now = UnixTime(random() % 4_000_000_000);
        let totp = Generator::new(&secret, algorithm, digits).code(period.step_at(now));
        assert_eq!(
            *totp.to_text(),
            oathtool(
                &secret,
                &[
                    &format!("--totp={}", algorithm.name().to_lowercase()),
                    &format!("--time-step-size={}s", period.seconds()),
                    &format!("--now=@{}", now.0),
                    &format!("--digits={}", digits.count()),
                ]
            )
        );
    }
}

fn oathtool(secret: &Secret, options: &[&str]) -> String {
    let output = Command::new("oathtool")
        .args(options)
        .args(["--base32", &secret.to_base32()])
        .output()
        .expect("oathtool is installed (package oathtool)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_code_is_6_to_8_ascii_digits() {
    for text in ["000000", "1234567", "99999999"] {
        assert_eq!(*Code::parse(text).unwrap().to_text(), text);
    }
    for text in [
        "",
        "12345",
        "123456789",
        "12345a",
        "+12345",
        "-12345",
        " 12345",
        "１２３４５６",
    ] {
        assert!(Code::parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn codes_of_different_lengths_are_never_equal() {
    let six = Code::parse("001234").unwrap();
    let seven = Code::parse("0001234").unwrap();
    assert!(!bool::from(six.ct_eq(&seven)));
    assert!(bool::from(six.ct_eq(&Code::parse("001234").unwrap())));
}

#[test]
fn a_secret_has_10_to_64_bytes() {
    for length in [10, 16, 20, 64] {
        assert_eq!(
            Secret::new(&vec![7; length]).unwrap().as_bytes().len(),
            length
        );
    }
    for length in [0, 9, 65] {
        assert_eq!(
            Secret::new(&vec![7; length]).unwrap_err(),
            SecretError::Length(length)
        );
    }
    assert!(Secret::new(&[7; 15]).unwrap().is_short());
    assert!(!Secret::new(&[7; 16]).unwrap().is_short());
}

#[test]
fn a_secret_is_read_the_way_people_copy_it() {
    let plain = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
    for text in [
        "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
        "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====",
    ] {
        assert_eq!(
            Secret::from_base32(text).unwrap().as_bytes(),
            plain.as_bytes()
        );
    }
    assert_eq!(
        Secret::from_base32("GEZDGNBVGY3TQOJ1").unwrap_err(),
        SecretError::NotBase32
    );
    assert_eq!(*plain.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

#[test]
fn neither_a_secret_nor_a_code_is_shown_by_debug() {
    let secret = Secret::new(b"12345678901234567890").unwrap();
    let code = Code::parse("755224").unwrap();
    let shown = format!("{secret:?} {code:?}");
    assert!(
        !shown.contains("755224") && !shown.contains("49") && !shown.contains("123"),
        "{shown}"
    );
}

#[test]
fn a_key_is_shown_in_groups_of_four() {
    let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGE").unwrap();
    assert_eq!(*secret.to_groups(), "GEZD GNBV GY3T QOJQ GE");
}
