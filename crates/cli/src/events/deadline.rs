//! Until when a log is read: whoever can make it long shall not make it endless.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// When reading ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now.
    pub(super) fn after(patience: Duration) -> Self {
        Self(clock().checked_add(patience))
    }

    /// What is left.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] if nothing is.
    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.0.and_then(|end| end.checked_duration_since(clock()));
        left.filter(|left| !left.is_zero())
            .ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place")]
fn clock() -> Instant {
    Instant::now()
}

/// A pipe that is waited for until then.
#[derive(Debug)]
pub(super) struct Patient<R> {
    pub(super) pipe: R,
    pub(super) deadline: Deadline,
}

impl<R: Read + AsFd> Read for Patient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Timespec::try_from(self.deadline.left()?).map_err(io::Error::other)?;
        let mut pipes = [PollFd::new(&self.pipe, PollFlags::IN)];
        if poll(&mut pipes, Some(&left))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.pipe.read(buffer)
    }
}
