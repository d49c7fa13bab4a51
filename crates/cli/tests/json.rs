//! The answers for programs.

use serde_json::{Value, json};

mod common;

use common::World;

#[test]
fn status_tells_all_that_it_tells_people() {
    let world = World::new();
    let answer = world.done(&["status"], "");
    assert_eq!(answer["enrolled"], false);
    assert_eq!(answer["store"], "system");
    let shown = world.enroll();
    world.refused(&["verify"], "000000", "wrong_code");
    let answer = world.done(&["status"], "");
    assert_eq!(answer["enrolled"], true);
    let added = answer["tokens"][0]["added"].as_u64().unwrap();
    assert_eq!(
        answer["tokens"],
        json!([{
            "name": "phone", "type": "totp", "algorithm": "SHA1", "digits": 6, "period": 30,
            "added": added,
        }])
    );
    assert!(added.abs_diff(shown.time) < 60, "{answer}");
    assert_eq!(answer["recovery_codes_left"], 10);
    assert_eq!(answer["wrong_codes_since"], 1);
    let close = |field: &str| answer[field].as_u64().unwrap().abs_diff(shown.time) < 60;
    assert!(
        close("last_right_code") && close("last_wrong_code"),
        "{answer}"
    );
    assert_eq!(answer["throttled_until"], Value::Null);
}

#[test]
fn status_tells_until_when_to_wait_after_wrong_codes() {
    let world = World::new();
    world.enroll();
    assert!(!world.run(&["status"], "").stdout.contains("throttled"));
    for _ in 0..3 {
        world.ask(&["verify"], "000000");
    }
    let answer = world.done(&["status"], "");
    let until = answer["throttled_until"].as_u64().unwrap();
    assert!(
        until > answer["last_wrong_code"].as_u64().unwrap(),
        "{answer}"
    );
    let words = world.run(&["status"], "").stdout;
    assert!(
        words.contains("\nthrottled until: 2")
            && words.contains("Z; a recovery code opens at once\n"),
        "{words}"
    );
}

#[test]
fn status_says_what_to_do_with_what_was_begun() {
    let world = World::new();
    world.done(&["enroll"], "");
    let words = world.run(&["status"], "").stdout;
    let next = "\nnext: pam-otp confirm takes a code of it, pam-otp cancel forgets it\n";
    assert!(words.ends_with(next), "{words}");
}

#[test]
fn verify_tells_what_opened_and_why_a_code_does_not() {
    let world = World::new();
    world.refused(&["verify"], "123456", "not_enrolled");
    let shown = world.enroll();
    world.refused(&["verify"], "", "no_code");
    world.refused(&["verify"], "\n", "no_code");
    world.refused(&["verify"], "12345", "malformed_code");
    world.refused(&["verify"], &shown.code(0), "used_code");
    let off = world.refused(&["verify"], &shown.code(8), "other_time");
    assert!(off["clock_off_seconds"].as_i64().unwrap() >= 180);
    let answer = world.done(&["verify"], &shown.code(1));
    assert_eq!(
        (&answer["token"], &answer["recovery_codes_left"]),
        (&json!("phone"), &Value::Null)
    );
    let answer = world.done(&["verify"], &shown.recovery[0]);
    assert_eq!(
        (&answer["token"], &answer["recovery_codes_left"]),
        (&Value::Null, &json!(9))
    );
    for _ in 0..3 {
        world.refused(&["verify"], "000000", "wrong_code");
    }
    let wait = world.refused(&["verify"], &shown.code(2), "throttled");
    assert!(wait["wait_seconds"].as_u64().unwrap() > 0);
}

#[test]
fn show_gives_the_key_and_disable_says_nothing_more() {
    let world = World::new();
    let shown = world.enroll();
    let answer = world.done(&["show"], &shown.recovery[0]);
    let token = &answer["tokens"][0];
    assert_eq!(token["key"], shown.key.as_str());
    assert_eq!(token["uri"], shown.uri.as_str());
    assert_eq!(token["account"], answer["user"]);
    let answer = world.done(&["disable"], &shown.recovery[1]);
    assert_eq!(answer["set_aside"], Value::Null);
}

#[test]
fn what_a_file_says_stays_in_its_string() {
    let world = World::new();
    world.enroll();
    let path = world.record().join("token.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"phone\"", "\"J\u{202e}'},{\"")).unwrap();
    let answer = world.done(&["status"], "");
    assert_eq!(answer["tokens"][0]["name"], "J\u{202e}'},{");
    std::fs::write(&path, "version = 3\n").unwrap();
    let error = world.refused(&["status"], "", "bad_token_file");
    assert_eq!(error["path"], path.to_str().unwrap());
}

#[test]
fn the_exit_status_is_that_of_the_table() {
    let world = World::new();
    let exit = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.stdin(std::process::Stdio::null());
        command.output().unwrap().status.code()
    };
    assert_eq!(exit(&["status"]), Some(0));
    assert_eq!(exit(&["verify"]), Some(1));
    assert_eq!(exit(&["nonsense"]), Some(2));
    assert_eq!(exit(&["--json", "nonsense"]), Some(2));
    world.enroll();
    std::fs::write(world.record().join("state"), [0; 8192]).unwrap();
    assert_eq!(exit(&["status"]), Some(3));
    assert_eq!(exit(&["--json", "status"]), Some(3));
}

#[test]
fn an_answer_that_is_not_as_the_schema_says_is_noticed() {
    use common::schema::check;
    let world = World::new();
    let good = world.done(&["status"], "");
    for (field, value) in [
        ("version", json!(2)),
        ("user", json!(1)),
        ("store", json!("cloud")),
        ("clock", json!({"synchronised": true})),
        ("pending", json!(false)),
        ("more", json!(1)),
        ("tokens", json!([{"name": "phone"}])),
        ("command", json!("nonsense")),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(check(&bad).is_err(), "{bad}");
    }
    let mut bad = good.clone();
    bad.as_object_mut().unwrap().remove("enrolled");
    assert!(check(&bad).is_err());
    assert!(check(&good).is_ok());
}
