//! Logins that enrol their user: on the real libpam, by a real sshd, at the
//! console and in sudo.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

mod common;
mod world;

use std::io::Write;
use std::process::{Command, Stdio};

use common::Realm;
use common::first::{ENTER, FIRST, code, key, next_code, papers};
use pam_otp_testkit::artifacts;
use pam_otp_testkit::pam::{self, Application, Reply, Stack, Transcript};
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sshd::Sshd;
use world::{PASSWORD, QUESTION, SOON, World};

const ENROLL: &str = "unenrolled = \"enroll\"";
fn first_login() -> Application {
    let reply = Reply::reading(|said| code(&key(said)));
    Application::new().user("alice").reply(reply).reply("")
}

fn login(realm: &Realm, reply: &str) -> Transcript {
    let login = Application::new().user("alice").reply(reply);
    login.authenticate(&realm.stack(""))
}

#[test]
fn the_first_login_enrols_and_the_second_needs_a_code() {
    let realm = Realm::new(ENROLL);
    let first = first_login().authenticate(&realm.stack(""));
    assert!(first.entered(), "{first:?}");
    assert_eq!(first.questions(), [FIRST, ENTER]);
    let shown = first.messages().join("\n");
    let (key, papers) = (key(&shown), papers(&shown));
    assert_eq!(papers.len(), 10, "{shown}");
    let file = std::fs::read_to_string(realm.token_file("alice")).unwrap();
    assert_eq!(file.matches("\nadded = ").count(), 1);
    assert!(first.messages().iter().all(|line| line.len() <= 512));

    assert_eq!(login(&realm, "").questions(), [QUESTION]);
    assert!(!login(&realm, "000000").entered());
    assert!(login(&realm, &next_code(&key)).entered());
    assert!(login(&realm, &papers[4]).entered());
    assert!(!login(&realm, &papers[4]).entered());
}

#[test]
fn who_does_not_have_the_password_enrols_nobody() {
    let realm = Realm::new(ENROLL);
    let lines = format!(
        "auth required pam_deny.so\nauth required {}",
        realm.module("")
    );
    let stranger = first_login().authenticate(&Stack::new("door", &lines));
    assert!(!stranger.entered(), "{stranger:?}");
    assert_eq!(stranger.questions(), [FIRST, ENTER], "asked like the owner");
    assert!(!realm.token_file("alice").exists());

    // The owner is asked as if nobody had been here, and the stranger's token
    // opens nothing.
    let owner = first_login().authenticate(&realm.stack(""));
    assert!(owner.entered(), "{owner:?}");
    let (theirs, own) = (stranger.messages().join("\n"), owner.messages().join("\n"));
    assert_ne!(key(&theirs), key(&own));
    assert!(!login(&realm, &next_code(&key(&theirs))).entered());
    assert!(!login(&realm, &papers(&theirs)[0]).entered());
    assert!(login(&realm, &next_code(&key(&own))).entered());
}

#[test]
fn what_a_login_has_begun_is_no_command_s_to_confirm_or_to_spoil() {
    let realm = Realm::new(ENROLL);
    let reply = Reply::reading(|said| code(&key(said)));
    let login = Application::new().user("alice").reply(reply).reply("");
    let mut transaction = login.start(&realm.stack(""));
    let first = transaction.authenticate_only();
    assert_eq!(first.questions(), [FIRST, ENTER]);
    let key = key(&first.messages().join("\n"));
    let pending = realm.record("alice").join("pending.toml");
    let before = std::fs::read(&pending).expect("it waits on disk");

    let pam_otp = |arguments: &[&str], input: &str| {
        let mut command = Command::new(artifacts::command());
        command.arg("--policy").arg(realm.policy());
        command.args(["--user", "alice", "--json"]).args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Who is refused before the question reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    for code in [code(&key), next_code(&key)] {
        let (status, said) = pam_otp(&["confirm"], &format!("{code}\n"));
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("\"code\":\"no_pending\""), "{said}");
    }
    let (_, status) = pam_otp(&["status"], "");
    assert!(status.contains("\"pending\":null"), "{status}");
    let (_, list) = pam_otp(&["list", "--all"], "");
    assert!(list.contains("\"state\":\"off\""), "{list}");
    assert_eq!(std::fs::read(&pending).unwrap(), before);
    assert!(!realm.token_file("alice").exists());

    assert_eq!(transaction.setcred(pam::ESTABLISH_CRED), pam::SUCCESS);
    assert!(realm.token_file("alice").exists());
}

#[test]
fn what_one_attempt_confirmed_is_not_made_effective_by_another_in_the_same_transaction() {
    let realm = Realm::new(&format!("{ENROLL}\nenroll_by = \"9999-12-31\""));
    // The password is wrong the first time, and right the second.
    let directory = pam_otp_testkit::temp::TempDir::new();
    let right = directory.path().join("right");
    let lines = format!(
        "auth required pam_exec.so quiet /usr/bin/test -e {}\nauth required {}\n\
         auth required pam_permit.so",
        right.display(),
        realm.module("")
    );
    let stack = Stack::new("door", &lines);
    let reply = Reply::reading(|said| code(&key(said)));
    let login = Application::new().user("alice").reply("y").reply(reply);
    let mut transaction = login.reply("").start(&stack);
    let first = transaction.authenticate();
    assert!(
        !first.entered() && first.questions().len() == 3,
        "{first:?}"
    );
    std::fs::write(&right, "").unwrap();
    transaction.reply("n");
    let second = transaction.authenticate();
    assert!(second.entered(), "{second:?}");
    assert!(!realm.token_file("alice").exists());
}

#[test]
fn what_cannot_be_made_effective_lets_nobody_in() {
    let realm = Realm::new(ENROLL);
    let pending = realm.record("alice").join("pending.toml");
    let lines = format!(
        "auth required {}\nauth required pam_exec.so quiet /bin/rm {}",
        realm.module(""),
        pending.display()
    );
    let login = first_login().authenticate(&Stack::new("door", &lines));
    assert_eq!(
        (login.code, login.setcred),
        (pam::SUCCESS, Some(pam::CRED_ERR))
    );
    assert!(!realm.token_file("alice").exists());
}

#[test]
fn an_application_that_shows_no_messages_lets_nobody_in() {
    let realm = Realm::new(ENROLL);
    for application in [
        first_login().mute_messages(),
        first_login().ignore_messages(),
    ] {
        let login = application.authenticate(&realm.stack(""));
        assert_eq!((login.code, login.setcred), (pam::AUTH_ERR, None));
        assert_eq!(login.questions(), [""; 0]);
        assert!(!realm.record("alice").exists());
    }
}

#[test]
fn in_silence_all_that_is_to_be_seen_stands_before_the_questions() {
    let realm = Realm::new(ENROLL);
    let login = first_login()
        .flags(pam::SILENT)
        .authenticate(&realm.stack(""));
    assert!(login.entered(), "{login:?}");
    assert_eq!(login.messages(), [""; 0]);
    let [first, second] = login.questions()[..] else {
        panic!("{login:?}")
    };
    assert!(first.contains("▀▄") && first.ends_with(FIRST), "{first}");
    assert!(second.ends_with(ENTER), "{second}");
    assert_eq!(papers(second).len(), 10);
}

#[test]
fn a_line_that_is_not_reached_enrols_nobody() {
    let realm = Realm::new(ENROLL);
    let lines = format!(
        "auth sufficient pam_permit.so\nauth required {}",
        realm.module("")
    );
    let login = Application::new()
        .user("alice")
        .authenticate(&Stack::new("door", &lines));
    assert!(login.entered(), "{login:?}");
    assert!(!realm.record("alice").exists());
}

/// A sandbox where bob is not enrolled, and must be.
fn world(service: &str, example: &str) -> Option<World> {
    let world = World::or_skip()?;
    world.stack(service, example);
    world.sandbox.add_user("bob", PASSWORD);
    let policy = "/etc/security/pam_otp.toml";
    world.sandbox.write(policy, format!("{ENROLL}\n"), 0o644);
    Some(world)
}

/// Enrols at a terminal; gives the key and the recovery codes.
fn enrol(terminal: &mut Pty) -> (String, Vec<String>) {
    let shown = terminal.expect(FIRST, SOON);
    assert!(shown.contains("▀▄"), "{shown}");
    let key = key(&shown);
    terminal.send_line(&code(&key));
    let shown = terminal.expect(ENTER, SOON);
    let papers = papers(&shown);
    assert_eq!(papers.len(), 10, "{shown}");
    terminal.send_line("");
    (key, papers)
}

fn is_logged(world: &World, service: &str) {
    let service = format!("service={service}");
    for outcome in ["outcome=confirmed", "outcome=enrolled"] {
        world.logged(&[outcome, "reason=first_login", "user=bob", &service]);
    }
}

/// The ssh client with a terminal of UTF-8, and what it runs once inside.
fn ssh(server: &Sshd<'_>, remote: &str) -> Pty {
    let mut command = server.client("bob").remote_command(remote).command();
    command.env("LC_ALL", "C.UTF-8");
    Pty::spawn(command)
}

#[test]
fn a_first_login_by_ssh_enrols_and_the_next_ones_need_code_or_paper() {
    let Some(world) = world("sshd-first", "sshd-password-and-code") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-first", "");
    let mut first = ssh(&server, "env; echo in-as $(id -un)");
    first.expect("Password: ", SOON);
    first.send_line(PASSWORD);
    let (key, papers) = enrol(&mut first);
    let environment = first.expect("in-as bob", SOON);
    assert!(!environment.contains("PAM_OTP"), "{environment}");
    assert!(first.wait().success());
    is_logged(&world, "sshd-first");

    let again = |answer: &str| {
        let mut again = ssh(&server, "echo in-as $(id -un)");
        again.expect("Password: ", SOON);
        again.send_line(PASSWORD);
        again.expect(QUESTION, SOON);
        again.send_line(answer);
        again.wait().success()
    };
    assert!(again(&next_code(&key)));
    assert!(again(&papers[0]));
    assert!(!again(&papers[0]));
}

#[test]
fn the_code_of_a_first_login_by_ssh_counts_for_the_next_ones_from_there() {
    let Some(world) = world("sshd-again", "sshd-password-and-code") else {
        return;
    };
    let policy = format!("{ENROLL}\nremember = \"8h\"\n");
    let path = "/etc/security/pam_otp.toml";
    world.sandbox.write(path, policy, 0o644);
    let server = Sshd::start(&world.sandbox, "sshd-again", "");
    for login in 0..2 {
        let mut ssh = ssh(&server, "echo in-as $(id -un)");
        ssh.expect("Password: ", SOON);
        ssh.send_line(PASSWORD);
        if login == 0 {
            enrol(&mut ssh);
        }
        ssh.expect("in-as bob", SOON);
        assert!(ssh.wait().success());
    }
    world.logged(&["outcome=skipped", "reason=remembered", "user=bob"]);
}

#[test]
fn a_stranger_at_ssh_without_the_password_achieves_nothing() {
    let Some(world) = world("sshd-stranger", "sshd-password-and-code") else {
        return;
    };
    let server = Sshd::start(&world.sandbox, "sshd-stranger", "");
    let mut stranger = ssh(&server, "true");
    stranger.expect("Password: ", SOON);
    stranger.send_line("wrong");
    let (theirs, _) = enrol(&mut stranger);
    stranger.expect("Permission denied", SOON);
    assert!(!stranger.wait().success());

    let mut owner = ssh(&server, "echo in-as $(id -un)");
    owner.expect("Password: ", SOON);
    owner.send_line(PASSWORD);
    let (own, _) = enrol(&mut owner);
    owner.expect("in-as bob", SOON);
    owner.wait();
    assert_ne!(theirs, own);
    let mut stranger = ssh(&server, "true");
    stranger.expect("Password: ", SOON);
    stranger.send_line(PASSWORD);
    stranger.expect(QUESTION, SOON);
    stranger.send_line(&next_code(&theirs));
    stranger.expect("Permission denied", SOON);
}

#[test]
fn a_home_that_cannot_be_written_is_a_denial_with_its_path() {
    let Some(world) = world("sshd-full", "sshd-password-and-code") else {
        return;
    };
    // Root may write anywhere, but the record is made with bob's rights.
    let mut command = world.sandbox.command("chmod");
    pam_otp_testkit::sandbox::run(command.args(["0500", "/home/bob"]), "");
    let server = Sshd::start(&world.sandbox, "sshd-full", "");
    let mut ssh = ssh(&server, "true");
    ssh.expect("Password: ", SOON);
    ssh.send_line(PASSWORD);
    let shown = ssh.expect(FIRST, SOON);
    ssh.send_line(&code(&key(&shown)));
    ssh.expect("Permission denied", SOON);
    world.logged(&["outcome=denied", "user=bob", "path=/home/bob/.pam-otp"]);
}

#[test]
fn a_full_disk_is_a_denial_before_any_recovery_code_is_shown() {
    let Some(world) = world("sshd-disk", "sshd-password-and-code") else {
        return;
    };
    let script = "mount -t tmpfs -o size=4k,mode=755 tmpfs /home/bob && chown bob: /home/bob && \
                  head -c 4096 /dev/zero > /home/bob/full";
    let mut command = world.sandbox.command("sh");
    pam_otp_testkit::sandbox::run(command.args(["-c", script]), "");
    let server = Sshd::start(&world.sandbox, "sshd-disk", "");
    let mut ssh = ssh(&server, "true");
    ssh.expect("Password: ", SOON);
    ssh.send_line(PASSWORD);
    let shown = ssh.expect(FIRST, SOON);
    ssh.send_line(&code(&key(&shown)));
    let shown = ssh.expect("Permission denied", SOON);
    assert!(!shown.contains("Recovery"), "{shown}");
    world.logged(&[
        "outcome=denied",
        "user=bob",
        "path=/home/bob/.pam-otp/pending.toml",
    ]);
}

/// An example, after which what was confirmed is lost.
fn losing(world: &World, service: &str, example: &str) {
    let stack = world::placed(&world::read(example));
    let line = "auth required pam_exec.so quiet /bin/rm /home/bob/.pam-otp/pending.toml";
    let lines = stack.lines().flat_map(|stack_line| {
        let ours = !stack_line.starts_with('#') && stack_line.contains("{module}");
        [stack_line, if ours { line } else { "" }]
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    world.sandbox.pam_service(service, &lines);
}

#[test]
fn sshd_lets_nobody_in_whose_enrolment_does_not_take_effect() {
    let Some(world) = world("sshd-lost", "sshd-password-and-code") else {
        return;
    };
    losing(&world, "sshd-lost", "sshd-password-and-code");
    let server = Sshd::start(&world.sandbox, "sshd-lost", "");
    let mut ssh = ssh(&server, "echo in-as $(id -un)");
    ssh.expect("Password: ", SOON);
    ssh.send_line(PASSWORD);
    enrol(&mut ssh);
    assert!(!ssh.wait().success());
    assert!(!ssh.output().contains("in-as"), "{}", ssh.output());
    world.logged(&["outcome=denied", "reason=enrolment_gone", "user=bob"]);
}

/// sudo does not mind what `pam_setcred` says: it authenticated before that.
#[test]
fn sudo_goes_on_without_an_enrolment_that_is_lost_and_the_next_one_asks_anew() {
    let Some(world) = world("sudo", "sudo") else {
        return;
    };
    losing(&world, "sudo", "sudo");
    let rules = "Defaults:bob passwd_tries=1, timestamp_timeout=0\nbob ALL=(ALL) ALL\n";
    world.sandbox.write("/etc/sudoers.d/bob", rules, 0o440);
    for _ in 0..2 {
        let mut command = world.sandbox.command_as("bob", "sudo");
        command.args(["id", "-un"]);
        let mut sudo = Pty::spawn(command);
        sudo.expect("password for bob: ", SOON);
        sudo.send_line(PASSWORD);
        enrol(&mut sudo);
        sudo.wait();
        world.logged(&["outcome=denied", "reason=enrolment_gone", "user=bob"]);
    }
}

#[test]
fn a_first_login_at_the_console_enrols() {
    let Some(world) = world("login", "login") else {
        return;
    };
    let mut login = Pty::spawn(world.sandbox.command("login"));
    login.expect("login: ", SOON);
    login.send_line("bob");
    login.expect("Password: ", SOON);
    login.send_line(PASSWORD);
    enrol(&mut login);
    login.expect("$ ", SOON);
    login.send_line("echo in-as $(id -un)");
    login.expect("in-as bob", SOON);
    is_logged(&world, "login");
}

#[test]
fn a_first_sudo_enrols_the_user_and_not_the_target() {
    let Some(world) = world("sudo", "sudo") else {
        return;
    };
    let rules = "Defaults:bob passwd_tries=1, timestamp_timeout=0\nbob ALL=(ALL) ALL\n";
    world.sandbox.write("/etc/sudoers.d/bob", rules, 0o440);
    let sudo = || {
        let mut command = world.sandbox.command_as("bob", "sudo");
        let mut sudo = Pty::spawn({
            command.args(["sh", "-c", "echo in-as $(id -un)"]);
            command
        });
        sudo.expect("password for bob: ", SOON);
        sudo.send_line(PASSWORD);
        sudo
    };
    let mut first = sudo();
    let (key, _) = enrol(&mut first);
    first.expect("in-as root", SOON);
    assert!(first.wait().success());
    is_logged(&world, "sudo");
    let mut second = sudo();
    second.expect(QUESTION, SOON);
    second.send_line(&next_code(&key));
    second.expect("in-as root", SOON);
}
