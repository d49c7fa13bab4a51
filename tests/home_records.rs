//! Records in real homes that are as they should be: what an administrator may
//! do to them, what a first login makes, and a lock that is not given back.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]
#![allow(
    clippy::disallowed_methods,
    reason = "how long a login takes is looked at"
)]

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::home::{RECORD, STATE, World};
use common::{value, visit_with};
use pam_otp_testkit::pam;
use pam_otp_testkit::sandbox::run;

#[test]
fn what_an_administrator_may_do_to_a_home_and_what_a_torn_write_leaves_lets_in() {
    let Some(world) = World::new() else {
        return;
    };
    for script in [
        "true",
        // Tighter than it need be.
        "chmod 400 token.toml",
        "chmod 700 ..",
        "chown root ..; chmod 755 ..",
        // Homes kept elsewhere, by root's own link.
        "cd /home; mv alice real; ln -s real alice",
        "cd /home; mv alice real; ln -s ../home/./real alice",
        // One slot torn: the other one counts.
        "head -c 4096 /dev/urandom | dd of=state bs=4096 conv=notrunc",
        "head -c 4096 /dev/zero | dd of=state bs=4096 seek=1 conv=notrunc",
        // Leftovers of a killed command, and what a user keeps beside.
        "echo x > state.new.1.0; echo x > token.toml~; mkdir old; ln -s /etc/shadow link",
    ] {
        let phone = world.fresh();
        world.script(&format!("cd {RECORD}; {script}"));
        let code = phone.code();
        let visit = world.visit(&world.door, "alice", &code);
        assert!(visit.entered, "{script}: {visit:?}");
        let visit = world.visit(&world.door, "alice", &code);
        assert_eq!(value(visit.line(), "reason"), Some("used_code"), "{script}");
    }
}

#[test]
fn without_its_files_there_is_no_record() {
    let Some(world) = World::new() else {
        return;
    };
    for script in ["rm token.toml state", "cd ..; rm -r .pam-otp"] {
        world.fresh();
        world.script(&format!("cd {RECORD}; {script}"));
        let visit = world.visit(&world.door, "alice", "123456");
        assert_eq!(
            value(visit.line(), "reason"),
            Some("unenrolled"),
            "{script}"
        );
        assert_eq!(visit.code, pam::AUTH_ERR, "{script}");
        let visit = world.visit(&world.open, "alice", "123456");
        assert_eq!(value(visit.line(), "outcome"), Some("skipped"), "{script}");
        assert!(
            visit.entered && visit.prompts.is_empty(),
            "{script}: {visit:?}"
        );
    }
}

#[test]
fn a_state_without_a_token_file_is_half_a_record_and_denies() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.fresh();
    world.script(&format!("rm {RECORD}/token.toml"));
    for stack in [&world.door, &world.open] {
        let visit = world.visit(stack, "alice", &phone.code());
        assert_eq!(value(visit.line(), "reason"), Some("bad_token_file"));
        assert_eq!(visit.code, pam::AUTH_ERR);
    }
}

#[test]
fn a_record_without_a_state_gets_one_at_its_first_login_and_it_is_the_user_s() {
    let Some(world) = World::new() else {
        return;
    };
    // Whatever the host's umask.
    for umask in ["000", "022", "777"] {
        let phone = world.fresh();
        world.script(&format!("rm {STATE}"));
        let code = phone.code();
        let login = || {
            let mut shell = world.sandbox.command("sh");
            let script = format!("umask {umask}; exec \"$0\" \"$@\"");
            shell.args(["-c", &script]).arg(world.sandbox.pam_try());
            visit_with(shell, &world.door, "alice", &code)
        };
        let visit = login();
        assert!(visit.entered, "{visit:?}");
        let (state, home) = world.sandbox.inside(|| {
            let look = |path| std::fs::metadata(path).unwrap();
            (look(STATE), look("/home/alice"))
        });
        assert_eq!(state.permissions().mode(), 0o100_600);
        assert_eq!((state.uid(), state.gid()), (home.uid(), home.gid()));
        assert_eq!(state.len(), 8192);
        assert_eq!(value(login().line(), "reason"), Some("used_code"));
        let mut list = world.sandbox.command("ls");
        assert_eq!(run(list.args(["-A", RECORD]), ""), "state\ntoken.toml\n");
    }
}

#[test]
fn a_login_leaves_the_host_s_identity_descriptors_and_directory_as_they_were() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.fresh();
    // pam_exec's parent is the host: its credentials, masks and descriptors,
    // seen from outside, before and after our line.
    world.sandbox.write(
        "/run/look",
        "#!/bin/sh
        host=/proc/$PPID
        grep -E '^(Umask|Uid|Gid|Groups|Cap...|Sig...|NoNewPrivs|Threads|Seccomp):' $host/status
        for link in $host/cwd $host/root $host/fd/*; do echo ${link#$host} $(readlink $link); done
        cat $host/oom_score_adj $host/personality $host/limits\n",
        0o755,
    );
    let look = |to: &str| format!("auth optional pam_exec.so log=/run/{to} /run/look");
    let module = world.realm.module("");
    // pam_warn opens the C library's connection to the log, which stays.
    let lines = [
        "auth optional pam_warn.so".to_owned(),
        look("before"),
        format!("auth required {module}"),
        look("after"),
    ];
    let stack = world.sandbox.stack("watched", &lines.join("\n"));
    for (reply, entered) in [(phone.code(), true), (phone.wrong(), false)] {
        let mut shell = world.sandbox.command("sh");
        // Not what root usually has, so that "put back" cannot be "set to 0".
        shell.args([
            "-c",
            "umask 027; cd /usr; exec setpriv --groups 4,20 \"$0\" \"$@\"",
        ]);
        shell.arg(world.sandbox.pam_try());
        let visit = visit_with(shell, &stack, "alice", &reply);
        assert_eq!(visit.entered, entered, "{visit:?}");
        let [before, after] = ["/run/before", "/run/after"].map(|file| {
            let text = String::from_utf8(world.sandbox.read(file)).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with("***"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(before, after);
        for expected in [
            "Uid:\t0\t0\t0\t0",
            "Umask:\t0027",
            "Groups:\t4 20 ",
            "/cwd /usr",
        ] {
            assert!(
                before.iter().any(|line| line == expected),
                "{expected}: {before:?}"
            );
        }
        world.script("rm /run/before /run/after");
    }
}

#[test]
fn a_lock_that_is_not_given_back_denies_after_five_seconds_and_concerns_nobody_else() {
    let Some(world) = World::new() else {
        return;
    };
    let alice = world.fresh();
    world.sandbox.inside(|| world.realm.remove("bob"));
    let bob = world.sandbox.inside(|| world.realm.enrol("bob"));

    let mut holder = world.sandbox.command_as("alice", "flock");
    holder.args([STATE, "-c", "echo locked; read end"]);
    holder.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = Holder::start(holder);

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let begin = Instant::now();
            let visit = world.visit(&world.door, "alice", &alice.code());
            (visit, begin.elapsed())
        });
        let begin = Instant::now();
        assert!(world.visit(&world.door, "bob", &bob.code()).entered);
        let bobs = begin.elapsed();
        let (visit, took) = waiting.join().unwrap();
        assert!(bobs < Duration::from_secs(2), "bob waited {bobs:?}");
        assert_eq!(visit.code, pam::AUTH_ERR, "{visit:?}");
        assert_eq!(value(visit.line(), "reason"), Some("locked_record"));
        assert_eq!(value(visit.line(), "path"), Some(STATE));
        let expected = Duration::from_millis(4900)..Duration::from_secs(8);
        assert!(expected.contains(&took), "{took:?}");
    });

    // A process that dies gives its lock back.
    holder.kill();
    assert!(world.visit(&world.door, "alice", &alice.code()).entered);
}

/// A child that says a word when it is ready, and ends with its owner.
struct Holder(std::process::Child);

impl Holder {
    fn start(mut command: Command) -> Self {
        use std::io::Read;
        let mut child = command.spawn().unwrap();
        let mut word = [0; 7];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut word)
            .unwrap();
        assert_eq!(&word, b"locked\n");
        Self(child)
    }

    /// Closing its input ends the shell and with it flock.
    fn kill(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.kill();
    }
}
