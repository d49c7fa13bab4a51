//! Enrolling in two steps, and second devices.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test or a helper that fails here fails as it should"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use pam_otp_testkit::authenticator::{self, Algorithm};
use serde_json::{Value, json};

mod common;

use common::World;

/// The code that the phone shows so many seconds after the enrolment was begun:
/// the same code each time, also when a new one is shown meanwhile.
fn code(begun: &Value, ahead: i64) -> String {
    let token = &begun["token"];
    let text = |field: &str| token[field].as_str().unwrap().to_owned();
    let algorithm = match text("algorithm").as_str() {
        "SHA1" => Algorithm::Sha1,
        "SHA256" => Algorithm::Sha256,
        _ => Algorithm::Sha512,
    };
    let digits = u32::try_from(token["digits"].as_u64().unwrap()).unwrap();
    let begun = begun["expires"].as_u64().unwrap() - 30 * 60;
    let time = begun.checked_add_signed(ahead).unwrap();
    match token["period"].as_u64() {
        Some(period) => authenticator::totp(&text("key"), time, algorithm, digits, period),
        None => authenticator::hotp(&text("key"), 0, digits, algorithm),
    }
}

/// Begins and confirms.
fn enrol(world: &World) -> (Value, Value) {
    let begun = world.done(&["enroll"], "");
    let confirmed = world.done(&["confirm"], &code(&begun, 0));
    (begun, confirmed)
}

fn recovery(confirmed: &Value, place: usize) -> &str {
    confirmed["recovery_codes"][place].as_str().unwrap()
}

#[test]
fn what_was_begun_is_all_that_an_app_needs_and_switches_nothing_on() {
    let world = World::new();
    let begun = world.done(&["enroll"], "");
    let token = &begun["token"];
    let (key, uri) = (
        token["key"].as_str().unwrap(),
        token["uri"].as_str().unwrap(),
    );
    assert!(uri.starts_with("otpauth://totp/") && uri.contains(&format!("secret={key}&")));
    assert!(token["qr_svg"].as_str().unwrap().starts_with("<svg "));
    assert!(token["qr_text"].as_str().unwrap().lines().count() > 15);
    assert_eq!(begun["replaces"], Value::Null);
    let left = begun["expires"].as_u64().unwrap() - authenticator::now();
    assert!((1700..=1800).contains(&left), "{left}");

    let status = world.done(&["status"], "");
    assert_eq!(status["enrolled"], false);
    assert_eq!(status["pending"]["expires"], begun["expires"]);
    assert!(!status.to_string().contains(key));
    world.refused(&["verify"], &code(&begun, 0), "not_enrolled");
}

#[test]
fn confirming_spends_the_code_and_answers_with_recovery_codes_once() {
    let world = World::new();
    let (begun, confirmed) = enrol(&world);
    assert_eq!(confirmed["token"], "phone");
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);
    let status = world.done(&["status"], "");
    assert_eq!(
        (&status["enrolled"], &status["pending"]),
        (&json!(true), &Value::Null)
    );
    assert!(!status.to_string().contains(recovery(&confirmed, 0)));
    world.refused(&["verify"], &code(&begun, 0), "used_code");
    world.done(&["verify"], &code(&begun, 30));
    world.done(&["verify"], recovery(&confirmed, 0));
    world.refused(&["confirm"], &code(&begun, 30), "no_pending");
}

#[test]
fn a_code_that_does_not_match_is_told_with_the_difference_and_may_be_followed_by_another() {
    let world = World::new();
    let begun = world.done(&["enroll"], "");
    let error = world.refused(&["confirm"], &code(&begun, -600), "other_time");
    let off = error["clock_off_seconds"].as_i64().unwrap();
    assert!((-660..=-570).contains(&off), "{off}");
    assert!(error["hint"].as_str().unwrap().contains("clock"));
    let error = world.refused(&["confirm"], &code(&begun, 86_400), "wrong_code");
    assert!(error.get("clock_off_seconds").is_none());
    world.refused(&["confirm"], "", "no_code");
    world.refused(&["confirm"], "\n", "no_code");
    let error = world.refused(&["confirm"], "12", "malformed_code");
    assert_eq!(error["hint"], "a code that the app shows has 6 to 8 digits");
    world.refused(&["confirm"], "abcd-efgh-jkmn-pqrs", "not_a_token_code");
    assert_eq!(world.done(&["status"], "")["enrolled"], false);
    world.done(&["confirm"], &code(&begun, 0));
}

#[test]
fn nothing_begun_is_nothing_to_confirm_and_the_code_is_not_asked_for() {
    let world = World::new();
    let error = world.refused(&["confirm"], "", "no_pending");
    assert_eq!(error["hint"], "pam-otp enroll begins one");
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
}

#[test]
fn what_was_begun_is_over_after_its_time() {
    let world = World::new();
    let begun = world.done(&["enroll"], "");
    let path = world.record().join("pending.toml");
    let text = fs::read_to_string(&path).unwrap();
    let expires = begun["expires"].to_string();
    let past = (authenticator::now() - 1).to_string();
    fs::write(&path, text.replace(&expires, &past)).unwrap();
    world.refused(&["confirm"], &code(&begun, 0), "pending_expired");
    assert_eq!(world.done(&["status"], "")["pending"], Value::Null);
    // A new one takes its place.
    enrol(&world);
}

#[test]
fn a_broken_pending_file_keeps_nobody_from_beginning_anew() {
    let world = World::new();
    world.done(&["enroll"], "");
    let path = world.record().join("pending.toml");
    fs::write(&path, "nonsense").unwrap();
    let error = world.refused(&["confirm"], "123456", "bad_token_file");
    assert_eq!(error["path"], path.to_str().unwrap());
    assert_eq!(error["hint"], "pam-otp enroll begins anew");
    let status = world.done(&["status"], "");
    assert_eq!(status["enrolled"], false);
    assert_eq!(status["warnings"].as_array().unwrap().len(), 1);
    enrol(&world);
}

#[test]
fn of_two_enrolments_at_once_the_later_one_counts() {
    let world = World::new();
    let (first, second) = (world.done(&["enroll"], ""), world.done(&["enroll"], ""));
    assert_eq!(first["warnings"], json!([]));
    let warning = "an enrolment of \"phone\" was begun and not confirmed; this one takes its place";
    assert_eq!(second["warnings"], json!([warning]));
    world.refused(&["confirm"], &code(&first, 0), "wrong_code");
    world.done(&["confirm"], &code(&second, 0));
    world.refused(&["verify"], &code(&first, 30), "wrong_code");
    world.done(&["verify"], &code(&second, 30));
}

/// Begun without a proof, for there was no record to prove anything by.
#[test]
fn a_first_enrolment_does_not_become_a_second_device_of_a_record_that_came_since() {
    let world = World::new();
    let stranger = world.done(&["enroll", "--name", "tablet"], "");
    let file = world.record().join("pending.toml");
    let pending = fs::read(&file).unwrap();
    let owner = enrol(&world).0;
    fs::write(&file, pending).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    world.refused(&["confirm"], &code(&stranger, 0), "enrolled");
    world.refused(&["verify"], &code(&stranger, 30), "wrong_code");
    world.done(&["verify"], &code(&owner, 30));
}

#[test]
fn of_a_person_and_a_panel_that_enrol_at_once_the_later_one_counts() {
    use std::io::{Read as _, Write as _};
    let world = World::new();
    let (mut child, mut stdout, mut shown) = world.start_enrolment();
    let begun = world.done(&["enroll"], "");
    shown.time = authenticator::now();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", shown.code(0)).unwrap();
    drop(input);
    stdout.read_to_end(&mut Vec::new()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("That code does not match"), "{said}");
    assert!(
        said.contains("error: another enrolment was begun meanwhile"),
        "{said}"
    );
    // Given up, and yet the panel's is there still.
    world.done(&["confirm"], &code(&begun, 0));
}

#[test]
fn what_was_begun_can_be_cancelled_without_a_code_and_begun_anew() {
    let world = World::new();
    world.refused(&["cancel"], "", "no_pending");
    let begun = world.done(&["enroll"], "");
    let cancelled = world.done(&["cancel"], "");
    assert_eq!(cancelled["token"], "phone");
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
    world.refused(&["confirm"], &code(&begun, 0), "no_pending");
    let error = world.refused(&["cancel"], "", "no_pending");
    assert_eq!(error["hint"], Value::Null);

    // What is on stays on.
    let (phone, confirmed) = enrol(&world);
    let add = ["enroll", "--name", "tablet"];
    let tablet = world.done(&add, recovery(&confirmed, 0));
    assert_eq!(world.done(&["cancel"], "")["token"], "tablet");
    world.refused(&["confirm"], &code(&tablet, 0), "no_pending");
    world.done(&["verify"], &code(&phone, 30));
    // For people in words.
    world.done(&add, recovery(&confirmed, 1));
    let ran = world.run(&["cancel"], "");
    let words = "The enrolment of \"tablet\" is forgotten; logins are as they were.\n";
    assert_eq!((&*ran.stdout, ran.success), (words, true));
    // Whoever looks for a code to read finds none.
    let ran = world.run(&["cancel"], "");
    assert_eq!((&*ran.stdout, ran.success), ("", false));
}

#[test]
fn what_was_begun_and_cannot_be_read_can_be_cancelled_too() {
    let world = World::new();
    world.done(&["enroll"], "");
    let path = world.record().join("pending.toml");
    for spoil in [
        &|path: &std::path::Path| fs::write(path, "nonsense").unwrap(),
        &|path: &std::path::Path| fs::write(path, "").unwrap(),
        &|path: &std::path::Path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        },
    ] as [&dyn Fn(&std::path::Path); 3]
    {
        world.done(&["enroll"], "");
        spoil(&path);
        assert_eq!(world.done(&["cancel"], "")["token"], Value::Null);
        assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
    }
}

#[test]
fn every_kind_of_token_that_the_format_has_is_made_and_confirmed() {
    for (options, expected) in [
        (
            &["--algorithm", "sha256", "--digits", "8", "--period", "60"][..],
            json!({"type": "totp", "algorithm": "SHA256", "digits": 8, "period": 60}),
        ),
        (
            &["--algorithm", "SHA512", "--digits", "7"],
            json!({"type": "totp", "algorithm": "SHA512", "digits": 7, "period": 30}),
        ),
        (
            &["--type", "hotp"],
            json!({"type": "hotp", "algorithm": "SHA1", "digits": 6, "period": null}),
        ),
    ] {
        let world = World::new();
        let names = [
            "--name",
            "my key",
            "--issuer",
            "Acme B&C",
            "--account",
            "a@example.org",
        ];
        let arguments = [&["enroll"], options, &names].concat();
        let begun = world.done(&arguments, "");
        let token = &begun["token"];
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&token[field], value, "{token}");
        }
        let uri = token["uri"].as_str().unwrap();
        assert!(uri.contains("/Acme%20B%26C:a%40example.org?"), "{uri}");
        assert_eq!(token["issuer"], "Acme B&C");
        let confirmed = world.done(&["confirm"], &code(&begun, 0));
        assert_eq!(confirmed["token"], "my key");
    }
}

#[test]
fn what_no_token_can_be_is_wrong_usage() {
    let world = World::new();
    for options in [
        &["--type", "ocra"][..],
        &["--algorithm", "MD5"],
        &["--digits", "5"],
        &["--digits", "x"],
        &["--period", "9"],
        &["--name", "a\"b"],
        &["--name", ""],
        &["--issuer", ""],
        &["--issuer", "a:b"],
        &["--issuer", &"a".repeat(129)],
        &["--account", "a:b"],
        &["--type", "hotp", "--period", "30"],
    ] {
        let arguments = [&["--json", "enroll"], options].concat();
        let output = world.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["error"]["code"], "usage", "{options:?}");
    }
    assert_eq!(fs::read_dir(world.store()).unwrap().count(), 0);
}

#[test]
fn a_second_device_needs_proof_first_and_both_open_then() {
    let world = World::new();
    let (phone, confirmed) = enrol(&world);
    let error = world.refused(&["enroll"], "", "enrolled");
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("enroll --name tablet adds")
    );
    let add = ["enroll", "--name", "tablet"];
    world.refused(&add, "", "no_code");
    world.refused(&add, "000000", "wrong_code");
    world.refused(&add, &code(&phone, 0), "used_code");
    assert_eq!(world.done(&["status"], "")["pending"], Value::Null);
    let tablet = world.done(&add, &code(&phone, 30));
    world.refused(&["verify"], &code(&phone, 30), "used_code");
    world.refused(&["verify"], &code(&tablet, 0), "wrong_code");

    let added = world.done(&["confirm"], &code(&tablet, 0));
    assert_eq!(
        (&added["token"], &added["recovery_codes"]),
        (&json!("tablet"), &Value::Null)
    );
    world.refused(&["confirm"], &code(&tablet, 30), "no_pending");
    world.refused(&["verify"], &code(&tablet, 0), "used_code");
    let verified = world.done(&["verify"], &code(&tablet, 30));
    assert_eq!(verified["token"], "tablet");
    let verified = world.done(&["verify"], recovery(&confirmed, 1));
    assert_eq!(verified["recovery_codes_left"], 9);
}

#[test]
fn a_lost_device_is_replaced_for_a_recovery_code_and_opens_no_more() {
    let world = World::new();
    let (old, confirmed) = enrol(&world);
    let begun = world.done(&["enroll", "--replace", "phone"], recovery(&confirmed, 0));
    assert_eq!(
        (&begun["token"]["name"], &begun["replaces"]),
        (&json!("phone"), &json!("phone"))
    );
    // Until it is confirmed the old one opens.
    world.done(&["verify"], &code(&old, 30));
    let replaced = world.done(&["confirm"], &code(&begun, 0));
    assert_eq!(replaced["replaces"], "phone");
    world.refused(&["verify"], &code(&old, 60), "wrong_code");
    world.done(&["verify"], &code(&begun, 30));
    assert_eq!(world.done(&["status"], "")["recovery_codes_left"], 9);
}

/// The token as it was before it was confirmed.
fn but_for_the_day(token: &Value) -> Value {
    assert!(token["added"].is_u64());
    let mut token = token.clone();
    token["added"] = Value::Null;
    token
}

#[test]
fn what_the_app_shows_is_kept_with_each_token_and_taken_over_by_its_successor() {
    let world = World::new();
    let named = ["--issuer", "Acme \"B&C\" \\", "--account", "ä@example.org"];
    let phone = world.done(&[&["enroll"], &named[..]].concat(), "");
    let confirmed = world.done(&["confirm"], &code(&phone, 0));
    let uri = phone["token"]["uri"].as_str().unwrap();
    let label = "/Acme%20%22B%26C%22%20%5C:%C3%A4%40example.org?";
    assert!(uri.contains(label), "{uri}");
    let shown = world.done(&["show"], recovery(&confirmed, 0));
    assert_eq!(but_for_the_day(&shown["tokens"][0]), phone["token"]);
    let exported = world.done(&["export"], recovery(&confirmed, 1));
    assert_eq!(exported["tokens"][0]["uri"], uri);

    // The second device has the host's name and the user's, as ever.
    let tablet = world.done(&["enroll", "--name", "tablet"], recovery(&confirmed, 2));
    assert_eq!(tablet["token"]["account"], tablet["user"]);
    world.done(&["confirm"], &code(&tablet, 0));
    let replace = ["enroll", "--replace", "phone", "--account", "bob"];
    let new = world.done(&replace, recovery(&confirmed, 3));
    assert_eq!(
        (&new["token"]["issuer"], &new["token"]["account"]),
        (&json!("Acme \"B&C\" \\"), &json!("bob"))
    );
    world.done(&["confirm"], &code(&new, 0));
    let renamed = ["rename", "phone", "mobile"];
    world.done(&renamed, recovery(&confirmed, 4));
    let shown = world.done(&["show"], recovery(&confirmed, 5));
    assert_eq!(shown["tokens"][0]["issuer"], new["token"]["issuer"]);
    assert_eq!(shown["tokens"][1]["uri"], tablet["token"]["uri"]);
}

#[test]
fn a_token_without_a_label_is_shown_by_the_host_s_name_and_the_user_s() {
    let world = World::new();
    let (begun, confirmed) = enrol(&world);
    let path = world.record().join("token.toml");
    let text = fs::read_to_string(&path).unwrap();
    let old: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("issuer") && !line.starts_with("account"))
        .collect();
    assert_eq!(old.len() + 2, text.lines().count());
    fs::write(&path, old.join("\n")).unwrap();
    let shown = world.done(&["show"], recovery(&confirmed, 0));
    assert_eq!(but_for_the_day(&shown["tokens"][0]), begun["token"]);
}

#[test]
fn names_that_cannot_be_are_told_before_a_code_is_spent() {
    let world = World::new();
    world.refused(&["enroll", "--replace", "phone"], "", "not_enrolled");
    let (_, confirmed) = enrol(&world);
    let proof = recovery(&confirmed, 0);
    let error = world.refused(&["enroll", "--name", "phone"], proof, "name_taken");
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("--replace \"phone\"")
    );
    world.refused(&["enroll", "--replace", "tablet"], proof, "no_such_token");
    assert_eq!(world.done(&["status"], "")["recovery_codes_left"], 10);
}

#[test]
fn a_full_record_says_so() {
    let world = World::new();
    let (_, confirmed) = enrol(&world);
    let path = world.record().join("token.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("\n[recovery]").unwrap();
    let one = |number| {
        format!(
            "\n[[token]]\nname = \"{number}\"\ntype = \"totp\"\nsecret = \"{:A<32}\"\n",
            ""
        )
    };
    let more = (1..16).map(one).collect::<Vec<_>>().concat();
    fs::write(&path, format!("{before}{more}\n[recovery]{after}")).unwrap();
    let proof = recovery(&confirmed, 0);
    world.refused(&["enroll", "--name", "one more"], proof, "too_many_tokens");
    world.done(&["enroll", "--replace", "7", "--name", "seven"], proof);
}

#[test]
fn a_person_adds_a_device_in_one_go() {
    use pam_otp_testkit::pty::Pty;
    use std::time::Duration;
    const SOON: Duration = Duration::from_secs(20);
    let world = World::new();
    let (_, confirmed) = enrol(&world);
    let mut terminal = Pty::spawn(world.command(&["enroll", "--name", "tablet"]));
    terminal.expect("Code or recovery code: ", SOON);
    terminal.send_line(recovery(&confirmed, 0));
    let shown = terminal.expect("\nCode: ", SOON);
    let line = shown.lines().find_map(|line| line.strip_prefix("Key:"));
    let key = line.unwrap().replace(' ', "");
    terminal.send_line("000000");
    terminal.expect("That code does not match", SOON);
    terminal.expect("\nCode: ", SOON);
    terminal.send_line(&authenticator::code(&key, authenticator::now()));
    terminal.expect("Codes of \"tablet\" open logins too from now on.", SOON);
    assert!(terminal.wait().success(), "{}", terminal.output());
}

#[test]
fn who_cannot_read_the_recovery_codes_has_none_and_two_factor_login_stays_off() {
    use std::io::Write as _;
    let world = World::new();
    let begun = world.done(&["enroll"], "");
    let mut child = world.command(&["--json", "confirm"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(code(&begun, 0).as_bytes()).unwrap();
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(world.done(&["status"], "")["enrolled"], false);
}

#[test]
fn of_many_who_confirm_at_once_with_one_code_one_does() {
    use std::io::Write as _;
    let world = World::new();
    let mut proof = String::new();
    for name in ["phone", "tablet"] {
        let begun = world.done(&["enroll", "--name", name], &proof);
        let start = || world.command(&["--json", "confirm"]).spawn().unwrap();
        let mut children: Vec<_> = std::iter::repeat_with(start).take(8).collect();
        let code = code(&begun, 0);
        for child in &mut children {
            let mut input = child.stdin.take().unwrap();
            // Whoever came late finds nothing to confirm, and reads nothing.
            let _ = input.write_all(code.as_bytes());
        }
        let mut answers = Vec::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            answers.push(serde_json::from_slice::<Value>(&output.stdout).unwrap());
        }
        answers.retain(|answer| {
            answer["ok"] == true || {
                let code = answer["error"]["code"].as_str().unwrap();
                assert!(["no_pending", "enrolled"].contains(&code), "{answer}");
                false
            }
        });
        assert_eq!(answers.len(), 1, "{answers:?}");
        if name == "phone" {
            recovery(&answers[0], 0).clone_into(&mut proof);
        }
    }
    let status = world.done(&["status"], "");
    assert_eq!(status["tokens"].as_array().unwrap().len(), 2);
}
