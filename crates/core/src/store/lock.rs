//! The state file under its lock: `flock` on the file itself, whose inode never
//! changes. A process that dies gives its lock back; there is no lock file that
//! could stay behind.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::fs::{FlockOperation, Stat, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::create::check_file_limit;
use super::error::StoreError;
use super::steady::Steady;
use crate::state::slots::{Durability, FILE, Slots, SlotsError, Write};
use crate::time::UnixTime;

/// How long to wait for the lock. A login holds it for one write; longer only
/// if the owner's own process holds it, who then locks out nobody else.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A file that we have locked; unlocked when dropped.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    file: &'a OwnedFd,
    path: &'a Path,
    writable: bool,
    /// Ends after the unlocking. `None` for a lock within another one, which
    /// keeps the thread steady.
    _steady: Option<Steady>,
}

impl<'a> Locked<'a> {
    /// Locks the file, waiting up to five seconds.
    pub(super) fn acquire(file: &'a OwnedFd, path: &'a Path) -> Result<Self, StoreError> {
        Self::wait_for(file, path, || Some(Steady::begin()))
    }

    /// The same while `outer` is locked, which must be unlocked later.
    pub(super) fn acquire_within(
        file: &'a OwnedFd,
        path: &'a Path,
        _outer: &Locked<'_>,
    ) -> Result<Self, StoreError> {
        Self::wait_for(file, path, || None)
    }

    fn wait_for(
        file: &'a OwnedFd,
        path: &'a Path,
        hold_steady: impl Fn() -> Option<Steady>,
    ) -> Result<Self, StoreError> {
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        loop {
            let steady = hold_steady();
            match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    return Ok(Self {
                        file,
                        path,
                        writable: true,
                        _steady: steady,
                    });
                }
                Err(Errno::WOULDBLOCK) if waited < PATIENCE => {}
                Err(Errno::WOULDBLOCK) => return Err(StoreError::Locked(path.to_owned())),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(StoreError::io(path, errno)),
            }
            drop(steady);
            wait(pause);
            waited = waited.saturating_add(pause);
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// The same for a file that was opened for reading alone, which NFS does not
    /// lock: then it stays as it is.
    pub(super) fn acquire_readable(file: &'a OwnedFd, path: &'a Path) -> Result<Self, StoreError> {
        match Self::acquire(file, path) {
            Err(StoreError::Io { error, .. })
                if Errno::from_io_error(&error) == Some(Errno::BADF) =>
            {
                Ok(Self::read_only(file, path))
            }
            locked => locked,
        }
    }

    /// A file that is not locked, because it cannot be, and that nobody writes.
    pub(super) fn read_only(file: &'a OwnedFd, path: &'a Path) -> Self {
        Self {
            file,
            path,
            writable: false,
            _steady: Some(Steady::begin()),
        }
    }

    /// Reads the state file. `stat` is the file's, taken under this lock.
    pub(super) fn read(&self, stat: &Stat) -> Result<Slots, StoreError> {
        let slots = read(self.file, self.path, stat)?;
        Ok(slots.marked(stat.st_mtime_nsec.into()))
    }

    /// Writes one slot, and waits until it is on disk if it must be.
    pub(super) fn write(
        &self,
        write: &Write,
        durability: Durability,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        if !self.writable {
            return Err(StoreError::io(self.path, Errno::ROFS));
        }
        check_file_limit(FILE).map_err(|errno| StoreError::io(self.path, errno))?;
        let flush =
            || rustix::fs::fdatasync(self.file).map_err(|errno| StoreError::io(self.path, errno));
        if write.flush_first {
            flush()?;
        }
        let written = loop {
            match rustix::io::pwrite(self.file, &write.bytes, write.offset) {
                Err(Errno::INTR) => {}
                other => break other.map_err(|errno| StoreError::io(self.path, errno))?,
            }
        };
        if written != write.bytes.len() {
            // The slot is torn now. The other one is whole, and counts.
            return Err(StoreError::io(self.path, Errno::NOSPC));
        }
        if durability == Durability::Flushed {
            flush()?;
            self.mark(write.mark, now);
        }
        Ok(())
    }

    /// Leaves the mark of a write that is on disk. Without it, the next writer
    /// flushes once more: no reason to deny this one.
    fn mark(&self, nanoseconds: u64, now: UnixTime) {
        let keep = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        };
        let (Ok(whole), Ok(fraction)) = (now.0.try_into(), nanoseconds.try_into()) else {
            return;
        };
        let times = Timestamps {
            last_access: keep,
            last_modification: Timespec {
                tv_sec: whole,
                tv_nsec: fraction,
            },
        };
        let _ = rustix::fs::futimens(self.file, &times);
    }

    /// The state file's content is not what it should be.
    pub(super) fn unusable(&self, error: SlotsError) -> StoreError {
        unusable(self.path, error)
    }
}

/// Reads a state file that others may be writing. Two writes during one reading
/// would tear both slots: then it is read again.
pub(super) fn glance(file: &OwnedFd, path: &Path) -> Result<Slots, StoreError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| StoreError::io(path, errno))?;
    let mut read_again: u32 = 2;
    loop {
        match read(file, path, &stat) {
            Err(StoreError::State {
                error: SlotsError::Torn,
                ..
            }) if read_again > 0 => read_again = read_again.saturating_sub(1),
            slots => return slots,
        }
    }
}

fn read(file: &OwnedFd, path: &Path, stat: &Stat) -> Result<Slots, StoreError> {
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size != FILE {
        return Err(unusable(path, SlotsError::Size(size)));
    }
    let mut content = Vec::with_capacity(FILE);
    while content.len() < FILE {
        let at = content.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut content), at) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(StoreError::io(path, errno)),
        }
    }
    Slots::decode(&content).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: SlotsError) -> StoreError {
    StoreError::State {
        path: path.to_owned(),
        error,
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Not left to closing the descriptor: a child that the host forked
        // meanwhile has a copy of it, and would keep the lock.
        let _ = rustix::fs::flock(self.file, FlockOperation::Unlock);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that waits, and for a bounded time"
)]
fn wait(pause: Duration) {
    std::thread::sleep(pause);
}
