//! What does not depend on the clock: instructions, system calls, bytes.

use std::fs;
use std::process::Command;

use pam_otp_testkit::strace::{self, Call, Children};
use pam_otp_testkit::temp::TempDir;

use crate::world::{Case, Module, World};

/// One module.
pub(crate) struct Counted {
    pub(crate) module: Module,
    /// Bytes of its file.
    pub(crate) size: u64,
    /// Other files that are opened to load it, C library and libpam not counted.
    pub(crate) libraries: Vec<String>,
    pub(crate) cases: Vec<Counts>,
}

/// One transaction of a module, in a fresh process.
pub(crate) struct Counts {
    pub(crate) case: Case,
    /// From `pam_start` to `pam_end`, loading included, as callgrind counts them.
    pub(crate) instructions: u64,
    /// Of the whole process.
    pub(crate) calls: usize,
    /// Of the same transaction once more in that process: without what is read once
    /// in a program's life, such as the time zone and where users are looked up.
    pub(crate) calls_again: usize,
    /// Written to files.
    pub(crate) bytes: u64,
    /// `fsync` and `fdatasync`.
    pub(crate) flushes: usize,
}

pub(crate) fn modules(world: &World) -> Vec<Counted> {
    let libraries = |module| {
        let calls = calls(world, module, Case::Right);
        let opened = calls.iter().filter_map(library);
        opened.collect::<Vec<_>>()
    };
    let base = libraries(Module::Permit);
    let counted = Module::ALL.map(|module| {
        let file = world.file(module);
        let mut libraries = libraries(module);
        libraries.retain(|library| {
            !base.contains(library) && !file.ends_with(library.rsplit('/').next().unwrap_or(""))
        });
        Counted {
            module,
            size: fs::metadata(&file).map_or(0, |metadata| metadata.len()),
            libraries,
            cases: Case::ALL.map(|case| counts(world, module, case)).into(),
        }
    });
    counted.into()
}

fn counts(world: &World, module: Module, case: Case) -> Counts {
    let instructions = instructions(world, module, case);
    let calls = calls(world, module, case);
    let writes = calls.iter().filter(is_file_write);
    let is_flush = |call: &&Call| ["fsync", "fdatasync"].contains(&call.name.as_str());
    Counts {
        case,
        instructions,
        bytes: writes.filter_map(result).sum(),
        flushes: calls.iter().filter(is_flush).count(),
        calls: calls.len(),
        calls_again: calls_again(world, module, case),
    }
}

/// Puts everything back; has the right code used where it shall be. The order for
/// the login that is to be counted.
fn prepare(world: &World, module: Module, case: Case) -> String {
    let mut application = world.start();
    application.restore(&world.put_back(module, 1));
    let order = world.login(module, case);
    if case == Case::Used {
        application.login(&order);
    }
    format!("{order}\n")
}

fn calls(world: &World, module: Module, case: Case) -> Vec<Call> {
    traced(world, &prepare(world, module, case))
}

fn calls_again(world: &World, module: Module, case: Case) -> usize {
    let login = prepare(world, module, case);
    let mut orders = vec![login.trim_end().to_owned()];
    if case != Case::Used {
        orders.extend(world.put_back(module, 1));
    }
    let calls = traced(world, &format!("{}\n{login}", orders.join("\n")));
    // Each order ends with its answer.
    let mut transactions = calls.split(is_answer);
    let last = transactions.nth(orders.len());
    last.expect("one transaction for each order").len()
}

fn traced(world: &World, input: &str) -> Vec<Call> {
    let program = world.program();
    let words: Vec<&str> = program.iter().filter_map(|path| path.to_str()).collect();
    let (finished, calls) =
        strace::list(Command::new("strace"), Children::Forbidden, &words, input);
    assert!(finished.status.success(), "{finished:?}");
    calls
}

fn instructions(world: &World, module: Module, case: Case) -> u64 {
    let input = prepare(world, module, case);
    let directory = TempDir::new();
    let out = directory.path().join("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]);
    for function in [
        "pam_start_confdir",
        "pam_authenticate",
        "pam_setcred",
        "pam_end",
    ] {
        valgrind.arg(format!("--toggle-collect={function}"));
    }
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.args(world.program());
    let finished = strace::finish(valgrind, &input);
    assert!(finished.status.success(), "{finished:?}");
    let counted = fs::read_to_string(&out).expect("what callgrind counted");
    let mut lines = counted.lines();
    let total = lines.find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.expect("a total")
}

/// The shared library that a call has opened.
fn library(call: &Call) -> Option<String> {
    let path = call.text.split('"').nth(1)?;
    let opened = call.name == "openat" && result(call).is_some();
    (opened && path.contains(".so") && !path.contains("ld.so.cache")).then(|| path.to_owned())
}

/// Written to something else than the harness.
fn is_file_write(call: &&Call) -> bool {
    ["write", "pwrite64", "writev"].contains(&call.name.as_str()) && !is_answer(call)
}

fn is_answer(call: &Call) -> bool {
    call.text.starts_with("write(1,")
}

/// What a call returned, if it did not fail.
fn result(call: &Call) -> Option<u64> {
    let (_, result) = call.text.rsplit_once(" = ")?;
    result.split(' ').next()?.parse().ok()
}
