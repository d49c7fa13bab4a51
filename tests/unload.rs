//! libpam unloads a module at `pam_end`. A server that logs in for years in
//! one process must be after each login as it was before.
//!
//! One test in a file of its own: nothing else may run in this process.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a broken test")]

mod common;

use std::fs;

use common::{Phone, Realm};
use pam_otp_testkit::pam::{self, Application, Reply, Stack};

/// Enough that a leak of a few bytes for each login shows.
const ROUNDS: usize = 300;

#[test]
fn hundreds_of_logins_in_one_process_leave_it_as_it_was() {
    let realm = Realm::new("");
    let phone = realm.enrol("alice");
    let stack = Stack::new(
        "door",
        &format!(
            "auth [success=ok ignore=ignore default=die] {}\nauth required {}",
            realm.module("split"),
            realm.module("")
        ),
    );
    // What is set up once (the C library's log, its heap) is set up now.
    let used = phone.code();
    assert!(login(&stack, &used));
    rounds(&stack, &phone, &used);
    assert!(
        loaded_while_it_asks(&stack),
        "the check below looks wrongly"
    );
    let before = Process::look();
    assert!(
        !before.has_module(),
        "the module is not unloaded: {before:?}"
    );

    rounds(&stack, &phone, &used);
    let after = Process::look();
    assert_eq!(before.descriptors, after.descriptors);
    assert_eq!(before.mapped, after.mapped);
    let grown = after.resident.saturating_sub(before.resident);
    assert!(grown <= 512, "{grown} KiB more after {ROUNDS} logins");
    let mapped = after.mappings.abs_diff(before.mappings);
    assert!(mapped <= 2, "{before:?}\n{after:?}");
}

/// Logins of every kind but the granted: that is for one code each.
fn rounds(stack: &Stack, phone: &Phone, used: &str) {
    for round in 0..ROUNDS {
        let reply = match round % 4 {
            0 => used.to_owned(),
            1 => phone.wrong(),
            // Held by the first line, and never asked for.
            2 => "password".to_owned(),
            _ => phone.secret.clone(),
        };
        assert!(!login(stack, &reply));
    }
}

/// Whether the module is seen where it must be.
fn loaded_while_it_asks(stack: &Stack) -> bool {
    let (say, hear) = std::sync::mpsc::channel();
    let look = move || say.send(Process::look().has_module()).unwrap_or_default();
    let login = Application::new().user("alice");
    let login = login.reply(Reply::after(look, "")).authenticate(stack);
    login.code != pam::SUCCESS && hear.recv() == Ok(true)
}

fn login(stack: &Stack, reply: &str) -> bool {
    let login = Application::new().user("alice").reply(reply);
    login.authenticate(stack).code == pam::SUCCESS
}

/// What of a process an unloaded module could have left changed.
#[derive(Debug)]
struct Process {
    descriptors: Vec<String>,
    /// The files that are mapped.
    mapped: Vec<String>,
    mappings: usize,
    /// In KiB.
    resident: u64,
}

impl Process {
    fn has_module(&self) -> bool {
        self.mapped.iter().any(|file| file.contains("pam_otp"))
    }

    fn look() -> Self {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let files = maps
            .lines()
            .filter_map(|line| line.find('/').map(|at| line.split_at(at).1));
        let mut mapped: Vec<_> = files.map(str::to_owned).collect();
        mapped.sort();
        mapped.dedup();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.trim().split(' ').next());
        Self {
            descriptors: descriptors(),
            mapped,
            mappings: maps.lines().count(),
            resident: resident.unwrap().parse().unwrap(),
        }
    }
}

fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
