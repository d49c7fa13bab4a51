//! All users of this system. No safe code can ask the C library for them, but
//! `getent` can.

use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::Error;

/// By this name alone: what stands in PATH is the caller's.
const GETENT: &str = "/usr/bin/getent";
/// How long it may say nothing, in milliseconds: a directory server may be slow.
const SILENCE: u16 = 20_000;
/// More than any system has.
const MOST: usize = 64 * 1024 * 1024;
/// Who stands in for it.
const PASSWD: &str = "/etc/passwd";

/// Their names, in the system's order, and a warning if these may not be all.
pub(super) fn all() -> Result<(Vec<String>, Option<String>), Error> {
    let mut getent = Command::new(GETENT);
    ask(getent.arg("passwd").env_clear(), Path::new(PASSWD))
}

fn ask(getent: &mut Command, passwd: &Path) -> Result<(Vec<String>, Option<String>), Error> {
    match output(getent) {
        Ok(text) => Ok((names(&text), None)),
        Err(error) => {
            let warning = format!(
                "{GETENT}: {error}; only users of {} are listed",
                passwd.display()
            );
            Ok((names(&std::fs::read(passwd)?), Some(warning)))
        }
    }
}

/// The first fields, each once.
fn names(text: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        // A comment, or what includes another source.
        if !name.is_empty() && !name.starts_with(['#', '+', '-']) {
            names.push(name.into_owned());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// All that a program says, if it ends well.
fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut text = Vec::new();
    let read = child
        .stdout
        .take()
        .map_or(Ok(()), |stdout| read(stdout, &mut text));
    if read.is_err() {
        let _ = child.kill();
    }
    let status = child.wait()?;
    read?;
    if status.success() {
        Ok(text)
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

fn read(mut stdout: std::process::ChildStdout, text: &mut Vec<u8>) -> io::Result<()> {
    let mut block = [0; 8192];
    loop {
        let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::from(SILENCE))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = stdout.read(&mut block)?;
        let Some(read) = block.get(..length).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        text.extend_from_slice(read);
        if text.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use pam_otp_testkit::temp::TempDir;

    use super::*;

    #[test]
    fn names_are_the_first_fields_each_once() {
        let text = b"root:x:0:0::/root:/bin/sh\n\n# no\n+::::::\nalice:x\nroot:y\nEXAMPLE\\b:x\n";
        assert_eq!(names(text), ["root", "alice", "EXAMPLE\\b"]);
    }

    #[test]
    fn where_getent_fails_the_file_stands_in_with_a_warning() {
        let directory = TempDir::new();
        let passwd = directory.path().join("passwd");
        std::fs::write(&passwd, "alice:x:1000:1000::/home/alice:/bin/sh\n").unwrap();
        let asked = |script| ask(Command::new("/bin/sh").args(["-c", script]), &passwd).unwrap();
        assert_eq!(
            asked("echo bob:x; echo eve:x"),
            (vec!["bob".to_owned(), "eve".to_owned()], None)
        );
        let (names, warning) = asked("echo bob:x; exit 3");
        assert_eq!(names, ["alice"]);
        let path = passwd.to_str().unwrap();
        assert!(warning.unwrap().contains(path));
        let missing = ask(&mut Command::new("/nonexistent"), &passwd).unwrap();
        assert_eq!(missing.0, ["alice"]);
    }
}
