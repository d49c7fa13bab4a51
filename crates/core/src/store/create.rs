//! New files in a record: written beside, made durable, then given their name.
//! Whoever looks sees the old content or the new one, never half of it.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::Resource;

/// In the name of every file that is not finished.
pub(super) const UNFINISHED: &str = ".new.";

/// Creates a file unless there is one of this name; whether it did.
pub(super) fn create_exclusive(at: &OwnedFd, name: &str, content: &[u8]) -> Result<bool, Errno> {
    let unfinished = Unfinished::write(at, name, content)?;
    let created = unfinished.take_name(name);
    match created {
        Ok(()) => sync_directory(at).map(|()| true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Creates a file, or replaces the one of this name.
pub(super) fn replace(at: &OwnedFd, name: &str, content: &[u8]) -> Result<(), Errno> {
    let unfinished = Unfinished::write(at, name, content)?;
    rustix::fs::renameat(at, &unfinished.name, at, name)?;
    sync_directory(at)
}

/// Makes names given and taken in this directory durable.
pub(super) fn sync_directory(at: &OwnedFd) -> Result<(), Errno> {
    // A path descriptor cannot be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(at, ".", flags, Mode::empty())?;
    match rustix::fs::fsync(&directory) {
        // Some network file systems cannot, and need not.
        Err(Errno::INVAL | Errno::BADF) => Ok(()),
        other => other,
    }
}

/// Whether this process may write a file of so many bytes; if not,
/// [`Errno::FBIG`]. To be asked before each write: whoever starts su sets its
/// limits, and the kernel ends a process that writes beyond (SIGXFSZ).
pub(super) fn check_file_limit(bytes: usize) -> Result<(), Errno> {
    match rustix::process::getrlimit(Resource::Fsize).current {
        Some(most) if most < bytes as u64 => Err(Errno::FBIG),
        _ => Ok(()),
    }
}

/// A file under a name of its own, removed when dropped.
struct Unfinished<'a> {
    at: &'a OwnedFd,
    name: String,
}

impl<'a> Unfinished<'a> {
    fn write(at: &'a OwnedFd, name: &str, content: &[u8]) -> Result<Self, Errno> {
        check_file_limit(content.len())?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let private = Mode::RUSR | Mode::WUSR;
        // No secret name is needed: the directory is the owner's alone, and
        // EXCL takes nothing that is there. The number is for leftovers of a
        // killed process that had our id.
        let (unfinished, file) = (0..100)
            .find_map(|number| {
                let name = format!("{name}{UNFINISHED}{}.{number}", std::process::id());
                match rustix::fs::openat(at, &name, flags, private) {
                    Err(Errno::EXIST) => None,
                    opened => Some(opened.map(|file| (Self { at, name }, file))),
                }
            })
            .unwrap_or(Err(Errno::EXIST))?;
        // The host's umask may have taken more away than we want.
        rustix::fs::fchmod(&file, private)?;
        let mut rest = content;
        while !rest.is_empty() {
            match rustix::io::write(&file, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        rustix::fs::fsync(&file)?;
        Ok(unfinished)
    }

    /// Gives the file its name, unless that is taken.
    fn take_name(&self, name: &str) -> Result<(), Errno> {
        match rustix::fs::renameat_with(self.at, &self.name, self.at, name, RenameFlags::NOREPLACE)
        {
            // Not every file system can; those have links.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(self.at, &self.name, self.at, name, AtFlags::empty())
            }
            other => other,
        }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing of this name any more.
        let _ = rustix::fs::unlinkat(self.at, &self.name, AtFlags::empty());
    }
}
