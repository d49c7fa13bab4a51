//! What other programs have, taken over.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pam_otp_testkit::authenticator::{self, Algorithm};
use pam_otp_testkit::temp::TempDir;
use serde_json::{Value, json};

mod common;

use common::World;

/// RFC 4226's secret: 20 bytes.
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HEX: &str = "3132333435363738393031323334353637383930";

fn code(steps: i64) -> String {
    let time = authenticator::now().checked_add_signed(30 * steps).unwrap();
    authenticator::totp(KEY, time, Algorithm::Sha1, 6, 30)
}

fn step() -> u64 {
    authenticator::now() / 30
}

fn me() -> String {
    let output = std::process::Command::new("id").arg("-un").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.trim().to_owned()
}

/// The answer to an import of which something was refused.
fn partly(world: &World, arguments: &[&str], input: &str) -> Value {
    let (answer, ok) = world.ask(arguments, input);
    assert!(!ok, "{answer}");
    assert_eq!(answer["error"]["code"], "entries_refused");
    answer
}

#[test]
fn a_google_file_is_taken_over_with_its_used_codes_and_gets_recovery_codes() {
    let (world, files) = (World::new(), TempDir::new());
    let file = files.path().join(".google_authenticator");
    let used = step();
    fs::write(
        &file,
        format!("{KEY}\n\" RATE_LIMIT 3 30\n\" DISALLOW_REUSE {used}\n\" TOTP_AUTH\n12345678\n"),
    )
    .unwrap();
    let answer = world.done(&["import", file.to_str().unwrap()], "");
    assert_eq!(answer["imported"], 1);
    assert_eq!(answer["entries"][0]["token"], "google");
    let warnings = answer["warnings"].to_string();
    assert!(
        warnings.contains("1 scratch codes are not taken over"),
        "{warnings}"
    );
    let time = |step: u64| authenticator::totp(KEY, step * 30, Algorithm::Sha1, 6, 30);
    world.refused(&["verify"], &time(used), "used_code");
    world.done(&["verify"], &time(used + 1));
    let recovery = answer["recovery_codes"][0].as_str().unwrap();
    world.done(&["verify"], recovery);
}

#[test]
fn a_skew_within_the_policy_is_followed_and_a_farther_one_is_told() {
    for (skew, warned) in [(2, false), (-2, false), (9, true)] {
        let world = World::new();
        let file = format!("{KEY}\n\" TIME_SKEW {skew}\n\" TOTP_AUTH\n");
        let answer = world.done(&["import", "-", "--from", "google"], &file);
        let said = answer["warnings"].to_string().contains("TIME_SKEW");
        assert_eq!(said, warned, "{answer}");
        if !warned {
            world.done(&["verify"], &code(skew));
        }
    }
}

#[test]
fn a_window_that_the_policy_does_not_have_is_told() {
    let world = World::new();
    let file = format!("{KEY}\n\" WINDOW_SIZE 17\n\" TOTP_AUTH\n");
    let answer = world.done(&["import", "-"], &file);
    let warnings = answer["warnings"].to_string();
    let told = "up to 8 steps off, the policy up to 1; an administrator can allow them by \
                `window = 8` in the policy";
    assert!(warnings.contains(told), "{warnings}");
}

#[test]
fn a_file_that_others_can_read_is_imported_with_a_warning() {
    let files = TempDir::new();
    let file = files.path().join("file");
    fs::write(&file, format!("{KEY}\n\" TOTP_AUTH\n")).unwrap();
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let path = file.to_str().unwrap();
        let answer = World::new().done(&["import", path], "");
        let warnings = answer["warnings"].as_array().unwrap();
        let told = format!("{path}: others can read it, and make its codes; chmod 0600 {path}");
        let is_told = |warning: &Value| warning.as_str().unwrap().starts_with(&told);
        assert_eq!(warnings.iter().any(is_told), warned, "{mode:o}: {answer}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_its_line_and_shows_no_value() {
    let world = World::new();
    let ran = world.run(
        &["import", "-"],
        &format!("{KEY}\n\" STEP_SIZE 7777\n\" TOTP_AUTH\n"),
    );
    assert!(!ran.success);
    assert!(ran.stdout.starts_with("line 2: refused: "), "{ran:?}");
    assert!(!ran.stdout.contains("7777") && !ran.stderr.contains(KEY));
    assert_eq!(
        ran.stderr,
        "pam-otp: error: 1 of 1 entries were not imported\n\
         pam-otp: hint: it was taken for a file of pam_google_authenticator's; if it is \
         something else, say so: --from google, oath or uri\n"
    );
    // Whoever has said what it is need not be told.
    let (answer, _) = world.ask(&["import", "-", "--from", "google"], "nonsense");
    assert_eq!(answer["error"]["hint"], Value::Null, "{answer}");
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
}

#[test]
fn a_users_file_makes_records_for_all_in_it_and_reports_each_line() {
    let (world, files) = (World::new(), TempDir::new());
    let file = files.path().join("users.oath");
    let used = code(0);
    fs::write(
        &file,
        format!(
            "# users\nHOTP/T30 alice@x - {HEX} 0 {used} 2026-11-22T00:00:00L\nHOTP/E/8 bob@x - {HEX} 4\n\
             HOTP eve@x 1234 {HEX}\nHOTP alice@x - zz\nHOTP/T60 alice@x - {HEX}\nNONSENSE\n"
        ),
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let answer = partly(&world, &["import", path], "");
    let outcomes: Vec<_> = answer["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["line"].as_u64(),
                entry["user"].clone(),
                entry["token"].clone(),
            )
        })
        .collect();
    let expected = [
        (Some(2), json!("alice@x"), json!("oath")),
        (Some(3), json!("bob@x"), json!("oath")),
        (Some(4), json!("eve@x"), Value::Null),
        (Some(5), json!("alice@x"), Value::Null),
        (Some(6), json!("alice@x"), json!("oath 2")),
        (Some(7), Value::Null, Value::Null),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(answer["recovery_codes"], Value::Null);
    assert!(
        answer["entries"][2]["reason"]
            .as_str()
            .unwrap()
            .contains("PIN")
    );
    world.refused(&["verify", "--user", "alice@x"], &used, "used_code");
    let next = code(1);
    world.done(&["verify", "--user", "alice@x"], &next);
    world.refused(&["verify", "--user", "eve@x"], "", "not_enrolled");
    // A second time nothing is overwritten.
    let again = partly(&world, &["import", path, "--drop-pins"], "");
    assert_eq!(
        (&again["imported"], &again["refused"]),
        (&json!(1), &json!(5))
    );
    let reason = again["entries"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("there is a record already"), "{reason}");
    assert!(again["warnings"].to_string().contains("the PIN of eve@x"));
    world.refused(&["verify", "--user", "alice@x"], &next, "used_code");
}

#[test]
fn of_a_users_file_one_user_is_taken_with_recovery_codes() {
    let world = World::new();
    let file = format!("HOTP/T30 alice@x - {HEX}\nHOTP bob@x - {HEX}\n");
    let import = ["import", "-", "--from", "oath", "--user", "alice@x"];
    let answer = world.done(&import, &file);
    assert_eq!(answer["imported"], 1);
    assert_eq!(answer["recovery_codes"].as_array().unwrap().len(), 10);
    assert!(!world.store().join("bob@x").exists());
    let import = ["import", "-", "--from", "oath", "--user", "eve@x"];
    world.refused(&import, &file, "nothing_to_import");
}

#[test]
fn uris_come_by_standard_input_alone() {
    let world = World::new();
    let uri = format!("otpauth://totp/Example:alice?secret={KEY}");
    let error = world.refused(&["import", &uri], "", "usage");
    assert!(!error.to_string().contains(KEY));
    let input = format!("{uri}\r\n\n{uri}&digits=9\nnonsense\n{uri}&period=60\n");
    let answer = partly(&world, &["import", "-", "--from", "uri"], &input);
    let tokens: Vec<_> = answer["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["line"].as_u64().unwrap(), entry["token"].clone()))
        .collect();
    assert_eq!(
        tokens,
        [
            (1, json!("Example alice")),
            (3, Value::Null),
            (4, Value::Null),
            (5, json!("Example alice 2"))
        ]
    );
    world.done(&["verify"], &code(0));
}

#[test]
fn an_imported_token_keeps_what_its_app_shows() {
    let world = World::new();
    let uri = |label: &str, rest: &str, period: u32| {
        format!("otpauth://totp/{label}?secret={KEY}{rest}&algorithm=SHA1&digits=6&period={period}")
    };
    let kept = uri(
        "Acme%20B%26C:alice%40example.org",
        "&issuer=Acme%20B%26C",
        30,
    );
    let partly_kept = uri("Acme:a%3Ab", "&issuer=Acme", 60);
    let input = format!("{kept}\n{partly_kept}\n");
    let answer = world.done(&["import", "-"], &input);
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(
        warnings,
        &[json!(
            "line 2: the account is not kept: it has a colon or control characters, or \
                 more than 128 bytes"
        )]
    );
    let proof = answer["recovery_codes"][0].as_str().unwrap();
    let exported = world.done(&["export"], proof);
    assert_eq!(exported["tokens"][0]["uri"], kept);
    let host_s = uri(&format!("Acme:{}", me()), "&issuer=Acme", 60);
    assert_eq!(exported["tokens"][1]["uri"], host_s);
}

#[test]
fn an_app_s_export_is_taken_over_and_its_unusable_entries_are_told() {
    let world = World::new();
    // Two entries: SHA-1, 6 digits, TOTP; and one with MD5.
    let good = [
        &[0x0a, 20][..],
        b"12345678901234567890",
        &[0x12, 1, b'a', 0x20, 1, 0x28, 1, 0x30, 2],
    ]
    .concat();
    let mut bad = good.clone();
    let place = bad.len() - 5;
    bad[place] = 4;
    let mut message = Vec::new();
    for entry in [&bad, &good] {
        message.extend([0x0a, u8::try_from(entry.len()).unwrap()]);
        message.extend(entry);
    }
    message.extend([0x18, 2, 0x20, 0]);
    let uri = format!("otpauth-migration://offline?data={}", base64(&message));
    let answer = partly(&world, &["import", "-"], &uri);
    let entries = &answer["entries"];
    assert_eq!(
        (&entries[0]["entry"], &entries[0]["imported"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(
        (&entries[1]["entry"], &entries[1]["token"]),
        (&json!(2), &json!("a"))
    );
    assert!(
        answer["warnings"][0]
            .as_str()
            .unwrap()
            .contains("2 QR codes")
    );
    world.done(&["verify"], &code(0));
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for block in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, place| {
            number << 8 | usize::from(block.get(place).copied().unwrap_or(0))
        });
        for place in 0..=block.len() {
            text.push(char::from(LETTERS[number >> (18 - 6 * place) & 63]));
        }
    }
    text
}

#[test]
fn a_record_is_never_overwritten_and_added_to_for_a_code_alone() {
    let world = World::new();
    let shown = world.enroll();
    let uri = format!("otpauth://totp/phone?secret={KEY}\n");
    let before = fs::read(world.record().join("token.toml")).unwrap();
    let answer = partly(&world, &["import", "-"], &uri);
    assert_eq!(answer["imported"], 0);
    world.refused(&["import", "-", "--add"], &uri, "malformed_code");
    let input = format!("{}\n{uri}", shown.code(0));
    world.refused(&["import", "-", "--add"], &input, "used_code");
    assert_eq!(fs::read(world.record().join("token.toml")).unwrap(), before);

    let input = format!("{}\n{uri}", shown.recovery[0]);
    let answer = world.done(&["import", "-", "--add"], &input);
    assert_eq!(answer["entries"][0]["token"], "phone 2");
    assert_eq!(answer["recovery_codes"], Value::Null);
    world.done(&["verify"], &shown.recovery[1]);
    world.done(&["verify"], &code(0));
    world.done(&["verify"], &shown.code(1));

    // Once more: it is there already, whatever it is called.
    let me = me();
    let answer = partly(&world, &["import", "-", "--add", "--user", &me], &uri);
    let reason = answer["entries"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "the record has this token, as \"phone 2\"");
}

#[test]
fn a_file_that_was_understood_is_not_said_to_be_something_else() {
    let world = World::new();
    let uri = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n";
    world.done(&["import", "-"], uri);
    let again = partly(&world, &["import", "-"], uri);
    let reason = "there is a record already; --add adds to it";
    assert_eq!(again["entries"][0]["reason"], reason);
    assert_eq!(again["error"]["hint"], Value::Null, "{again}");
}

#[test]
fn a_token_that_was_removed_finds_its_used_codes_used_when_it_comes_back() {
    let world = World::new();
    let shown = world.enroll();
    let uri = format!("otpauth://totp/tablet?secret={KEY}\n");
    let me = me();
    let add = ["import", "-", "--add", "--user", &me];
    world.done(&add, &uri);
    let code = code(0);
    world.done(&["verify"], &code);
    world.done(&["remove", "tablet"], &shown.recovery[0]);
    world.done(&add, &uri);
    world.refused(&["verify"], &code, "used_code");
}

#[test]
fn no_more_than_sixteen_tokens_are_taken() {
    let world = World::new();
    let mut input = String::new();
    for period in 11..=27 {
        writeln!(input, "otpauth://totp/a?secret={KEY}&period={period}").unwrap();
    }
    let answer = partly(&world, &["import", "-"], &input);
    assert_eq!(
        (&answer["imported"], &answer["refused"]),
        (&json!(16), &json!(1))
    );
}

#[test]
fn a_file_that_is_not_there_or_empty_is_told() {
    let (world, files) = (World::new(), TempDir::new());
    let file = files.path().join("file");
    let path = file.to_str().unwrap();
    let error = world.refused(&["import", path], "", "bad_file");
    assert_eq!(
        error["message"],
        format!("{path}: no such file or directory")
    );
    fs::write(&file, "\n").unwrap();
    world.refused(&["import", path], "", "nothing_to_import");
    world.refused(&["import", "-"], "", "nothing_to_import");
    world.refused(&["import", files.path().to_str().unwrap()], "", "bad_file");
}

#[test]
fn root_reads_no_file_by_a_link_that_a_user_has_laid() {
    let (world, files) = (World::new(), TempDir::new());
    if me() != "root" {
        return;
    }
    let secret = files.path().join("secret");
    fs::write(&secret, format!("{KEY}\n\" TOTP_AUTH\n")).unwrap();
    let laid = |name: &str, target: &Path| {
        let link = files.path().join(name);
        std::os::unix::fs::symlink(target, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(12345), Some(12345)).unwrap();
        link
    };
    let direct = laid("link", &secret);
    let around = laid("directory", files.path()).join("secret");
    for path in [&direct, &around] {
        let error = world.refused(&["import", path.to_str().unwrap()], "", "bad_file");
        assert!(
            error["message"].as_str().unwrap().contains("symbolic link"),
            "{error}"
        );
    }
    std::os::unix::fs::chown(&secret, Some(12345), None).unwrap();
    let path = secret.to_str().unwrap();
    let error = world.refused(&["import", path], "", "bad_file");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("belongs to user id 12345")
    );
}

#[test]
fn a_file_above_the_working_directory_is_read_by_root_too() {
    let (world, files) = (World::new(), TempDir::new());
    fs::create_dir_all(files.path().join("a/b")).unwrap();
    fs::write(files.path().join("file"), format!("{KEY}\n\" TOTP_AUTH\n")).unwrap();
    let mut import = world.command(&["import", ".././../file"]);
    let output = import.current_dir(files.path().join("a/b")).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_mark_of_byte_order_before_the_text_is_passed_over() {
    let files = TempDir::new();
    for (text, format) in [
        (format!("{KEY}\n\" TOTP_AUTH\n"), "google"),
        (format!("otpauth://totp/a?secret={KEY}\n"), "uri"),
    ] {
        let file = files.path().join(format);
        fs::write(&file, format!("\u{feff}{text}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        for arguments in [&[][..], &["--from", format]] {
            let world = World::new();
            let mut all = vec!["import", file.to_str().unwrap()];
            all.extend(arguments);
            let answer = world.done(&all, "");
            assert_eq!(answer["imported"], 1, "{answer}");
        }
    }
}

#[test]
fn a_secret_that_is_shorter_than_the_rfc_allows_is_taken_and_warned_of() {
    // 10 bytes, which old versions of google-authenticator made; 15; 16.
    for (secret, warned) in [
        ("JBSWY3DPEHPK3PXP", true),
        ("JBSWY3DPEHPK3PXPJBSWY3DP", true),
        ("JBSWY3DPEHPK3PXPJBSWY3DPEE", false),
    ] {
        let world = World::new();
        let answer = world.done(
            &["import", "-"],
            &format!("otpauth://totp/a?secret={secret}"),
        );
        let warnings = answer["warnings"].as_array().unwrap();
        let told = |it: &Value| {
            it.as_str()
                .unwrap()
                .starts_with("line 1: the secret has fewer than 16 bytes")
        };
        assert_eq!(warnings.iter().any(told), warned, "{answer}");
    }
}
