//! An ordinary user sets limits and starts a real, setuid su: nobody gets in
//! without a code that is spent, no signal kills for what we do, and the next
//! login works.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a helper that fails is a broken test; the log may be late"
)]

mod common;
mod faults;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use faults::{Guest, House, each};
use pam_otp_testkit::sandbox::{Sandbox, run};
use pam_otp_testkit::strace::{Finished, finish};

/// A house with a su that asks for the code alone.
struct Place {
    house: House,
}

/// How a su under a limit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    In,
    NotIn,
    /// By this signal.
    Killed(i32),
}

impl Place {
    fn or_skip() -> Option<Self> {
        let house = House::with_homes()?;
        let place = Self { house };
        place.sandbox().add_user("mallory", "battery staple");
        // How long su itself sleeps after a refusal.
        place
            .sandbox()
            .write("/etc/login.defs", "FAIL_DELAY 0\n", 0o644);
        place.stack(&format!("auth required {}", place.house.realm.module("")));
        Some(place)
    }

    fn sandbox(&self) -> &Sandbox {
        self.house.sandbox.as_ref().expect("a sandbox")
    }

    /// Who has no record would be let in.
    fn stack(&self, line: &str) {
        let rest = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so";
        self.sandbox().pam_service("su", &format!("{line}\n{rest}"));
    }

    /// mallory becomes a user, or tries to. Before, a line of a shell; it ends
    /// in what stands before `su`.
    fn su(&self, limit: &str, user: &str, reply: &str) -> Finished {
        let mut command = self.sandbox().command_as("mallory", "sh");
        let script = format!("{limit} su \"$1\" -c 'echo in-as $(id -un)'");
        command.args(["-c", &script, "sh", user]);
        finish(command, &format!("{reply}\n"))
    }

    fn end(finished: &Finished) -> End {
        match finished.signal() {
            Some(signal) => End::Killed(signal),
            None if finished.stdout.contains("in-as ") => End::In,
            None => End::NotIn,
        }
    }

    /// A login under a limit, and what must be true after.
    fn try_limit(&self, worker: usize, limit: &str) -> End {
        let guest = self.house.guest(worker);
        self.try_limit_of(&guest, limit)
    }

    fn try_limit_of(&self, guest: &Guest, limit: &str) -> End {
        let finished = self.su(limit, &guest.name, &guest.code);
        let end = Self::end(&finished);
        if end == End::In {
            let again = self.house.visit(&guest.name, &guest.code);
            let used = again.line().contains(" reason=used_code ");
            assert!(used, "{limit}: {finished:#?}\n{again:?}");
        }
        self.house.check_after(guest, &finished, limit);
        end
    }

    /// All of these, several at once. Each end that is named must have come
    /// about, and no other: else nothing was limited.
    fn try_limits(&self, limits: &[String], expected: &[End]) {
        let ends = Mutex::new(BTreeSet::new());
        println!("{} points", limits.len());
        each(limits, |worker, limit| {
            let end = self.try_limit(worker, limit);
            assert!(expected.contains(&end), "{limit}: {end:?}");
            ends.lock().expect("ends").insert(end);
        });
        let ends = ends.into_inner().expect("ends");
        assert_eq!(ends, expected.iter().copied().collect());
    }

    fn logged(&self, words: &str) -> bool {
        let lines = self.sandbox().syslog().lines();
        lines.iter().any(|line| line.contains(words))
    }

    /// The log may take its time on a busy machine.
    fn comes_to_be_logged(&self, words: &str) {
        let syslog = self.sandbox().syslog();
        syslog.wait_for(|line| line.contains(words), Duration::from_secs(10));
    }
}

/// Blocks of 512 bytes, as the shell counts them. The state file has 16.
const FILE_SIZES: [u64; 7] = [0, 1, 7, 8, 9, 15, 16];

#[test]
fn under_a_limit_on_the_size_of_files_nobody_gets_in_or_dies_until_it_suffices() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    // There su itself writes down who was refused, and would die of that.
    run(place.sandbox().command("rm").arg("/var/log/btmp"), "");
    // What the signal would do to a program that writes beyond: end it, nothing.
    for signal in ["", "trap '' XFSZ;"] {
        for size in FILE_SIZES {
            for has_state in [true, false] {
                let limit = format!("{signal} ulimit -f {size}; exec");
                let guest = place.house.guest(0);
                if !has_state {
                    let state = place.house.record(&guest.name).join("state");
                    place
                        .house
                        .inside(|| std::fs::remove_file(state).expect("remove"));
                }
                place.sandbox().syslog().clear();
                let end = place.try_limit_of(&guest, &limit);
                let enough = size >= 16;
                assert_eq!(end == End::In, enough, "{limit}: {end:?}");
                assert!(!matches!(end, End::Killed(_)), "{limit}: {end:?}");
                let told = "outcome=denied reason=file_size_limit ";
                if enough {
                    assert!(!place.logged(told), "{limit}");
                } else {
                    place.comes_to_be_logged(told);
                }
            }
        }
    }
}

/// What is done for who has no record must not end su either, nor tell by that.
#[test]
fn under_a_limit_on_the_size_of_files_nobody_dies_who_has_no_record() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    run(place.sandbox().command("rm").arg("/var/log/btmp"), "");
    place.sandbox().add_user("newcomer", "correct horse");
    let module = place.house.realm.module("unenrolled=deny");
    place.stack(&format!("auth required {module}"));
    for size in FILE_SIZES {
        for user in ["newcomer", "root"] {
            place.sandbox().syslog().clear();
            let finished = place.su(&format!("ulimit -f {size}; exec"), user, "123456");
            assert_eq!(Place::end(&finished), End::NotIn, "{size}: {finished:#?}");
            place.comes_to_be_logged("outcome=denied reason=unenrolled ");
        }
    }
}

#[test]
fn under_a_limit_on_descriptors_nobody_gets_by() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    let limits: Vec<_> = (3..=40)
        .map(|most| format!("ulimit -n {most}; exec"))
        .collect();
    place.try_limits(&limits, &[End::In, End::NotIn]);
}

#[test]
fn under_a_limit_on_processes_nobody_gets_by() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    for most in 0..4 {
        // dash calls it -p, others -u. The shell itself may fail at it.
        let limit = format!("ulimit -p {most} 2>/dev/null || ulimit -u {most}; exec");
        let end = place.try_limit(0, &limit);
        assert!(!matches!(end, End::Killed(_)), "{limit}: {end:?}");
    }
}

#[test]
fn under_a_limit_on_memory_nobody_gets_by_and_su_dies_of_nothing_that_we_do() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    // KiB of address space; of data.
    let address_space = (1..=100).map(|step| format!("ulimit -v {}; exec", step * 512));
    let data = (0..=40).map(|step| format!("ulimit -d {}; exec", step * 64));
    let limits: Vec<_> = address_space.chain(data).collect();
    println!("{} points", limits.len());

    // What kills su by itself: without us it would let in.
    place.stack("");
    let deadly = Mutex::new(BTreeSet::new());
    each(&limits, |_, limit| {
        let finished = place.su(limit, "resident0", "");
        if finished.signal().is_some() {
            deadly.lock().expect("limits").insert(limit.clone());
        }
    });
    let deadly = deadly.into_inner().expect("limits");

    place.stack(&format!("auth required {}", place.house.realm.module("")));
    let ends = Mutex::new(BTreeSet::new());
    each(&limits, |worker, limit| {
        let end = place.try_limit(worker, limit);
        let killed = matches!(end, End::Killed(_));
        assert!(!killed || deadly.contains(limit), "{limit}: {end:?}");
        if !killed {
            ends.lock().expect("ends").insert(end);
        }
    });
    let ends = ends.into_inner().expect("ends");
    assert_eq!(ends, BTreeSet::from([End::In, End::NotIn]));
}

#[test]
fn a_login_that_runs_out_of_processor_time_opens_nothing_twice_and_keeps_nobody_out() {
    let Some(place) = Place::or_skip() else {
        return;
    };
    let burn = place.sandbox().own().join("burn");
    // Handed in: the tree may lie where the sandbox has something else.
    let source = include_str!("fixtures/burn.c");
    let mut cc = place.sandbox().command("cc");
    run(
        cc.args(["-O1", "-Wall", "-Werror", "-x", "c", "-", "-o"])
            .arg(&burn),
        source,
    );
    let run_out = |used: u64| format!("ulimit -t 1; exec {} {used}", burn.display());
    let limits: Vec<_> = (970..1000)
        .step_by(2)
        .map(run_out)
        .chain([run_out(0)])
        .collect();
    println!("{} points", limits.len());
    let ends = Mutex::new(Vec::new());
    each(&limits, |worker, limit| {
        let end = place.try_limit(worker, limit);
        ends.lock().expect("ends").push(end);
    });
    let ends = ends.into_inner().expect("ends");
    assert!(ends.contains(&End::In), "{ends:?}");
    let killed = |end: &&End| matches!(end, End::Killed(libc::SIGXCPU | libc::SIGKILL));
    assert!(
        ends.iter().any(|end| killed(&end)),
        "nobody ran out: {ends:?}"
    );
    assert!(
        ends.iter()
            .all(|end| killed(&end) || !matches!(end, End::Killed(_))),
        "{ends:?}"
    );
}
