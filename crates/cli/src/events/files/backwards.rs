//! A file's lines, from the last to the first, with little memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::events::deadline::Deadline;

/// Where in it one is.
pub(super) struct Backwards {
    file: File,
    /// Where what was read begins.
    start: u64,
    read: Vec<u8>,
    /// The end of a line that is too long to be one of ours.
    too_long: bool,
    deadline: Deadline,
}

impl Backwards {
    const BLOCK: u64 = 64 * 1024;
    /// Ours have some hundred bytes.
    const LONGEST: usize = 16 * 1024;

    /// Opens a regular file, at its end.
    ///
    /// # Errors
    ///
    /// The system's, or that it is no regular file.
    pub(super) fn open(path: &Path, deadline: Deadline) -> io::Result<Self> {
        // Others than root may write to the directory: no link is followed, and
        // nobody waits for a pipe.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let stat = file.metadata()?;
        if !stat.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Self {
            file,
            start: stat.len(),
            read: Vec::new(),
            too_long: false,
            deadline,
        })
    }

    /// The line before, without its end; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The system's, or [`io::ErrorKind::TimedOut`] after the deadline.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            // After a power failure NUL bytes stand where a line was to be.
            let is_end = |byte: &u8| matches!(*byte, b'\n' | 0);
            let end = self.read.iter().rposition(is_end);
            if let Some(end) = end {
                let line = self.read.split_off(end.saturating_add(1));
                self.read.pop();
                let whole = !std::mem::take(&mut self.too_long);
                if whole && !line.is_empty() && line.len() <= Self::LONGEST {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.read.len() > Self::LONGEST {
                self.too_long = true;
                self.read.clear();
            }
            if self.start == 0 {
                let line = std::mem::take(&mut self.read);
                let whole = !line.is_empty() && !self.too_long;
                return Ok(Some(line).filter(|_| whole));
            }
            self.read_block()?;
        }
    }

    /// Reads the block before what was read.
    fn read_block(&mut self) -> io::Result<()> {
        self.deadline.left()?;
        let length = self.start.min(Self::BLOCK);
        self.start = self.start.saturating_sub(length);
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut block = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut block)?;
        block.append(&mut self.read);
        self.read = block;
        Ok(())
    }
}
