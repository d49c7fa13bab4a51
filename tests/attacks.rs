//! Attacks that worked once, or work elsewhere: each stays here so that it never
//! works again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use common::home::{STATE, World};
use common::{Realm, value};
use pam_otp_testkit::artifacts;
use pam_otp_testkit::pam::{self, Application, Stack};
use pam_otp_testkit::pty::Pty;

const SOON: Duration = Duration::from_secs(30);

/// Whoever starts su may signal it. Stopped while it holds the lock of alice's
/// record, it would keep her out.
#[test]
fn su_cannot_be_stopped_by_its_caller_while_it_holds_another_user_s_lock() {
    let Some(world) = World::new() else { return };
    world.fresh();
    world.sandbox.add_user("mallory", "x");
    let module = world.realm.module("");
    world
        .sandbox
        .pam_service("su", &format!("auth required {module}"));
    // The write under the lock takes three seconds, so that there is time.
    let mut su = world.sandbox.command("strace");
    su.args(["-qq", "-f", "-u", "mallory", "-e", "trace=pwrite64"]);
    su.args([
        "-e",
        "inject=pwrite64:delay_enter=3000000",
        "-o",
        "/dev/null",
    ]);
    su.args(["su", "alice", "-c", "id"]);
    let mut su = Pty::spawn(su);
    su.expect("code: ", SOON);
    su.send_line("000000");

    let inode = world
        .sandbox
        .inside(|| std::fs::metadata(STATE).unwrap().ino());
    let holder = holder_of(inode);
    let mut kill = world.sandbox.command_as("mallory", "sh");
    let stopped = kill
        .args(["-c", &format!("kill -STOP {holder}")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert!(
        !stopped.status.success() && said.contains("not permitted"),
        "{stopped:?}"
    );
    su.expect("failure", SOON);
}

/// The process that has a lock on this inode, once there is one.
fn holder_of(inode: u64) -> String {
    let locks = || std::fs::read_to_string("/proc/locks").unwrap();
    // "1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF"
    let holder = |locks: String| {
        let mut lines = locks.lines();
        let held =
            lines.find(|line| line.contains("FLOCK") && line.contains(&format!(":{inode} ")))?;
        held.split_whitespace().nth(4).map(str::to_owned)
    };
    std::iter::repeat_with(locks)
        .take(1_000_000)
        .find_map(holder)
        .expect("somebody locks the record")
}

/// The descriptors of a record must not get the numbers of a host's output.
#[test]
fn a_host_that_has_closed_its_output_and_prints_all_the_same_spoils_no_record() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = realm.stack("");
    let code = phone.code();
    let careless = |reply: &str| {
        let mut pam_try = Command::new(artifacts::helper("pam-try"));
        pam_try.arg("--careless");
        common::visit_with(pam_try, &stack, "alice", reply).entered
    };
    assert!(careless(&code));
    for _ in 0..3 {
        assert!(!careless(&code), "a used code");
    }
    assert!(!common::visit(&stack, "alice", &code).entered);
    assert!(
        common::visit(&stack, "alice", &phone.recovery[0]).entered,
        "the record is whole"
    );
}

/// Told at the end of another attempt, "recovery code used" would tell somebody
/// else that a code was right.
#[test]
fn what_a_failed_attempt_would_have_told_is_not_told_by_the_next_one() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let module = realm.module("");
    let stack = Stack::new(
        "door",
        &format!("auth required {module}\nauth required {module}"),
    );
    let now = pam_otp_testkit::authenticator::now();
    let mut transaction = Application::new()
        .user("alice")
        .reply(&*phone.recovery[0])
        .reply("not a code")
        .start(&stack);
    assert_eq!(transaction.authenticate().code, pam::AUTH_ERR);
    transaction.reply(phone.code_at(now));
    transaction.reply(phone.code_at(now + 30));
    let second = transaction.authenticate();
    assert!(second.entered(), "{second:?}");
    assert_eq!(second.messages(), [""; 0]);
}

/// The C library says "no such user" where a source of users has failed.
#[test]
fn a_user_database_that_fails_makes_nobody_unenrolled() {
    let Some(world) = World::new() else { return };
    let phone = world.fresh();
    for break_it in [
        "sed -i 's/^passwd:.*/passwd: nosuchmodule/' /etc/nsswitch.conf",
        "mv /etc/passwd /etc/passwd.away",
        "mv /etc/passwd /etc/passwd.away; mkdir /etc/passwd",
    ] {
        world.script("cp /etc/nsswitch.conf /etc/nsswitch.kept");
        world.script(break_it);
        let visit = world.visit(&world.open, "alice", &phone.code());
        // Which of the two depends on the sources that the machine has.
        let reason = value(visit.line(), "reason").unwrap();
        assert!(
            ["unknown_user", "user_database_failed"].contains(&reason),
            "{break_it}: {reason}"
        );
        assert_eq!(visit.code, pam::AUTH_ERR, "{break_it}: {visit:?}");
        world.script(
            "mv /etc/nsswitch.kept /etc/nsswitch.conf
             if [ -e /etc/passwd.away ]; then rm -rf /etc/passwd; mv /etc/passwd.away /etc/passwd; fi",
        );
    }
    assert!(world.visit(&world.open, "alice", &phone.code()).entered);
}
