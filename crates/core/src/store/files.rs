//! The two files of a record: opened first, then checked on the descriptor.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::create::create_exclusive;
use super::error::{Problem, StoreError};
use super::held::is_unwritable;
use super::place::Place;
use super::{RecordFiles, STATE_FILE, StateFile, TOKEN_FILE};
use crate::descriptor::clear_of_stdio;
use crate::state::State;
use crate::state::slots::{FILE, Slots, SlotsError};
use crate::token::{MAX_FILE, TokenFile};

/// Opens a record's files; `None` if there is no record.
pub(super) fn open_record(place: &Place) -> Result<Option<RecordFiles>, StoreError> {
    let base = place.open_base()?;
    let Some(directory) = place.open_record(&base)? else {
        return Ok(None);
    };
    let path = place.record_path().join(TOKEN_FILE);
    let Some((file, stat)) = open(place, &directory, TOKEN_FILE, OFlags::RDONLY)? else {
        // A state without tokens is half a record, lost or not yet finished.
        let state = open(place, &directory, STATE_FILE, OFlags::RDONLY)?;
        return state.map_or(Ok(None), |_| Err(StoreError::NoToken(path)));
    };
    let tokens = read_tokens(file, &stat, &path)?;
    Ok(Some(RecordFiles {
        state: open_state(place, &directory)?,
        directory,
        tokens,
        token_stamp: Stamp::of(&stat),
    }))
}

/// Opens the state; `None` if it is not there.
fn open_state(place: &Place, directory: &OwnedFd) -> Result<Option<StateFile>, StoreError> {
    let (opened, writable) = match open(place, directory, STATE_FILE, OFlags::RDWR) {
        Err(error) if place.may_be_unwritable() && is_unwritable(&error) => {
            (open(place, directory, STATE_FILE, OFlags::RDONLY)?, false)
        }
        opened => (opened?, true),
    };
    let Some((file, stat)) = opened else {
        return Ok(None);
    };
    match size(&stat) {
        FILE => Ok(Some(StateFile { file, writable })),
        size => Err(StoreError::State {
            path: place.record_path().join(STATE_FILE),
            error: SlotsError::Size(size),
        }),
    }
}

/// Creates the state of a record that has none yet, and opens what is there
/// then: another login may have been faster. `None` on a disk that cannot be
/// written, where the policy bears that.
pub(super) fn create_state(
    place: &Place,
    directory: &OwnedFd,
) -> Result<Option<StateFile>, StoreError> {
    let path = place.record_path().join(STATE_FILE);
    let content = Slots::create(&State::default()).map_err(|error| StoreError::State {
        path: path.clone(),
        error,
    })?;
    let created = create_exclusive(directory, STATE_FILE, &content)
        .map_err(|errno| StoreError::io(&path, errno));
    match created {
        Err(error) if place.may_be_unwritable() && is_unwritable(&error) => return Ok(None),
        created => created?,
    };
    match open_state(place, directory)? {
        Some(state) => Ok(Some(state)),
        None => Err(StoreError::Gone(path)),
    }
}

/// Whether the record's path still names the files that we hold; if so, how the
/// state file, or for want of one the token file, is now.
pub(super) fn current(place: &Place, files: &RecordFiles) -> Result<Option<Stat>, StoreError> {
    let failed = |name: &str| {
        let path = place.record_path().join(name);
        move |errno| StoreError::io(&path, errno)
    };
    let named = |name| match rustix::fs::statat(&files.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(failed(name)(errno)),
    };
    let Some(token) = named(TOKEN_FILE)?.filter(|stat| Stamp::of(stat) == files.token_stamp) else {
        return Ok(None);
    };
    let state = named(STATE_FILE)?;
    let Some(held) = &files.state else {
        return Ok(state.is_none().then_some(token));
    };
    let held = rustix::fs::fstat(&held.file).map_err(failed(STATE_FILE))?;
    Ok(state.filter(|stat| (stat.st_dev, stat.st_ino) == (held.st_dev, held.st_ino)))
}

/// What tells one content of a token file from another: it is always replaced
/// whole, so a new content has a new inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    // Wide enough for the types of every C library and kernel.
    device: i128,
    inode: i128,
    size: i128,
    modified: (i128, i128),
}

impl Stamp {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev.into(),
            inode: stat.st_ino.into(),
            size: stat.st_size.into(),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
        }
    }
}

/// Neither through a link, nor waiting for a FIFO's other end, nor becoming a
/// terminal's session, nor leaking into a program that the host starts.
const SAFE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens one file of a record; `None` if it is not there.
pub(super) fn open(
    place: &Place,
    directory: &OwnedFd,
    name: &str,
    access: OFlags,
) -> Result<Option<(OwnedFd, Stat)>, StoreError> {
    let path = place.record_path().join(name);
    let file = match rustix::fs::openat(directory, name, access | SAFE, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(StoreError::insecure(&path, Problem::Link)),
        // A directory, a socket or a device without a driver.
        Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => {
            return Err(StoreError::insecure(&path, Problem::NotFile));
        }
        Err(errno) => return Err(StoreError::io(&path, errno)),
    };
    let file = clear_of_stdio(file).map_err(|errno| StoreError::io(&path, errno))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| StoreError::io(&path, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StoreError::insecure(&path, Problem::NotFile));
    }
    place.check_private(&stat, &path, 0o600)?;
    Ok(Some((file, stat)))
}

/// Bytes of memory that parsing can take for each byte of a file, at most: what
/// costs most takes 90.
const PARSER: usize = 256;

/// Whether there is memory for a file of this size. Where an allocation of the
/// parser's fails, the process ends; here the login is denied.
fn check_memory(bytes: usize) -> Result<(), Errno> {
    let mut memory: Vec<u8> = Vec::new();
    let reserved = memory.try_reserve_exact(bytes.saturating_mul(PARSER));
    // Or else the compiler may leave out what nobody uses.
    std::hint::black_box(&memory);
    reserved.map_err(|_| Errno::NOMEM)
}

fn read_tokens(file: OwnedFd, stat: &Stat, path: &Path) -> Result<TokenFile, StoreError> {
    let text = read_text(file, stat, path)?;
    TokenFile::parse(&text).map_err(|fault| StoreError::Token {
        path: path.to_owned(),
        fault,
    })
}

/// Reads a file that holds secrets.
pub(super) fn read_text(
    file: OwnedFd,
    stat: &Stat,
    path: &Path,
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let expected = size(stat);
    if expected == 0 {
        return Err(StoreError::Empty(path.to_owned()));
    }
    if expected > MAX_FILE {
        return Err(StoreError::TooLarge {
            path: path.to_owned(),
            most: MAX_FILE,
        });
    }
    check_memory(expected).map_err(|errno| StoreError::io(path, errno))?;
    // One byte more than there should be: room to see that the file grew, and
    // no second buffer that nobody wipes.
    let mut text = Zeroizing::new(vec![0; expected.saturating_add(1)]);
    let mut file = File::from(file);
    let mut length: usize = 0;
    while let Some(free) = text.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => length = length.saturating_add(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(StoreError::Io {
                    path: path.to_owned(),
                    error,
                });
            }
        }
    }
    text.truncate(length);
    Ok(text)
}

fn size(stat: &Stat) -> usize {
    usize::try_from(stat.st_size).unwrap_or(usize::MAX)
}
