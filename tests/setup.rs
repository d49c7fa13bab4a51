//! `pam-otp setup` on real services: what it changes lets in with a code, and a
//! trial undoes itself whatever happens to the command.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]
#![allow(clippy::panic, clippy::indexing_slicing)]

mod world;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::run;
use pam_otp_testkit::sshd::Sshd;
use world::{PASSWORD, Phone, QUESTION, SOON, World};

const DROP_IN: &str = "/etc/ssh/sshd_config.d/10-pam-otp.conf";
/// Of Debian's shape, whatever this machine has.
const COMMON_AUTH: &str = "auth [success=1 default=ignore] pam_unix.so nullok\n\
                           auth requisite pam_deny.so\n\
                           auth required pam_permit.so\n";
const COMMON_REST: &str = "account required pam_unix.so\nsession required pam_unix.so\n";

/// A world with services of that shape, where alice administers and is enrolled. The
/// module is where stacks name it by its file name alone.
fn world() -> Option<(World, Phone)> {
    let world = World::or_skip()?;
    let sandbox = &world.sandbox;
    sandbox.write("/etc/pam.d/common-auth", COMMON_AUTH, 0o644);
    sandbox.write("/etc/pam.d/common-rest", COMMON_REST, 0o644);
    let stack = "# as it comes\n@include common-auth\n@include common-rest\n";
    for service in ["sshd", "sudo"] {
        sandbox.write(format!("/etc/pam.d/{service}"), stack, 0o640);
    }
    let su = format!("auth sufficient pam_rootok.so\n{stack}");
    sandbox.write("/etc/pam.d/su", su, 0o644);
    let phone = world.enrol("alice");
    let rules = "Defaults:alice passwd_tries=1, timestamp_timeout=0\nalice ALL=(ALL) ALL\n";
    sandbox.write("/etc/sudoers.d/alice", rules, 0o440);
    run(
        sandbox.command("usermod").args(["-aG", "sudo", "alice"]),
        "",
    );
    let main = "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nPidFile /run/sshd.pid\n\
                PermitRootLogin no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n";
    sandbox.write("/etc/ssh/sshd_config", main, 0o600);
    run(
        sandbox
            .command("sh")
            .args(["-c", "rm -f /etc/ssh/sshd_config.d/*"]),
        "",
    );
    world.sandbox.install_module();
    Some((world, phone))
}

fn setup(world: &World, arguments: &[&str]) -> Output {
    let mut command = world.sandbox.command(world.sandbox.pam_otp());
    command.arg("setup").args(arguments).stdin(Stdio::null());
    command.output().expect("run pam-otp")
}

fn done(world: &World, arguments: &[&str]) -> String {
    let output = setup(world, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn refused(world: &World, arguments: &[&str]) -> String {
    let output = setup(world, arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).expect("text")
}

fn stack(world: &World, service: &str) -> String {
    let bytes = world.sandbox.read(format!("/etc/pam.d/{service}"));
    String::from_utf8(bytes).expect("text")
}

fn is_there(world: &World, path: &str) -> bool {
    world.sandbox.inside(|| Path::new(path).exists())
}

/// Until the watcher has put the stack back.
fn wait_until_undone(world: &World, service: &str, before: &str) {
    let undone = || stack(world, service) == before && !is_there(world, &kept(service));
    assert!(becomes_true(undone), "{}", stack(world, service));
}

/// Looks until it is so.
#[allow(
    clippy::disallowed_methods,
    reason = "a test waits for other processes"
)]
fn becomes_true(so: impl Fn() -> bool) -> bool {
    (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        so()
    })
}

fn kept(service: &str) -> String {
    format!("/var/lib/pam-otp-setup/{service}")
}

fn sudo(world: &World, code: &str) -> bool {
    let mut command = world.sandbox.command_as("alice", "sudo");
    command.args(["-S", "id", "-un"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().expect("start sudo");
    let mut input = process.stdin.take().expect("a pipe");
    // One that asks for no code may be gone.
    let _ = std::io::Write::write_all(&mut input, format!("{PASSWORD}\n{code}\n").as_bytes());
    drop(input);
    let output = process.wait_with_output().expect("run sudo");
    output.status.success() && output.stdout == b"root\n"
}

fn ssh(server: &Sshd<'_>, code: &str, expected: &str) {
    let mut ssh = server.ssh("alice");
    ssh.expect("Password: ", SOON);
    ssh.send_line(PASSWORD);
    ssh.expect(QUESTION, SOON);
    ssh.send_line(code);
    ssh.expect(expected, SOON);
    ssh.wait();
}

#[test]
fn sshd_is_tried_a_login_with_a_code_is_seen_and_the_confirmed_change_stays_until_undone() {
    let Some((world, phone)) = world() else {
        return;
    };
    let before = stack(&world, "sshd");
    let drop_in = "/etc/ssh/sshd_config.d/10-pam-otp.conf";
    let include = "Include /etc/ssh/sshd_config";
    let server = Sshd::start(&world.sandbox, "sshd", include);

    let shown = done(&world, &["sshd"]);
    assert!(shown.contains("+auth required pam_otp.so\n"), "{shown}");
    assert!(
        shown.contains("+AuthenticationMethods keyboard-interactive\n"),
        "{shown}"
    );
    assert_eq!(stack(&world, "sshd"), before);
    assert!(!is_there(&world, drop_in));

    let shown = setup(&world, &["sshd"]);
    let warned = String::from_utf8_lossy(&shown.stderr);
    assert!(warned.contains("become root by sudo or su"), "{warned}");
    let said = done(&world, &["sshd", "--yes", "--try", "10m", "--reload"]);
    assert!(said.contains("It undoes itself at"), "{said}");
    assert!(stack(&world, "sshd").contains("auth required pam_otp.so witness=/var/lib/"));
    let error = refused(&world, &["sshd", "--yes", "--try", "10m"]);
    assert!(error.contains("a trial of sshd runs"), "{error}");
    let error = refused(&world, &["sshd", "--confirm"]);
    assert!(error.contains("nobody has logged in"), "{error}");

    // The server goes by the new settings once it has read them.
    let listens = || server.log().matches("Server listening").count() > 1;
    assert!(becomes_true(listens), "{}", server.log());
    ssh(&server, &phone.wrong_code(), "Permission denied");
    refused(&world, &["sshd", "--confirm"]);
    ssh(&server, &phone.code(), "in-as alice");
    let said = done(&world, &["sshd", "--confirm"]);
    assert!(said.contains("Logged in so far: alice."), "{said}");
    let after = before.replace(
        "@include common-auth\n",
        "auth substack common-auth\nauth required pam_otp.so\n",
    );
    assert_eq!(stack(&world, "sshd"), after);
    assert!(is_there(&world, drop_in));
    ssh(&server, &phone.next_code(), "in-as alice");
    let said = done(&world, &["sshd", "--yes"]);
    assert!(said.contains("sshd asks for a code already"), "{said}");

    done(&world, &["sshd", "--undo"]);
    assert_eq!(stack(&world, "sshd"), before);
    assert!(!is_there(&world, drop_in));
    let error = refused(&world, &["sshd", "--undo"]);
    assert!(error.contains("setup has not changed sshd"), "{error}");
}

#[test]
fn a_trial_that_nobody_confirms_is_undone_though_command_and_session_are_killed() {
    let Some((world, phone)) = world() else {
        return;
    };
    let before = stack(&world, "sudo");
    // As from a terminal: a session of its own, all of which is then killed.
    let mut command = world.sandbox.command(world.sandbox.pam_otp());
    command.args(["setup", "sudo", "--yes", "--try", "20s"]);
    let mut pty = Pty::spawn(command);
    pty.expect("Keep it?", SOON);
    assert!(stack(&world, "sudo").contains("witness="));
    kill_session(pty);
    assert!(sudo(&world, &phone.code()));
    // Proven, and not confirmed.
    wait_until_undone(&world, "sudo", &before);
    assert!(sudo(&world, "not asked for"));
}

/// Kills the leader of a terminal's session, and all processes in the session.
fn kill_session(pty: Pty) {
    let leader = pty.id();
    let session = leader.to_string();
    let listed = Command::new("ps")
        .args(["-o", "pid=", "-s", &session])
        .output();
    let listed = listed.expect("run ps (package procps)");
    let listed = String::from_utf8(listed.stdout).expect("text");
    for pid in listed.split_whitespace() {
        let _ = Command::new("kill").args(["-9", pid]).status();
    }
    drop(pty);
}

/// What mends the finding of doctor that says this; none if there is no such.
fn mend(world: &World, service: &str, says: &str) -> Option<String> {
    let mut command = world.sandbox.command(world.sandbox.pam_otp());
    command.args(["doctor", "--service", service]);
    let output = command.stdin(Stdio::null()).output().expect("run pam-otp");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines = text.lines().skip_while(|line| !line.contains(says));
    let mend = lines.nth(1)?.trim().strip_prefix("mend: ");
    Some(mend.expect("what mends it").to_owned())
}

#[test]
fn what_doctor_finds_of_sshd_setup_mends() {
    let Some((world, _)) = world() else {
        return;
    };
    let stack = "auth required pam_unix.so\nauth required pam_otp.so\n@include common-rest\n";
    world.sandbox.write("/etc/pam.d/sshd", stack, 0o644);
    let findings = ["sshd has only its one field", "who has a key gets in"];
    for says in findings {
        let mend = mend(&world, "sshd", says);
        assert_eq!(mend.as_deref(), Some("pam-otp setup sshd --reload"));
    }
    done(&world, &["sshd", "--reload", "--yes"]);
    for says in findings {
        assert_eq!(mend(&world, "sshd", says), None);
    }
    done(&world, &["sshd", "--undo"]);
    // A code alone would get in without the key.
    let stack = "auth required pam_otp.so\n@include common-rest\n";
    world.sandbox.write("/etc/pam.d/sshd", stack, 0o644);
    assert_eq!(
        mend(&world, "sshd", "who has a key gets in").as_deref(),
        Some("pam-otp setup sshd --method key+code --reload")
    );
    let error = refused(&world, &["sshd", "--yes"]);
    assert!(error.contains("asks for a code alone"), "{error}");
}

#[test]
fn after_a_reboot_doctor_tells_of_a_trial_and_a_watcher_of_all_ends_it() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "su");
    done(&world, &["su", "--yes", "--try", "600s"]);
    let runs = mend(&world, "su", "a trial runs: its stack is put back at 2");
    assert_eq!(runs.as_deref(), Some("pam-otp setup su --confirm"));
    kill_watcher_and_end_trial(&world);
    let over = mend(&world, "su", "the time of its trial is over");
    assert_eq!(over.as_deref(), Some("pam-otp setup"));
    done(&world, &["--watch"]);
    assert_eq!(stack(&world, "su"), before);
    assert_eq!(mend(&world, "su", "trial"), None);
}

#[test]
fn what_setup_has_changed_it_undoes_also_where_the_policy_is_broken() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "su");
    let policy = "/etc/security/pam_otp.toml";
    done(&world, &["su", "--yes"]);
    world.sandbox.write(policy, "windw = 2\n", 0o644);
    done(&world, &["su", "--undo"]);
    assert_eq!(stack(&world, "su"), before);
    let error = refused(&world, &["su", "--yes"]);
    assert!(error.contains("windw"), "{error}");
    assert_eq!(stack(&world, "su"), before);
}

#[test]
fn a_trial_whose_watcher_is_gone_is_undone_by_the_next_run() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "su");
    done(&world, &["su", "--yes", "--try", "600s"]);
    assert!(stack(&world, "su").contains("witness="));
    kill_watcher_and_end_trial(&world);
    let output = setup(&world, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the trial of su is over"), "{said}");
    assert_eq!(stack(&world, "su"), before);
}

/// As after a reboot, later.
fn kill_watcher_and_end_trial(world: &World) {
    let script = "for p in /proc/[0-9]*; do \
                  tr '\\0' ' ' 2>/dev/null <$p/cmdline | grep -q 'setup --watc[h] -- su ' && \
                  [ $p/ns/mnt -ef /proc/self/ns/mnt ] && kill -9 ${p#/proc/}; done; \
                  echo 1 >/var/lib/pam-otp-setup/su/deadline";
    run(world.sandbox.command("sh").args(["-c", script]), "");
}

#[test]
fn su_asks_others_for_a_code_and_root_for_nothing() {
    let Some((world, phone)) = world() else {
        return;
    };
    world.sandbox.add_user("bob", PASSWORD);
    done(&world, &["su", "--yes"]);
    let mut command = world.sandbox.command_as("bob", "su");
    command.args(["alice", "-c", "echo in-as $(id -un)"]);
    let mut su = Pty::spawn(command);
    su.expect("Password: ", SOON);
    su.send_line(PASSWORD);
    su.expect(QUESTION, SOON);
    su.send_line(&phone.code());
    su.expect("in-as alice", SOON);
    su.wait();
    let said = run(
        world.sandbox.command("su").args(["alice", "-c", "id -un"]),
        "",
    );
    assert_eq!(said, "alice\n");
}

#[test]
fn a_file_that_was_changed_since_is_put_back_only_if_told_and_nothing_is_lost() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "sudo");
    done(&world, &["sudo", "--yes"]);
    let changed = format!("{}# mine\n", stack(&world, "sudo"));
    world.sandbox.write("/etc/pam.d/sudo", &changed, 0o640);
    let error = refused(&world, &["sudo", "--undo"]);
    assert!(
        error.contains("was changed since setup wrote it"),
        "{error}"
    );
    assert_eq!(stack(&world, "sudo"), changed);
    done(&world, &["sudo", "--undo", "--force"]);
    assert_eq!(stack(&world, "sudo"), before);
    let aside = world
        .sandbox
        .read("/var/lib/pam-otp-setup/.sudo.stack.changed");
    assert_eq!(String::from_utf8(aside).expect("text"), changed);
    let mode = run(
        world
            .sandbox
            .command("stat")
            .args(["-c", "%a", "/etc/pam.d/sudo"]),
        "",
    );
    assert_eq!(mode, "640\n");
}

#[test]
fn key_and_code_has_sshd_ask_for_the_key_before_the_stack_asks_for_the_code_alone() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "sshd");
    let said = done(&world, &["sshd", "--method", "key+code", "--yes"]);
    assert!(said.contains("Then, once sshd has read it"), "{said}");
    assert_eq!(stack(&world, "sshd"), before);
    done(&world, &["sshd", "--method", "key+code", "--yes"]);
    let lines = "auth required pam_otp.so\nauth required pam_permit.so\n";
    assert_eq!(
        stack(&world, "sshd"),
        before.replace("@include common-auth\n", lines)
    );
    done(&world, &["sshd", "--undo"]);
    assert_eq!(stack(&world, "sshd"), before);
    assert!(!is_there(&world, "/etc/ssh/sshd_config.d/10-pam-otp.conf"));
}

#[test]
fn at_a_terminal_it_shows_asks_and_keeps_the_change_only_after_a_login_with_a_code() {
    let Some((world, phone)) = world() else {
        return;
    };
    let before = stack(&world, "sudo");
    let start = |arguments: &[&str]| {
        let mut command = world.sandbox.command(world.sandbox.pam_otp());
        command.args(["setup", "sudo"]).args(arguments);
        Pty::spawn(command)
    };
    let mut no = start(&[]);
    no.expect("+auth required pam_otp.so", SOON);
    // root is not enrolled.
    no.expect("until they are enrolled: root", SOON);
    no.expect("Change sudo so? [y/N]", SOON);
    no.send_line("");
    no.wait();
    assert_eq!(stack(&world, "sudo"), before);

    let mut trial = start(&["--try", "10m"]);
    trial.expect("Change sudo so? [y/N]", SOON);
    trial.send_line("y");
    trial.expect("Keep it?", SOON);
    trial.send_line("yes");
    trial.expect("nobody has logged in through sudo", SOON);
    trial.expect("Keep it?", SOON);
    assert!(!sudo(&world, &phone.wrong_code()));
    assert!(sudo(&world, &phone.code()));
    trial.send_line("yes");
    trial.expect("sudo asks for a code from now on.", SOON);
    assert!(trial.wait().success());
    assert!(!stack(&world, "sudo").contains("witness="));
    assert!(!sudo(&world, &phone.wrong_code()));
    assert!(sudo(&world, &phone.next_code()));
}

#[test]
fn what_is_changed_twice_goes_back_to_how_it_was_before_the_first_time() {
    let Some((world, _)) = world() else {
        return;
    };
    let before = stack(&world, "sshd");
    done(&world, &["sshd", "--yes"]);
    done(&world, &["sshd", "--method", "key+code", "--yes"]);
    done(&world, &["sshd", "--undo"]);
    assert_eq!(stack(&world, "sshd"), before);
    // Left there, keys alone would not log in any more.
    assert!(!is_there(&world, DROP_IN));
}

#[test]
fn no_trial_takes_out_at_its_end_what_an_earlier_run_has_put_in() {
    let Some((world, _)) = world() else {
        return;
    };
    done(&world, &["sshd", "--yes"]);
    let with_code = stack(&world, "sshd");
    run(world.sandbox.command("rm").arg(DROP_IN), "");
    let error = refused(&world, &["sshd", "--yes", "--try", "600s"]);
    assert!(error.contains("is not set up yet"), "{error}");
    assert_eq!(stack(&world, "sshd"), with_code);
    assert!(!is_there(&world, &format!("{}/deadline", kept("sshd"))));
}

#[test]
fn programs_are_not_looked_for_where_the_caller_s_environment_says() {
    let Some((world, _)) = world() else {
        return;
    };
    run(
        world
            .sandbox
            .command("mkdir")
            .args(["-p", "/run/systemd/system"]),
        "",
    );
    let theirs = "#!/bin/sh\necho >/run/theirs\n";
    for program in ["systemd-run", "systemctl"] {
        world
            .sandbox
            .write(format!("/run/bin/{program}"), theirs, 0o755);
    }
    let mut command = world.sandbox.command(world.sandbox.pam_otp());
    command.args(["setup", "sshd", "--yes", "--reload", "--try", "600s"]);
    command.env("PATH", "/run/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.current_dir("/").stdin(Stdio::null());
    let output = command.output().expect("run pam-otp");
    assert!(output.status.success(), "{output:?}");
    done(&world, &["sshd", "--undo"]);
    assert!(!is_there(&world, "/run/theirs"));
}
