//! The race: all at the gate, all released.

use pam_otp_testkit::pam::Stack;
use pam_otp_testkit::race::{race, winners};
use pam_otp_testkit::sandbox::Sandbox;
use std::time::Instant;

#[test]
fn logins_that_end_before_a_question_do_not_stop_the_race() {
    let stack = Stack::new("door", "auth required pam_permit.so");
    let finishes = race(&stack, &[("alice", "1"); 20]);
    assert_eq!(winners(&finishes), 20);
    let stack = Stack::new("door", "auth required pam_deny.so");
    assert_eq!(winners(&race(&stack, &[("alice", "1"); 20])), 0);
}

#[test]
fn twenty_at_the_gate_are_released_at_once_and_only_right_answers_enter() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "right");
    // A cheap hash: the kit's own speed is looked at.
    sandbox.inside(|| {
        let hash = std::process::Command::new("sh")
            .args(["-c", "usermod -p \"$(openssl passwd -1 right)\" alice"])
            .status();
        assert!(hash.expect("usermod").success());
    });
    let stack = sandbox.stack("door", "auth required pam_unix.so nodelay");
    let entrants: Vec<(&str, &str)> = (0..20)
        .map(|n| ("alice", if n % 2 == 0 { "right" } else { "wrong" }))
        .collect();
    let _ = sandbox.race(&stack, &entrants[..1]);
    let begin = Instant::now();
    let finishes = sandbox.race(&stack, &entrants);
    println!("20 logins: {:?}", begin.elapsed());
    for (n, finish) in finishes.iter().enumerate() {
        assert_eq!(finish.entered, n % 2 == 0, "{finish:?}");
        assert!(
            finish.report.contains("EchoOff \"Password: \""),
            "{finish:?}"
        );
    }
}
