//! `pam-otp setup` on stacks of distributions' shape, below a directory of the
//! test's own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::World;
use pam_otp_testkit::process::poll_until;
use pam_otp_testkit::temp::TempDir;
use serde_json::{Value, json};

/// A system whose stacks are in the shape of this distribution's.
struct System {
    world: World,
    root: TempDir,
}

impl System {
    fn like(distribution: &str) -> Self {
        let root = TempDir::new();
        let services = root.path().join("etc/pam.d");
        fs::create_dir_all(&services).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack/tests/data");
        for file in fs::read_dir(data.join(distribution)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), services.join(file.file_name())).unwrap();
        }
        let world = World::new();
        Self { world, root }
    }

    fn path(&self, service: &str) -> PathBuf {
        self.root.path().join("etc/pam.d").join(service)
    }

    fn read(&self, service: &str) -> String {
        fs::read_to_string(self.path(service)).unwrap()
    }

    fn write(&self, service: &str, text: &str) {
        fs::write(self.path(service), text).unwrap();
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["setup", "--root", self.root.path().to_str().unwrap()];
        all.extend(arguments);
        all
    }

    fn done(&self, arguments: &[&str]) -> Value {
        self.world.done(&self.arguments(arguments), "")
    }

    fn refused(&self, arguments: &[&str], code: &str) -> Value {
        self.world.refused(&self.arguments(arguments), "", code)
    }

    /// What setup makes of a stack, the lines that changed alone.
    fn changed(&self, service: &str) -> Vec<String> {
        let answer = self.done(&[service]);
        assert_eq!(answer["state"], "shown");
        let difference = answer["files"][0]["difference"].as_str().unwrap();
        let lines = difference.lines().skip(2);
        let lines = lines.filter(|line| line.starts_with(['+', '-']));
        lines.map(str::to_owned).collect()
    }
}

const CODE: &str = "+auth required pam_otp.so";
const AS_SUBSTACK: [&str; 3] = ["-@include common-auth", "+auth substack common-auth", CODE];

#[test]
fn the_stacks_of_debian_keep_their_lines_with_the_include_as_a_substack() {
    for debian in ["debian-12", "debian-13"] {
        let system = System::like(debian);
        for service in ["sshd", "sudo", "sudo-i", "su", "login", "other"] {
            assert_eq!(system.changed(service), AS_SUBSTACK, "{service}");
        }
        assert_eq!(system.changed("cockpit"), [CODE]);
        // Root would be asked for a code: `su` is what is to be changed.
        let error = system.refused(&["su-l"], "no_place");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("pam-otp setup su "), "{hint}");
        system.done(&["su", "--yes"]);
        assert_eq!(system.done(&["su-l"])["state"], "already");
    }
}

#[test]
fn the_stacks_of_fedora_keep_their_substacks_and_no_include_ends_before_the_code() {
    let system = System::like("fedora");
    for service in ["sshd", "su", "login"] {
        assert_eq!(system.changed(service), [CODE], "{service}");
    }
    assert_eq!(
        system.changed("sudo"),
        [
            "-auth       include      system-auth",
            "+auth       substack      system-auth",
            CODE
        ]
    );
}

#[test]
fn what_is_changed_is_put_back_byte_by_byte() {
    let system = System::like("debian-12");
    let before = system.read("sshd");
    assert_eq!(system.done(&["sshd", "--yes"])["state"], "changed");
    assert!(system.read("sshd").contains("auth required pam_otp.so\n"));
    assert_eq!(system.done(&["sshd", "--yes"])["state"], "already");
    let all = system.done(&[]);
    assert_eq!(
        all["services"],
        json!([{"service": "sshd", "trial_until": null}])
    );
    assert_eq!(system.done(&["sshd", "--undo"])["state"], "undone");
    assert_eq!(system.read("sshd"), before);
    assert_eq!(system.done(&[])["services"], json!([]));
    system.refused(&["sshd", "--undo"], "not_set_up");
    system.refused(&["sshd", "--confirm"], "no_trial");
}

#[test]
fn a_file_that_was_changed_since_stays_unless_told() {
    let system = System::like("debian-12");
    let before = system.read("sudo");
    system.done(&["sudo", "--yes"]);
    let changed = format!("{}# mine\n", system.read("sudo"));
    system.write("sudo", &changed);
    let error = system.refused(&["sudo", "--undo"], "changed_stack");
    assert!(error["difference"].as_str().unwrap().contains("+# mine\n"));
    assert_eq!(system.read("sudo"), changed);
    system.done(&["sudo", "--undo", "--force"]);
    assert_eq!(system.read("sudo"), before);
}

#[test]
fn a_vendor_s_file_stays_and_one_before_it_is_made_and_taken_away() {
    let system = System::like("debian-12");
    let vendor = system.root.path().join("usr/lib/pam.d");
    fs::create_dir_all(&vendor).unwrap();
    fs::rename(system.path("sudo"), vendor.join("sudo")).unwrap();
    system.done(&["sudo", "--yes"]);
    assert!(system.read("sudo").contains("pam_otp.so"));
    let own = fs::read_to_string(vendor.join("sudo")).unwrap();
    assert!(!own.contains("pam_otp.so"));
    system.done(&["sudo", "--undo"]);
    assert!(!system.path("sudo").exists());
}

#[test]
fn jumps_of_the_file_s_own_lines_go_where_they_went() {
    for (text, expected) in [
        (
            "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
             auth required pam_permit.so\n",
            "auth [success=1 default=ignore] pam_unix.so\nauth required pam_deny.so\n\
             auth required pam_otp.so\nauth required pam_permit.so\n",
        ),
        (
            "auth [success=ok default=1] pam_succeed_if.so user ingroup robots\n\
             auth required pam_unix.so\nauth optional pam_group.so\n",
            "",
        ),
        (
            "auth [default=2 success=ignore] pam_localuser.so\nauth required pam_unix.so\n\
             auth [default=1] pam_permit.so\nauth requisite pam_deny.so\n\
             auth optional pam_cap.so\n",
            "auth [default=3 success=ignore] pam_localuser.so\nauth required pam_unix.so\n\
             auth required pam_otp.so\nauth [default=1] pam_permit.so\n\
             auth requisite pam_deny.so\nauth optional pam_cap.so\n",
        ),
        (
            "auth requisite pam_unix.so\nauth optional pam_cap.so\n",
            "auth required pam_unix.so\nauth required pam_otp.so\nauth optional pam_cap.so\n",
        ),
    ] {
        let system = System::like("debian-12");
        system.write("mine", text);
        let (answer, ok) = system.world.ask(&system.arguments(&["mine", "--yes"]), "");
        if expected.is_empty() {
            assert!(!ok, "{}", system.read("mine"));
            assert_eq!(answer["error"]["code"], "no_place");
            assert_eq!(system.read("mine"), text);
        } else {
            assert!(ok, "{answer}");
            assert_eq!(system.read("mine"), expected);
        }
    }
}

#[test]
fn what_is_not_understood_is_named_and_stays() {
    let system = System::like("debian-12");
    let text = "@include common-auth\nauth requird pam_group.so\n";
    system.write("mine", text);
    let error = system.refused(&["mine", "--yes"], "bad_stack");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("mine: line 2: `requird`"), "{message}");
    assert_eq!(system.read("mine"), text);
    std::os::unix::fs::symlink(system.path("sudo"), system.path("link")).unwrap();
    system.refused(&["link", "--yes"], "bad_stack");
    system.refused(&["not-there"], "unknown_service");
    system.refused(&["../sudo"], "bad_stack");
    system.write("mine", "auth required pam_permit.so\n");
    system.refused(&["mine"], "no_place");
    system.refused(&["sudo", "--method", "key+code"], "usage");
    system.refused(&["--undo"], "usage");
}

#[test]
fn with_enrolment_at_the_first_login_a_wrong_password_still_ends_it() {
    let system = System::like("debian-12");
    let policy = fs::read_to_string(system.world.policy()).unwrap();
    fs::write(
        system.world.policy(),
        format!("{policy}unenrolled = \"enroll\"\n"),
    )
    .unwrap();
    assert_eq!(system.changed("sshd"), [CODE]);
    assert!(
        system.done(&["sshd"])["warnings"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// Runs it until this call of the system's, the so many-th time, at which it is
/// killed. Whether it was.
fn killed_at(system: &System, arguments: &[&str], call: &str, time: u32) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e"]);
    strace.arg(format!("inject={call}:signal=KILL:when={time}"));
    strace.arg(env!("CARGO_BIN_EXE_pam-otp"));
    strace.args(system.arguments(arguments));
    let output = strace.stdin(Stdio::null()).output();
    !output.unwrap().status.success()
}

/// What somebody writes between two reads would be kept as one thing, and replaced by
/// what another was made into.
#[test]
fn a_stack_is_read_once_before_it_is_decided_on() {
    let system = System::like("debian-12");
    let trace = system.root.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=readlink,readlinkat"]);
    strace
        .arg("-P")
        .arg(system.path("sudo"))
        .arg("-o")
        .arg(&trace);
    strace.arg(env!("CARGO_BIN_EXE_pam-otp"));
    strace.args(system.arguments(&["sudo"]));
    let output = strace.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let looked = fs::read_to_string(trace).unwrap();
    let looked = looked.lines().filter(|line| line.contains("readlink"));
    assert_eq!(looked.count(), 1);
}

#[test]
fn a_file_that_comes_into_being_before_a_vendor_s_is_not_replaced() {
    let system = System::like("debian-12");
    let vendor = system.root.path().join("usr/lib/pam.d");
    fs::create_dir_all(&vendor).unwrap();
    fs::rename(system.path("sudo"), vendor.join("sudo")).unwrap();
    // While the lock is waited for, which stands between what is read and the change.
    let kept = system.root.path().join("var/lib/pam-otp-setup");
    fs::create_dir_all(&kept).unwrap();
    let lock = fs::File::create(kept.join(".lock")).unwrap();
    let mut flock = Command::new("flock");
    flock
        .arg(kept.join(".lock"))
        .args(["sh", "-c", "echo held; read line"]);
    let mut holder = flock
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    drop(lock);
    let mut setup = Command::new(env!("CARGO_BIN_EXE_pam-otp"));
    setup.args(system.arguments(&["--json", "sudo", "--yes"]));
    let setup = setup
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_lock(setup.id());
    system.write("sudo", "auth required pam_unix.so\n# mine\n");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let output = setup.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["error"]["code"], "changed_stack", "{answer}");
    assert!(system.read("sudo").contains("# mine"));
    assert_eq!(system.done(&[])["services"], json!([]));
}

/// Until this process waits for a lock on a file.
fn wait_for_lock(pid: u32) {
    let waits = poll_until(Duration::from_secs(30), || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let own = format!(" {pid} ");
        locks
            .lines()
            .any(|line| line.contains("->") && line.contains(&own))
    });
    assert!(waits, "{pid} waits for no lock");
}

/// What is set up is undone; whoever is killed on the way, the next run finds the
/// stack as it was or as it was set up, and never takes it away.
#[test]
fn an_undo_that_is_killed_at_any_change_of_a_name_leaves_a_stack_that_was() {
    let (before, after) = {
        let system = System::like("debian-12");
        let before = system.read("sudo");
        system.done(&["sudo", "--yes"]);
        (before, system.read("sudo"))
    };
    for call in ["unlink", "unlinkat", "rename", "renameat", "fsync"] {
        for time in 1..40 {
            let system = System::like("debian-12");
            system.done(&["sudo", "--yes"]);
            if !killed_at(&system, &["sudo", "--undo"], call, time) {
                break;
            }
            let now = system.read("sudo");
            assert!(now == before || now == after, "{call} {time}: {now}");
            // A trial that is over: what is kept still is put back by the next run.
            let kept = system.root.path().join("var/lib/pam-otp-setup");
            for name in ["sudo", ".sudo.old"] {
                let kept = kept.join(name);
                if kept.exists() {
                    fs::write(kept.join("deadline"), "1").unwrap();
                }
            }
            system.done(&[]);
            system.done(&["sudo", "--yes"]);
            assert_eq!(system.read("sudo"), after, "{call} {time}");
            system.done(&["sudo", "--undo"]);
            assert_eq!(system.read("sudo"), before, "{call} {time}");
        }
    }
}

#[test]
fn services_that_include_the_one_that_is_changed_are_named() {
    let system = System::like("debian-12");
    let warnings = |service| system.done(&[service])["warnings"].to_string();
    assert!(warnings("su").contains("su-l: has the lines of su, and asks for a code too"));
    let of_all = warnings("common-auth");
    for service in ["login", "sshd", "sudo"] {
        assert!(of_all.contains(service), "{of_all}");
    }
    assert!(!warnings("sudo").contains("asks for a code too"));
}

/// Below another root somebody else may have written what is kept.
#[test]
fn what_is_kept_below_another_root_names_no_file_elsewhere() {
    let system = System::like("debian-12");
    let elsewhere = system.root.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    let kept = system.root.path().join("var/lib/pam-otp-setup/sudo");
    fs::create_dir_all(&kept).unwrap();
    let path = elsewhere.to_str().unwrap();
    let forged = [
        ("stack.path", path),
        ("stack.before", "theirs"),
        ("stack.after", "mine"),
        ("deadline", "1"),
    ];
    for (name, text) in forged {
        fs::write(kept.join(name), text).unwrap();
    }
    system.done(&[]);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
}

#[test]
fn a_trial_that_cannot_be_undone_keeps_no_other_from_it() {
    let system = System::like("debian-12");
    let before = system.read("sudo");
    let services = ["login", "sudo"];
    for service in services {
        system.done(&[service, "--yes"]);
    }
    for service in services {
        let kept = system.root.path().join("var/lib/pam-otp-setup");
        fs::write(kept.join(service).join("deadline"), "1").unwrap();
    }
    // Another program's by now.
    fs::remove_file(system.path("login")).unwrap();
    std::os::unix::fs::symlink("other", system.path("login")).unwrap();
    system.refused(&[], "bad_stack");
    assert_eq!(system.read("sudo"), before);
}
