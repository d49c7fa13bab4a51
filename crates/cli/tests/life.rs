//! The life of a second factor, by the command alone.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]

use std::fs;
use std::io::{Read, Write};

mod common;

use common::World;

#[test]
fn two_factor_login_is_off_until_a_code_proves_the_phone() {
    let world = World::new();
    assert!(
        world
            .run(&["status"], "")
            .stdout
            .contains("two-factor login: off\n")
    );
    let (mut child, mut stdout, _) = world.start_enrolment();
    assert!(
        world
            .run(&["status"], "")
            .stdout
            .contains("two-factor login: off\n")
    );
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"000000\n000000\n000000\n")
        .unwrap();
    stdout.read_to_end(&mut Vec::new()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("pam-otp: error: the codes do not match; nothing was changed\n"),
        "{said}"
    );
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
}

#[test]
fn a_wrong_code_may_be_followed_by_a_right_one() {
    let world = World::new();
    let (mut child, mut stdout, mut shown) = world.start_enrolment();
    shown.time = pam_otp_testkit::authenticator::now();
    let input = format!("nonsense\n{}\n", shown.code(0));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    stdout.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(
        world
            .run(&["status"], "")
            .stdout
            .contains("two-factor login: on\n")
    );
}

#[test]
fn an_enrolment_that_is_given_up_changes_nothing() {
    let world = World::new();
    let ran = world.run(&["enroll"], "");
    assert!(!ran.success);
    assert!(
        ran.stderr
            .contains("pam-otp: error: no code was given; nothing was changed\n")
    );
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
}

#[test]
fn enrolling_shows_ten_recovery_codes_once() {
    let world = World::new();
    let shown = world.enroll();
    assert_eq!(shown.recovery.len(), 10);
    let status = world.run(&["status"], "").stdout;
    assert!(status.contains("recovery codes left: 10\n"), "{status}");
    let record = fs::read_to_string(world.record().join("token.toml")).unwrap();
    for code in &shown.recovery {
        for said in [&status, &record, &world.run(&["status"], "").stderr] {
            assert!(!said.contains(code.as_str()) && !said.contains(&code.replace('-', "")));
        }
    }
}

#[test]
fn the_code_that_confirmed_is_used_up_and_the_next_one_opens_once() {
    let world = World::new();
    let shown = world.enroll();
    let ran = world.run(&["verify"], &shown.code(0));
    assert!(!ran.success);
    assert!(ran.stderr.contains(
        "pam-otp: error: the code was used before\npam-otp: hint: each code opens once: take the next one\n"
    ));
    let ran = world.run(&["verify"], &shown.code(1));
    assert!(ran.success, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "Right code of \"phone\". It is used up now, as by a login.\n"
    );
    assert!(!world.run(&["verify"], &shown.code(1)).success);
}

#[test]
fn each_recovery_code_opens_once() {
    let world = World::new();
    let shown = world.enroll();
    for (place, code) in shown.recovery.iter().enumerate() {
        let ran = world.run(&["verify"], &code.to_uppercase());
        let left = 9 - place;
        assert_eq!(
            ran.stdout,
            format!("Right recovery code. It is used up now, {left} left.\n")
        );
        assert!(!world.run(&["verify"], code).success);
    }
}

#[test]
fn if_the_recovery_codes_cannot_be_shown_two_factor_login_stays_off() {
    let world = World::new();
    let (mut child, stdout, mut shown) = world.start_enrolment();
    shown.time = pam_otp_testkit::authenticator::now();
    drop(stdout);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(shown.code(0).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(
        "pam-otp: error: two-factor login stays off, for this cannot be shown: standard output: Broken pipe"
    ));
    assert!(
        world
            .run(&["status"], "")
            .stdout
            .contains("two-factor login: off\n")
    );
}

#[test]
fn enrolling_again_is_refused_and_the_first_phone_still_works() {
    let world = World::new();
    let shown = world.enroll();
    let ran = world.run(&["enroll"], "");
    assert!(!ran.success && ran.stdout.is_empty());
    assert!(
        ran.stderr
            .contains("there is a record already\npam-otp: hint: pam-otp show"),
        "{}",
        ran.stderr
    );
    assert!(world.run(&["verify"], &shown.code(1)).success);
}

#[test]
fn show_asks_for_a_code_first_and_then_shows_the_same_key() {
    let world = World::new();
    let shown = world.enroll();
    let ran = world.run(&["show"], "000000\n");
    assert!(!ran.success && ran.stdout.is_empty(), "{ran:?}");
    let ran = world.run(&["show"], &shown.recovery[0]);
    assert!(ran.success && ran.stdout.contains(&shown.uri), "{ran:?}");
    for line in &shown.picture {
        assert!(ran.stdout.contains(line.as_str()));
    }
}

#[test]
fn disable_takes_a_code_or_a_recovery_code_and_nothing_less() {
    let world = World::new();
    for recovery in [false, true] {
        let shown = world.enroll();
        for wrong in ["", "\n", "000000\n", &shown.code(0)] {
            assert!(!world.run(&["disable"], wrong).success, "{wrong:?}");
            assert!(
                world
                    .run(&["status"], "")
                    .stdout
                    .contains("two-factor login: on\n")
            );
        }
        let answer = if recovery {
            shown.recovery[9].clone()
        } else {
            shown.code(1)
        };
        let ran = world.run(&["disable"], &answer);
        assert!(
            ran.success && ran.stdout.starts_with("Two-factor login is off for "),
            "{ran:?}"
        );
        assert_eq!(
            fs::read_dir(world.store()).unwrap().count(),
            0,
            "nothing left behind"
        );
    }
}

#[test]
fn without_a_record_every_command_says_how_to_get_one() {
    let world = World::new();
    for command in ["verify", "show", "disable"] {
        let ran = world.run(&[command], "123456\n");
        assert!(!ran.success && ran.stdout.is_empty());
        assert!(
            ran.stderr
                .contains("pam-otp: error: two-factor login is not on for ")
        );
        assert!(
            ran.stderr
                .ends_with("pam-otp: hint: pam-otp enroll switches it on\n")
        );
    }
}

#[test]
fn a_broken_record_is_named_by_path_and_what_to_do() {
    let world = World::new();
    let shown = world.enroll();
    fs::write(world.record().join("state"), [0; 8192]).unwrap();
    for command in ["status", "verify", "disable"] {
        let ran = world.run(&[command], &shown.code(1));
        assert!(!ran.success);
        let path = world.record().join("state");
        let expected = format!(
            "pam-otp: error: {}: neither of its two slots is valid\npam-otp: hint: restore it",
            path.display()
        );
        assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
    }
}

#[test]
fn a_short_secret_made_elsewhere_works_and_is_warned_of() {
    let world = World::new();
    world.enroll();
    let path = world.record().join("token.toml");
    let text =
        "version = 1\n[[token]]\nname = \"old\"\ntype = \"hotp\"\nsecret = \"GEZDGNBVGY3TQOJQ\"\n";
    fs::write(path, text).unwrap();
    let code = pam_otp_testkit::authenticator::hotp(
        "GEZDGNBVGY3TQOJQ",
        0,
        6,
        pam_otp_testkit::authenticator::Algorithm::Sha1,
    );
    assert!(world.run(&["verify"], &code).success);
    let ran = world.run(&["status"], "");
    assert!(
        ran.stderr
            .contains("pam-otp: warning: the secret of \"old\" has fewer than 16 bytes"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_real_decoder_reads_the_qr_code_and_finds_the_uri() {
    let world = World::new();
    let shown = world.enroll();
    assert!(shown.uri.starts_with("otpauth://totp/") && shown.uri.contains(&shown.key));
    // Each character is two modules, one above the other; a module that is
    // drawn is light, as on a dark terminal.
    let mut rows = Vec::new();
    for line in &shown.picture {
        let upper = line
            .chars()
            .map(|c| matches!(c, '█' | '▀'))
            .collect::<Vec<_>>();
        let lower = line
            .chars()
            .map(|c| matches!(c, '█' | '▄'))
            .collect::<Vec<_>>();
        rows.extend([upper, lower]);
    }
    // Four pixels a module, as a camera would see more than one.
    let scale = 4;
    let (width, height) = (rows[0].len() * scale, rows.len() * scale);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        if rows[y / scale][x / scale] { 255 } else { 0 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    assert_eq!(grids[0].decode().unwrap().1, shown.uri);
}
