//! The person in front of the terminal, or the program in their place.

use std::io::{self, BufRead, Read, Write};

use pam_otp_core::answer::{Answer, MAX_ANSWER};
use zeroize::Zeroizing;

use crate::error::Error;

/// Says something that is no result.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Asks for a code: the question on standard error, the answer from standard
/// input.
pub(crate) fn ask_code(question: &str) -> Result<Answer, Error> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    drop(stderr);
    // Room for all: a buffer that grows would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_ANSWER.saturating_add(2)));
    let limit = u64::try_from(line.capacity()).unwrap_or(0);
    io::stdin()
        .lock()
        .take(limit)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(Error::NoCode);
    }
    Ok(Answer::parse(line.trim_ascii_end()))
}
