//! Ctrl-C at a question, or a terminal that goes away: what was begun is taken
//! back first.

use std::io;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::Error;

/// What ends a program whose person gives up.
const SIGNALS: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// While it is there those signals wait. When it goes, one that has come ends the
/// program, as if nothing had held it.
#[derive(Debug)]
pub(crate) struct Interrupts {
    come: SignalFd,
    before: SigSet,
}

impl Interrupts {
    /// Holds them, in this thread: there is no other one while a person is asked.
    pub(crate) fn hold() -> io::Result<Self> {
        let signals: SigSet = SIGNALS.into_iter().collect();
        let come = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?;
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { come, before })
    }

    /// Waits until something was typed, or a signal has come. That one stays where
    /// it is, for the end.
    pub(crate) fn until_typed(&self) -> Result<(), Error> {
        let stdin = io::stdin();
        loop {
            let mut both = [
                PollFd::new(self.come.as_fd(), PollFlags::POLLIN),
                PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut both, PollTimeout::NONE) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(Error::Io(errno.into())),
            }
            let [come, typed] = both.map(|it| it.any().unwrap_or(true));
            if come {
                return Err(Error::Interrupted);
            }
            if typed {
                return Ok(());
            }
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}
