//! The policy file on disk: opened with care, held while it is changed, and
//! replaced as a whole.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, Flock, FlockArg, OFlag, open, openat, renameat};
use nix::poll::PollTimeout;
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, ftruncate, geteuid, unlinkat, write};
use pam_otp_core::policy::{FileError, MAX_FILE, PolicyError, checked_text};

use super::ChangeError;
use crate::error::Error;

/// How often another process is waited for, and how long each time: five
/// seconds together.
const TURNS: usize = 50;
const TURN_MILLISECONDS: u16 = 100;

/// The policy file, held: nobody else who does so changes it meanwhile.
///
/// The draft beside it is the lock. It is root's alone, so that nobody else can
/// take the lock and keep it; it becomes the policy or goes, and one that a killed
/// process left is taken over.
pub(super) struct PolicyFile {
    path: PathBuf,
    directory: OwnedFd,
    name: OsString,
    draft: Flock<OwnedFd>,
    draft_name: OsString,
    /// What is there, if anything is.
    found: Option<(Vec<u8>, FileStat)>,
    replaced: bool,
}

impl PolicyFile {
    /// Opens it, as the module would, and holds it.
    ///
    /// # Errors
    ///
    /// [`Error`] if the module would not take it, others can write to its
    /// directory, or another process holds it for five seconds.
    pub(super) fn hold(path: &Path) -> Result<Self, Error> {
        let path = resolve(path)?;
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused(&path, FileError::Kind));
        };
        let directory = open_directory(parent)?;
        let name = name.to_owned();
        let mut draft_name = OsString::from(".");
        draft_name.push(&name);
        draft_name.push(".new");
        let draft = hold_draft(&directory, &draft_name, parent)?;
        let mut file = Self {
            path,
            directory,
            name,
            draft,
            draft_name,
            found: None,
            replaced: false,
        };
        file.found = file.read()?;
        Ok(file)
    }

    /// Where it lies, links followed.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it; nothing, if it is not there.
    pub(super) fn text(&self) -> &[u8] {
        self.found.as_ref().map_or(&[], |(text, _)| text)
    }

    /// Puts another text in its place, with the same owner and mode.
    pub(super) fn replace(mut self, text: &[u8]) -> Result<(), Error> {
        if u64::try_from(text.len()).map_or(true, |length| length > MAX_FILE) {
            return Err(refused(&self.path, FileError::Size));
        }
        let done = self.put(text);
        Ok(done.map_err(|errno| unwritten(&self.path, errno))?)
    }

    fn put(&mut self, text: &[u8]) -> Result<(), Errno> {
        let draft = self.draft.as_fd();
        ftruncate(draft, 0)?;
        let mut rest = text;
        while !rest.is_empty() {
            let written = match write(draft, rest) {
                Err(Errno::EINTR) => 0,
                written => written?,
            };
            rest = rest.get(written..).unwrap_or_default();
        }
        let mode = match &self.found {
            Some((_, stat)) => {
                let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
                fchown(draft, Some(owner), Some(group))?;
                Mode::from_bits_truncate(stat.st_mode)
            }
            // Users read it too, when they run this command.
            None => Mode::from_bits_truncate(0o644),
        };
        fchmod(draft, mode)?;
        fsync(draft)?;
        renameat(
            &self.directory,
            self.draft_name.as_os_str(),
            &self.directory,
            self.name.as_os_str(),
        )?;
        self.replaced = true;
        // Whichever there is after a power failure is whole.
        let _ = fsync(&self.directory);
        Ok(())
    }

    fn read(&self) -> Result<Option<(Vec<u8>, FileStat)>, Error> {
        // No link: the way was resolved before. NONBLOCK for a FIFO.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let name = self.name.as_os_str();
        let opened = openat(
            &self.directory,
            name,
            flags | OFlag::O_CLOEXEC,
            Mode::empty(),
        );
        let file = match opened {
            Ok(file) => file,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(refused(&self.path, FileError::Io(errno.into()))),
        };
        let stat =
            fstat(&file).map_err(|errno| refused(&self.path, FileError::Io(errno.into())))?;
        let text = checked_text(file).map_err(|error| refused(&self.path, error))?;
        Ok(Some((text, stat)))
    }
}

impl Drop for PolicyFile {
    fn drop(&mut self) {
        if !self.replaced {
            let name = self.draft_name.as_os_str();
            let _ = unlinkat(&self.directory, name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// The text of the file, as it is now; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match open(&resolve(path)?, flags, Mode::empty()) {
        Ok(file) => Ok(Some(
            checked_text(file).map_err(|error| refused(path, error))?,
        )),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(refused(path, FileError::Io(errno.into()))),
    }
}

/// Links are followed, as the module follows them. One to nowhere is a policy
/// that was lost.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let io = |error| refused(path, FileError::Io(error));
    match std::fs::canonicalize(path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(refused(path, FileError::Missing));
            }
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(io(error));
            };
            Ok(std::fs::canonicalize(parent).map_err(io)?.join(name))
        }
        Err(error) => Err(io(error)),
    }
}

/// Whoever can write to it could put another file in the policy's place.
fn open_directory(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let io = |errno: Errno| refused(path, FileError::Io(errno.into()));
    let directory = open(path, flags, Mode::empty()).map_err(io)?;
    let stat = fstat(&directory).map_err(io)?;
    let ours = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();
    if !ours || stat.st_mode & 0o022 != 0 {
        return Err(ChangeError::OpenDirectory(path.to_owned()).into());
    }
    Ok(directory)
}

fn hold_draft(directory: &OwnedFd, name: &OsStr, parent: &Path) -> Result<Flock<OwnedFd>, Error> {
    let path = parent.join(name);
    let unwritten = |errno| unwritten(&path, errno);
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let private = Mode::from_bits_truncate(0o600);
    for _ in 0..TURNS {
        let draft =
            openat(directory, name, flags | OFlag::O_CLOEXEC, private).map_err(unwritten)?;
        match Flock::lock(draft, FlockArg::LockExclusiveNonblock) {
            // It may have become the policy, or be gone, since it was opened.
            Ok(draft) if is_named(directory, name, &draft).map_err(unwritten)? => {
                fchmod(draft.as_fd(), private).map_err(unwritten)?;
                return Ok(draft);
            }
            Ok(_) => {}
            Err((_, Errno::EAGAIN | Errno::EINTR)) => {
                let _ = nix::poll::poll(&mut [], PollTimeout::from(TURN_MILLISECONDS));
            }
            Err((_, errno)) => return Err(unwritten(errno).into()),
        }
    }
    Err(ChangeError::Busy(path).into())
}

/// Whether the name in this directory is still that of the file, and the file is
/// a plain one.
fn is_named(directory: &OwnedFd, name: &OsStr, file: &OwnedFd) -> Result<bool, Errno> {
    let ours = fstat(file)?;
    let kind = SFlag::from_bits_truncate(ours.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG || ours.st_nlink > 1 {
        return Err(Errno::EINVAL);
    }
    match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(there) => Ok((there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)),
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn unwritten(path: &Path, errno: Errno) -> ChangeError {
    ChangeError::Unwritten {
        path: path.to_owned(),
        error: errno.into(),
    }
}

fn refused(path: &Path, error: FileError) -> Error {
    Error::Policy(PolicyError::File {
        path: path.to_owned(),
        error,
    })
}
