//! The policy file: `/etc/security/pam_otp.toml`.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::Policy;
use super::keys::{KEYS, Key, Setting};
use crate::descriptor::clear_of_stdio;
use crate::document::{self, Entries, Entry, Fault};

/// Most bytes in a policy file.
pub const MAX_FILE: u64 = 64 * 1024;

/// Reads the file's text; `None` if there is no file.
pub(super) fn load(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    // Links are followed: /etc is the administrator's. NONBLOCK, so that a
    // FIFO in the wrong place denies and does not hang.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => {
            // A link to nowhere is a policy that was lost, not one that was
            // never written.
            let link = rustix::fs::lstat(path).is_ok();
            return if link {
                Err(FileError::Missing)
            } else {
                Ok(None)
            };
        }
        Err(errno) => return Err(FileError::Io(errno.into())),
    };
    checked_text(file).map(Some)
}

/// The text of a policy file that was opened for reading.
///
/// # Errors
///
/// [`FileError`] if others could have written it, or it cannot be read.
pub fn checked_text(file: OwnedFd) -> Result<Vec<u8>, FileError> {
    let file = clear_of_stdio(file).map_err(|errno| FileError::Io(errno.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| FileError::Io(errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(FileError::Kind);
    }
    // Whoever runs this program may rule over it; so may root.
    if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(FileError::Owner(stat.st_uid));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(FileError::Mode(stat.st_mode & 0o7777));
    }
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    read_whole(file, size)
}

/// Reads a file that had this size when it was opened.
fn read_whole(file: OwnedFd, size: u64) -> Result<Vec<u8>, FileError> {
    let too_large = |length: u64| length > MAX_FILE;
    let expected = usize::try_from(size).ok().filter(|_| !too_large(size));
    let expected = expected.ok_or(FileError::Size)?;
    // With room for one byte more: who reads the size that was told, and no
    // more, has come to the end, and need not ask again.
    let mut text = Vec::with_capacity(expected.saturating_add(1));
    match rustix::io::read(&file, spare_capacity(&mut text)) {
        Ok(count) if count == expected => return Ok(text),
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(FileError::Io(errno.into())),
    }
    let length = |text: &Vec<u8>| u64::try_from(text.len()).unwrap_or(u64::MAX);
    let room = MAX_FILE.saturating_add(1).saturating_sub(length(&text));
    let mut rest = std::fs::File::from(file).take(room);
    rest.read_to_end(&mut text).map_err(FileError::Io)?;
    if too_large(length(&text)) {
        return Err(FileError::Size);
    }
    Ok(text)
}

/// Reads the rules for one service. All sections are checked, also those of
/// other services: a mistake is better found today than at their next login.
pub(super) fn read(text: &[u8], service: &str) -> Result<Policy, Fault> {
    document::read(text, |top| {
        let mut policy = Policy::default();
        for entry in top.iter().filter(|entry| entry.key != "service") {
            set(&entry, &["service"])?.apply(&mut policy);
        }
        if let Some(services) = top.get("service") {
            for section in services.table()?.iter() {
                let name = section.key;
                if name.is_empty() || name.contains(|c: char| c.is_ascii_uppercase() || c == '/') {
                    let what = "no service has such a name: libpam writes them in lower case";
                    return Err(section.fault(what));
                }
                let Ok(table) = section.table() else {
                    return Err(section.fault("a section is written [service.NAME]"));
                };
                apply_section(&table, name == service, &mut policy)?;
            }
        }
        Ok(policy)
    })
}

/// The services that have a section.
pub(super) fn sections(text: &[u8]) -> Result<Vec<String>, Fault> {
    document::read(text, |top| {
        let Some(services) = top.get("service") else {
            return Ok(Vec::new());
        };
        let names = services.table()?.iter().map(|entry| entry.key.to_owned());
        Ok(names.collect())
    })
}

fn apply_section(section: &Entries<'_, '_>, ours: bool, policy: &mut Policy) -> Result<(), Fault> {
    for entry in section.iter() {
        let setting = set(&entry, &[])?;
        if ours {
            setting.apply(policy);
        }
    }
    Ok(())
}

/// `besides` are the tables that are known here too.
fn set(entry: &Entry<'_, '_>, besides: &[&str]) -> Result<Setting, Fault> {
    let Some(key) = Key::find(entry.key) else {
        let known: Vec<_> = KEYS
            .iter()
            .map(|key| key.name)
            .chain(besides.iter().copied())
            .collect();
        return Err(entry.unknown(&known));
    };
    key.check(entry)
}

/// Why a policy file cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// The stack names it, and it is not there.
    Missing,
    /// Not a regular file.
    Kind,
    /// It belongs to this user id, which is neither root nor our own.
    Owner(u32),
    /// Group or others can write to it.
    Mode(u32),
    /// More than 64 KiB.
    Size,
    /// The system says no.
    Io(io::Error),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no such file"),
            Self::Kind => f.write_str("not a regular file"),
            Self::Owner(uid) => write!(f, "it belongs to user id {uid}, and must belong to root"),
            Self::Mode(mode) => {
                write!(f, "mode {mode:04o} lets others write to it; try chmod 0644")
            }
            Self::Size => write!(f, "it has more than {MAX_FILE} bytes"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Seek, Write};

    use super::*;

    #[test]
    fn a_file_that_has_changed_its_size_since_is_read_as_a_whole() {
        let most = usize::try_from(MAX_FILE).unwrap();
        for length in [0, 1, 5000, most] {
            let content = vec![b'#'; length];
            for told in [0, 1, length.saturating_sub(1), length, most] {
                let read = read_whole(file(&content), told as u64);
                assert_eq!(read.unwrap(), content, "{length} bytes, told of {told}");
            }
        }
        let larger = vec![b'#'; most + 1];
        for told in [0, 5000, most, most + 1] {
            let read = read_whole(file(&larger), told as u64);
            assert!(matches!(read, Err(FileError::Size)), "told of {told}");
        }
    }

    fn file(content: &[u8]) -> OwnedFd {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::memfd_create("policy", flags).unwrap());
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        file.into()
    }
}
