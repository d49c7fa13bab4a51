//! One system call of a program goes wrong: it is killed there, or the call
//! fails. By strace (package strace), which also lists the calls there are.

use crate::process::Guard;
use crate::temp::TempDir;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// More than any login takes: who reaches it hangs.
const HANG: Duration = Duration::from_secs(60);

/// One call out of a program's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Such as `openat`.
    pub name: String,
    /// The how manieth of this name since the program began, from 1 on.
    pub occurrence: usize,
    /// As strace prints it, with arguments and result.
    pub text: String,
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The program is killed as it makes it.
    Kill,
    /// It is not made, and fails with this error, such as `EIO`.
    Error(&'static str),
}

/// What becomes of the programs that a program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// There are none: it is an error if there is one.
    Forbidden,
    /// They run untraced, and nothing goes wrong in them. Slower.
    Untraced,
}

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    /// A signal's death is the program's own, as if strace were not there.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said, logs included.
    pub stderr: String,
    /// strace's output.
    pub trace: String,
}

impl Finished {
    /// The signal that killed it.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// Runs a program to its end, all of its calls listed.
///
/// `strace` starts strace: `Command::new("strace")`, or a sandbox's. `program`
/// is the program and its arguments.
#[must_use]
pub fn list(
    strace: Command,
    children: Children,
    program: &[&str],
    input: &str,
) -> (Finished, Vec<Call>) {
    let finished = run(strace, children, &[], program, input);
    let calls = calls(&finished.trace);
    (finished, calls)
}

/// Runs a program with a fault at one call.
///
/// # Panics
/// If the program does not come to that call: then it proves nothing.
#[must_use]
pub fn inject(
    strace: Command,
    children: Children,
    call: &Call,
    fault: Fault,
    program: &[&str],
    input: &str,
) -> Finished {
    let what = match fault {
        Fault::Kill => "signal=SIGKILL".to_owned(),
        Fault::Error(error) => format!("error={error}"),
    };
    let Call {
        name, occurrence, ..
    } = call;
    let trace = format!("trace={name}");
    let inject = format!("inject={name}:{what}:when={occurrence}");
    let mut options = vec!["-e", &trace, "-e", &inject];
    if fault != Fault::Kill && children == Children::Forbidden {
        // The other calls run at full speed. A signal would get lost that way.
        options.push("--seccomp-bpf");
    }
    let finished = run(strace, children, &options, program, input);
    let happened = match fault {
        Fault::Kill => finished.signal() == Some(libc::SIGKILL),
        Fault::Error(_) => finished.trace.contains("(INJECTED)"),
    };
    assert!(
        happened,
        "{fault:?} did not happen at {call:?}: {finished:#?}"
    );
    finished
}

/// Runs a command with `input` to its end.
///
/// # Panics
/// If it hangs; then it is killed, and what it started.
#[must_use]
pub fn finish(mut command: Command, input: &str) -> Finished {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut process = Guard(
        command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}")),
    );
    let mut stdin = process.stdin.take().expect("a pipe");
    // A program that was killed early reads nothing.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Some(status) = process.wait_for(HANG) else {
        let group = i32::try_from(process.id()).expect("a process id");
        // SAFETY: no memory of ours; the group is that of our own child, which
        // is not reaped yet, so the number is nobody else's.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        panic!("{command:?} hangs");
    };
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("read from a program");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (mut out, mut err) = (process.stdout.take(), process.stderr.take());
    Finished {
        status,
        stdout: read(out.as_mut().expect("a pipe")),
        stderr: read(err.as_mut().expect("a pipe")),
        trace: String::new(),
    }
}

fn run(
    mut strace: Command,
    children: Children,
    options: &[&str],
    program: &[&str],
    input: &str,
) -> Finished {
    let directory = TempDir::new();
    let output = directory.path().join("trace");
    if children == Children::Forbidden {
        strace.arg("-f");
    }
    strace.args(["-qq", "-s", "200", "-o"]).arg(&output);
    strace.args(options).arg("--").args(program);
    let mut finished = finish(strace, input);
    finished.trace = read(&output);
    if children == Children::Untraced {
        // Without -f there is no process id.
        let lines = finished.trace.lines().map(|line| format!("0 {line}\n"));
        finished.trace = lines.collect();
    }
    finished
}

fn read(trace: &Path) -> String {
    let text = std::fs::read(trace).unwrap_or_else(|error| panic!("{}: {error}", trace.display()));
    String::from_utf8_lossy(&text).into_owned()
}

/// The calls of a trace, in order.
///
/// # Panics
/// If there are several processes or threads: their calls could not be counted.
fn calls(trace: &str) -> Vec<Call> {
    let mut seen = HashMap::new();
    let mut process = None;
    let mut calls = Vec::new();
    for line in trace.lines() {
        let (pid, text) = line
            .split_once(char::is_whitespace)
            .expect("a process id first");
        let text = text.trim_start();
        assert_eq!(
            *process.get_or_insert(pid),
            pid,
            "more than one process: {line}"
        );
        // Signals ("---") and the end ("+++") are no calls.
        let Some((name, _)) = text
            .split_once('(')
            .filter(|_| !text.starts_with(['-', '+']))
        else {
            continue;
        };
        let occurrence = seen.entry(name.to_owned()).or_insert(0);
        *occurrence += 1;
        calls.push(Call {
            name: name.to_owned(),
            occurrence: *occurrence,
            text: text.to_owned(),
        });
    }
    calls
}
