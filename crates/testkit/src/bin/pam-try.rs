//! One login through libpam, as a process of its own.
//!
//! usage: `pam-try --service S --user U [--confdir DIR] [--rhost R] [--tty T]
//! [--ruser R] [--wait[=READY,GATE]] [--careless] [--mute] < replies`
//!
//! Replies are the lines of standard input. The line `@code` is a code of the
//! key that a first login has shown, and nothing where none was. Prints `code=7 setcred=-` and
//! then a line for each prompt; what modules log goes to standard error too.
//! Exits 0 if the user is in, 1 if not, 2 if it was called wrongly.
//!
//! With `--careless`, its standard input, output and error are closed while the
//! module works, and it prints all the same.
//!
//! With `--mute`, it refuses to show messages; it asks questions all the same.
//!
//! With `--wait`, it writes one byte to descriptor READY (3) when it is asked
//! for its last reply, and gives that reply when descriptor GATE (4) ends.

use pam_otp_testkit::authenticator;
use pam_otp_testkit::pam::{Application, Reply, Stack};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut application = Application::new();
    let (mut service, mut directory, mut wait, mut careless) = (None, None, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--careless" {
            careless = true;
            continue;
        }
        if argument == "--mute" {
            application = application.mute_messages();
            continue;
        }
        if argument == "--wait" {
            wait = Some((3, 4));
            continue;
        }
        if let Some(pair) = argument.strip_prefix("--wait=") {
            wait = descriptors(pair);
            continue;
        }
        let Some(value) = arguments.next() else {
            return usage(&argument);
        };
        match argument.as_str() {
            "--service" => service = Some(value),
            "--confdir" => directory = Some(PathBuf::from(value)),
            "--user" => application = application.user(value),
            "--rhost" => application = application.rhost(value),
            "--tty" => application = application.tty(value),
            "--ruser" => application = application.ruser(value),
            _ => return usage(&argument),
        }
    }
    let Some(service) = service else {
        return usage("no --service");
    };
    log_to_stderr();

    for reply in replies(wait) {
        let reply = if careless {
            Reply::after(print_carelessly, reply)
        } else {
            reply
        };
        application = application.reply(reply);
    }
    let kept = careless.then(close_stdio);
    let transcript = application.authenticate(&Stack::existing(&service, directory.as_deref()));
    if let Some(kept) = kept {
        kept.give_back();
    }

    let setcred = transcript
        .setcred
        .map_or("-".to_owned(), |code| code.to_string());
    println!("code={} setcred={setcred}", transcript.code);
    for (style, text) in &transcript.prompts {
        println!("{style:?} {text:?}");
    }
    ExitCode::from(u8::from(!transcript.entered()))
}

fn replies(wait: Option<(RawFd, RawFd)>) -> Vec<Reply> {
    let mut input = String::new();
    std::io::stdin()
        .read_to_string(&mut input)
        .expect("read replies");
    let mut replies: Vec<Reply> = input.lines().map(reply).collect();
    // The last one: with password and code asked one after the other, it is
    // the code that must arrive at the same instant.
    if let Some(wait) = wait {
        let last = replies.pop().expect("a reply to wait with");
        replies.push(Reply::after(move || stand_at_the_gate(wait), last));
    }
    replies
}

fn reply(line: &str) -> Reply {
    match line {
        "@code" => Reply::reading(|said| {
            let key = said.split_once("Key:     ").map(|(_, rest)| rest);
            let line = key.and_then(|rest| rest.lines().next()).unwrap_or_default();
            let key: String = line.split_whitespace().collect();
            if key.is_empty() {
                return key;
            }
            authenticator::code(&key, authenticator::now())
        }),
        line => Reply::from(line),
    }
}

fn stand_at_the_gate((ready, gate): (RawFd, RawFd)) {
    // SAFETY: whoever passed --wait opened these two for this process, which
    // uses them nowhere else.
    let (mut ready, mut gate) = unsafe { (File::from_raw_fd(ready), File::from_raw_fd(gate)) };
    ready.write_all(b"!").expect("say ready");
    gate.read_to_end(&mut Vec::new())
        .expect("wait for the gate");
}

/// Standard input, output and error, where a module's files do not get in their
/// way.
struct Kept([RawFd; 3]);

/// What some daemons do at their start, and then go on printing.
fn close_stdio() -> Kept {
    // SAFETY: plain system calls on descriptors of this process's own.
    Kept([0, 1, 2].map(|fd| unsafe {
        let kept = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100);
        libc::close(fd);
        kept
    }))
}

fn print_carelessly() {
    let text = b"somebody logs in, says a daemon that has closed its output\n";
    for fd in [1, 2] {
        // SAFETY: the buffer is as long as is said; a closed descriptor is an
        // error that is of no interest.
        unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    }
}

impl Kept {
    fn give_back(self) {
        for (fd, kept) in (0..).zip(self.0) {
            // SAFETY: plain system calls on descriptors of this process's own.
            unsafe { libc::dup2(kept, fd) };
        }
    }
}

fn log_to_stderr() {
    // SAFETY: the identity is a static string, as openlog demands.
    unsafe { libc::openlog(c"pam-try".as_ptr(), libc::LOG_PERROR, libc::LOG_AUTHPRIV) };
}

fn descriptors(pair: &str) -> Option<(RawFd, RawFd)> {
    let (ready, gate) = pair.split_once(',')?;
    Some((ready.parse().ok()?, gate.parse().ok()?))
}

fn usage(argument: &str) -> ExitCode {
    eprintln!("pam-try: error: {argument}");
    eprintln!("pam-try: hint: pam-try --service S --user U [--confdir DIR] [--rhost R] [--wait]");
    ExitCode::from(2)
}
