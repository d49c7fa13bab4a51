//! The person in front of the terminal, or the program in their place.

use std::io::{self, BufRead, IsTerminal as _, Read, Write};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use pam_otp_core::answer::{Answer, MAX_ANSWER};
use zeroize::Zeroizing;

use crate::error::Error;

/// Says something that is no result.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what is not wrong, but to be known.
pub(crate) fn warn(text: &str) {
    tell(&format!("pam-otp: warning: {text}"));
}

/// Whether a person types the answers, and is there to be asked.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Says something that no program wants to hear.
pub(crate) fn prompt(text: &str) -> Result<(), Error> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{text}")?;
    stderr.flush()?;
    Ok(())
}

/// Whether something was typed, or the terminal is gone; waits so many milliseconds
/// for it.
pub(crate) fn has_typed(milliseconds: u16) -> Result<bool, Error> {
    let stdin = io::stdin();
    let mut input = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut input, milliseconds) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(Error::Io(errno.into())),
    }
}

/// Reads one line of standard input that is no secret; none at its end.
pub(crate) fn read_line() -> Result<Option<String>, Error> {
    let mut line = Vec::new();
    io::stdin().lock().take(256).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// Reads one line of standard input: a code.
pub(crate) fn read_code() -> Result<Answer, Error> {
    // Room for all: a buffer that grows would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_ANSWER.saturating_add(2)));
    let limit = u64::try_from(line.capacity()).unwrap_or(0);
    io::stdin()
        .lock()
        .take(limit)
        .read_until(b'\n', &mut line)?;
    // What stands after the longest answer belongs to it, and not to the next one.
    // (A program's could be without end.)
    if line.len() == line.capacity() && !line.ends_with(b"\n") && is_there() {
        pass_over_line()?;
    }
    if line.is_empty() {
        return Err(Error::NoCode);
    }
    Ok(Answer::parse(line.trim_ascii_end()))
}

/// Reads to the end of the line, and keeps nothing of it.
fn pass_over_line() -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    loop {
        let there = stdin.fill_buf()?;
        let end = there.iter().position(|byte| *byte == b'\n');
        let over = end.is_some() || there.is_empty();
        let length = end.map_or(there.len(), |at| at.saturating_add(1));
        stdin.consume(length);
        if over {
            return Ok(());
        }
    }
}
