//! The sandbox, and real programs in it.

use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::sandbox::{Sandbox, run};
use pam_otp_testkit::sshd::{Sshd, new_identity};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const UNIX: &str = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n\
                    session required pam_permit.so";

#[test]
fn the_machine_stays_as_it_was() {
    let before = fingerprint();
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("zelda-of-the-sandbox", "secret");
    sandbox.pam_service("sshd", "auth required pam_deny.so");
    sandbox.write("/var/lib/pam-otp/zelda/state", "s", 0o600);
    sandbox.write("/var/spool/pam-otp-testkit", "s", 0o600);
    sandbox.write("/run/pam-otp-testkit", "s", 0o600);
    sandbox.write("/root/pam-otp-testkit", "s", 0o600);
    sandbox.write("/dev/pam-otp-testkit", "s", 0o600);
    assert_eq!(
        sandbox.read("/etc/pam.d/sshd"),
        b"auth required pam_deny.so\n"
    );
    assert_eq!(
        run(sandbox.command("ls").arg("/home"), ""),
        "zelda-of-the-sandbox\n"
    );
    assert_eq!(before, fingerprint());
    for path in ["/var/spool", "/run", "/root", "/dev"] {
        assert!(
            !std::fs::exists(format!("{path}/pam-otp-testkit")).expect("look"),
            "{path}"
        );
    }
}

/// Names, modes, sizes and times of all of /etc; names in the other places.
fn fingerprint() -> String {
    let find = "find /etc -printf '%p %m %u %s %T@ %C@\\n' | sort; ls -A /home /var/lib /var/mail";
    let output = Command::new("sh")
        .args(["-c", find])
        .output()
        .expect("find");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    String::from_utf8_lossy(&output.stdout).into_owned() + &mounts
}

#[test]
fn a_dropped_sandbox_takes_its_processes_along() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    // The shell ends, its child stays behind without a parent of ours.
    let pid = run(
        sandbox
            .command("sh")
            .args(["-c", "sleep 600 >/dev/null 2>&1 & echo $!"]),
        "",
    );
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    assert!(state().is_ok());
    drop(sandbox);
    assert!(
        state().map_or(true, |state| state.contains(") Z ")),
        "still there"
    );
}

#[test]
fn what_programs_inside_log_is_collected() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    run(
        sandbox
            .command("logger")
            .args(["-t", "door", "somebody knocked"]),
        "",
    );
    let line = sandbox
        .syslog()
        .wait_for(|line| line.contains("knocked"), SOON);
    assert!(line.starts_with("door"), "{line}");
}

#[test]
fn a_password_logs_in_through_a_real_sshd() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.pam_service("sshd-kit", UNIX);
    let server = Sshd::start(&sandbox, "sshd-kit", "");

    let mut ssh = server.ssh("alice");
    ssh.expect("Password: ", SOON);
    ssh.send_line("correct horse");
    ssh.expect("in-as alice", SOON);
    assert!(ssh.wait().success());

    let mut ssh = server.ssh("alice");
    ssh.expect("Password: ", SOON);
    ssh.send_line("wrong");
    ssh.expect("Permission denied", SOON);
    assert_eq!(ssh.wait().code(), Some(255));
    let said = sandbox
        .syslog()
        .wait_for(|line| line.contains("authentication failure"), SOON);
    assert!(said.contains("sshd-kit:auth"), "{said}");
}

#[test]
fn a_key_and_a_password_log_in_through_a_real_sshd() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.pam_service("sshd-two", UNIX);
    let config = "Match User alice\nAuthenticationMethods publickey,keyboard-interactive";
    let server = Sshd::start(&sandbox, "sshd-two", config);
    let key = new_identity(&sandbox, "alice");
    let client = || {
        server
            .client("alice")
            .methods("publickey,keyboard-interactive")
    };

    let mut ssh = client()
        .identity(&key)
        .remote_command("id -un; id -u")
        .spawn();
    ssh.expect("Password: ", SOON);
    ssh.send_line("correct horse");
    ssh.expect("alice", SOON);
    assert!(ssh.wait().success());

    let mut without_key = client().spawn();
    without_key.expect("Permission denied", SOON);
    assert!(server.log().contains("publickey"), "{}", server.log());

    let mut shell = client().identity(&key).remote_command("").spawn();
    shell.expect("Password: ", SOON);
    shell.send_line("correct horse");
    shell.expect("$ ", SOON);
    shell.send_line("tty; exit 7");
    shell.expect("/dev/pts/", SOON);
    assert_eq!(shell.wait().code(), Some(7));
}

#[test]
fn an_ended_server_ends_its_logins() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.pam_service("sshd-end", UNIX);
    let server = Sshd::start(&sandbox, "sshd-end", "");
    let mut ssh = server
        .client("alice")
        .remote_command("echo in; cat")
        .spawn();
    ssh.expect("Password: ", SOON);
    ssh.send_line("correct horse");
    ssh.expect("in", SOON);
    drop(server);
    assert!(!ssh.wait().success());
}

#[test]
fn sudo_reads_the_password_of_a_sandbox_user() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.pam_service("sudo", UNIX);
    sandbox.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n", 0o440);
    let mut sudo = sandbox.command_as("alice", "sudo");
    assert_eq!(
        run(sudo.args(["-S", "id", "-un"]), "correct horse\n"),
        "root\n"
    );

    let mut sudo = sandbox.command_as("alice", "sudo");
    sudo.args(["id", "-un"]);
    let mut sudo = Pty::spawn(sudo);
    sudo.expect("password for alice: ", SOON);
    sudo.send_line("correct horse");
    sudo.expect("root", SOON);
    assert!(sudo.wait().success());
}

#[test]
fn su_asks_a_user_at_a_terminal() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.add_user("bob", "battery staple");
    sandbox.pam_service("su", UNIX);
    let mut su = sandbox.command_as("alice", "su");
    su.args(["bob", "-c", "id -un"]);
    let mut su = Pty::spawn(su);
    su.expect("Password: ", SOON);
    su.send_line("battery staple");
    su.expect("bob", SOON);
    assert!(su.wait().success());
}

#[test]
fn login_asks_at_a_terminal_that_it_hangs_up_first() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    sandbox.pam_service("login", UNIX);
    let mut login = Pty::spawn(sandbox.command("login"));
    login.expect("login: ", SOON);
    login.send_line("alice");
    login.expect("Password: ", SOON);
    login.send_line("correct horse");
    // Typed earlier, it would be thrown away with the rest of the line.
    login.expect("$ ", SOON);
    login.send_line("echo in-as $(id -un)");
    login.expect("in-as alice", SOON);
    login.send_line("exit");
    login.wait();
}
