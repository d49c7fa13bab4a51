//! Many logins at the same instant.

use crate::pam::Stack;
use crate::process::{Guard, check, pipe, readable};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long one login may take to reach its prompt, and to end.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How one login of a race ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Whether the user got in.
    pub entered: bool,
    /// What `pam-try` printed: `code=7 setcred=-`, then the prompts.
    pub report: String,
    /// What modules logged.
    pub log: String,
}

/// Starts one process for each (user, reply), waits until all of them are
/// asked, and lets all answer at once. Several replies are lines of one
/// string; the race is about the last of them.
///
/// A login that ends before it is asked loses; the others run.
#[must_use]
pub fn race(stack: &Stack, entrants: &[(&str, &str)]) -> Vec<Finish> {
    let program = crate::artifacts::helper("pam-try");
    race_with(|| Command::new(&program), stack, entrants)
}

/// How many got in.
#[must_use]
pub fn winners(finishes: &[Finish]) -> usize {
    finishes.iter().filter(|finish| finish.entered).count()
}

pub(crate) fn race_with(
    pam_try: impl Fn() -> Command,
    stack: &Stack,
    entrants: &[(&str, &str)],
) -> Vec<Finish> {
    let (gate, gate_key) = pipe();
    let racers: Vec<Racer> = entrants
        .iter()
        .map(|(user, replies)| Racer::start(pam_try(), stack, user, replies, &gate))
        .collect();
    for racer in &racers {
        let at_the_gate = readable(racer.ready.as_fd(), TIMEOUT);
        assert!(
            at_the_gate,
            "a login neither ended nor asked within {TIMEOUT:?}"
        );
    }
    // The writing end is closed in all children (close-on-exec), so this one
    // close is what every reader sees as the end.
    drop(gate_key);
    racers.into_iter().map(Racer::finish).collect()
}

struct Racer {
    process: Guard,
    /// Readable when the login is at its prompt, or has ended.
    ready: OwnedFd,
}

impl Racer {
    fn start(
        mut command: Command,
        stack: &Stack,
        user: &str,
        replies: &str,
        gate: &OwnedFd,
    ) -> Self {
        let (ready, say_ready) = pipe();
        let (say_ready_fd, gate_fd) = (say_ready.as_raw_fd(), gate.as_raw_fd());
        command.args(["--service", stack.service(), "--user", user]);
        if let Some(directory) = stack.directory() {
            command.arg("--confdir").arg(directory);
        }
        command.arg(format!("--wait={say_ready_fd},{gate_fd}"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // SAFETY: fcntl is async-signal-safe and the descriptors are open.
        unsafe { command.pre_exec(move || keep(say_ready_fd).and_then(|()| keep(gate_fd))) };
        let mut process = Guard(command.spawn().expect("start pam-try"));
        let mut input = process.stdin.take().expect("a pipe to pam-try");
        writeln!(input, "{replies}").expect("hand over the replies");
        Self { process, ready }
    }

    fn finish(mut self) -> Finish {
        let status = self
            .process
            .wait_for(TIMEOUT)
            .expect("a login ends in time");
        let (mut report, mut log) = (Vec::new(), Vec::new());
        self.process
            .stdout
            .take()
            .expect("a pipe")
            .read_to_end(&mut report)
            .expect("report");
        self.process
            .stderr
            .take()
            .expect("a pipe")
            .read_to_end(&mut log)
            .expect("log");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Finish {
            entered: status.success(),
            report: text(report),
            log: text(log),
        }
    }
}

/// Lets the next program inherit a descriptor.
fn keep(fd: RawFd) -> std::io::Result<()> {
    // SAFETY: F_SETFD changes a flag of a descriptor and no memory.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })
}
