//! The two files of a record: opened first, then checked on the descriptor.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::create::create_exclusive;
use super::enrol::make_directory;
use super::error::{Problem, StoreError};
use super::held::is_unwritable;
use super::legacy::LegacyPlace;
use super::lock::Locked;
use super::place::Place;
use super::{
    DISABLED_STATE_FILE, Directory, RecordFiles, STATE_FILE, StateFile, TOKEN_FILE, Tokens,
};
use crate::descriptor::clear_of_stdio;
use crate::state::State;
use crate::state::slots::{FILE, Slots, SlotsError};
use crate::token::{MAX_FILE, TokenFile};

/// Opens a record's files; `None` if there is no record, nor another program's
/// file in its place.
pub(super) fn open_record(
    place: &Place,
    legacy: Option<&LegacyPlace>,
) -> Result<Option<RecordFiles>, StoreError> {
    let (directory, own) = place.enter(|| open_own(place))??;
    let legacy = match (&own, legacy) {
        (None, Some(legacy)) => legacy.open()?.map(|file| Tokens::Legacy(Box::new(file))),
        _ => None,
    };
    place.enter(|| {
        let Some(mut tokens) = own.or(legacy) else {
            return no_token(place, directory.opened());
        };
        let state = match directory.opened() {
            Some(directory) => open_state(place, directory)?,
            None => None,
        };
        if let (None, Directory::There(directory), Tokens::Legacy(legacy)) =
            (&state, &directory, &mut tokens)
        {
            if let Some(known) = disabled_state(place, directory)? {
                legacy.remember(&known);
            }
        }
        Ok(Some(RecordFiles {
            directory,
            tokens,
            state,
        }))
    })?
}

/// What there is of a record: its directory, the token file.
type Own = (Directory, Option<Tokens>);

fn open_own(place: &Place) -> Result<Own, StoreError> {
    let directory = match place.open()? {
        Directory::There(directory) => directory,
        missing @ Directory::Missing { .. } => return Ok((missing, None)),
    };
    let path = place.record_path().join(TOKEN_FILE);
    let Some((file, stat)) = open(place, &directory, TOKEN_FILE, OFlags::RDONLY)? else {
        return Ok((Directory::There(directory), None));
    };
    let tokens = Tokens::Own {
        tokens: read_tokens(&file, &stat, &path)?,
        stamp: Stamp::of(&stat),
    };
    Ok((Directory::There(directory), Some(tokens)))
}

/// A state without tokens is half a record, lost or not yet finished.
fn no_token(place: &Place, directory: Option<&OwnedFd>) -> Result<Option<RecordFiles>, StoreError> {
    let state = match directory {
        Some(directory) => open(place, directory, STATE_FILE, OFlags::RDONLY)?,
        None => None,
    };
    let path = place.record_path().join(TOKEN_FILE);
    state.map_or(Ok(None), |_| Err(StoreError::NoToken(path)))
}

/// What was known of another program's file when it was put aside. It is back: its
/// used codes stay used.
fn disabled_state(place: &Place, directory: &OwnedFd) -> Result<Option<State>, StoreError> {
    let Some((file, stat)) = open(place, directory, DISABLED_STATE_FILE, OFlags::RDONLY)? else {
        return Ok(None);
    };
    let path = place.record_path().join(DISABLED_STATE_FILE);
    let slots = Locked::read_only(&file, &path).read(&stat)?;
    Ok(Some(slots.state()))
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
        FILE => Ok(Some(StateFile {
            inode: Inode::of(&stat),
            file,
            writable,
        })),
        size => Err(StoreError::State {
            path: place.record_path().join(STATE_FILE),
            error: SlotsError::Size(size),
        }),
    }
}

/// Creates the state of a record that has none yet, and opens what is there
/// then: another login may have been faster. There is none still on a disk that
/// cannot be written, where the policy bears that.
pub(super) fn create_state(place: &Place, files: &mut RecordFiles) -> Result<(), StoreError> {
    let bears = |error: &StoreError| place.may_be_unwritable() && is_unwritable(error);
    if let Directory::Missing { .. } = files.directory {
        files.directory = match make_directory(place) {
            Err(error) if bears(&error) => return Ok(()),
            made => Directory::There(made?),
        };
    }
    let Directory::There(directory) = &files.directory else {
        return Ok(());
    };
    let state = files.begin().with_room_for(files.tokens());
    let path = place.record_path().join(STATE_FILE);
    let content = Slots::create(&state).map_err(|error| StoreError::State {
        path: path.clone(),
        error,
    })?;
    let created = create_exclusive(directory, STATE_FILE, &content)
        .map_err(|errno| StoreError::io(&path, errno));
    match created {
        Err(error) if bears(&error) => return Ok(()),
        created => created?,
    };
    files.state = open_state(place, directory)?;
    match files.state {
        Some(_) => Ok(()),
        None => Err(StoreError::Gone(path)),
    }
}

/// Whether the state could be created of a record that has none yet. Creates
/// nothing.
pub(super) fn may_create_state(place: &Place, files: &RecordFiles) -> Result<(), StoreError> {
    let (directory, path) = match &files.directory {
        Directory::There(directory) => (directory, place.record_path()),
        Directory::Missing { base } => (base, place.base_path()),
    };
    if files.state.is_some() || place.may_be_unwritable() {
        return Ok(());
    }
    let access = Access::WRITE_OK | Access::EXEC_OK;
    place.enter(|| {
        rustix::fs::accessat(directory, ".", access, AtFlags::EACCESS)
            .map_err(|errno| StoreError::io(path, errno))
    })?
}

/// Whether the record's path still names the files that we hold; if so, how the
/// state file, or for want of one what is above it, is now.
pub(super) fn current(place: &Place, files: &RecordFiles) -> Result<Option<Stat>, StoreError> {
    if let Some(legacy) = files.legacy() {
        if !legacy.is_current()? {
            return Ok(None);
        }
    }
    place.enter(|| {
        let directory = match &files.directory {
            Directory::There(directory) => directory,
            Directory::Missing { base } => {
                // Another login may have made it.
                let above = rustix::fs::fstat(base)
                    .map_err(|errno| StoreError::io(place.base_path(), errno))?;
                let made = named(base, place.entry(), place.record_path())?;
                return Ok(made.is_none().then_some(above));
            }
        };
        let path = |name| place.record_path().join(name);
        let token = named(directory, TOKEN_FILE, &path(TOKEN_FILE))?;
        let same = match &files.tokens {
            Tokens::Own { stamp, .. } => token.is_some_and(|stat| Stamp::of(&stat) == *stamp),
            // A token file would count before it.
            Tokens::Legacy(_) => token.is_none(),
        };
        if !same {
            return Ok(None);
        }
        let state = named(directory, STATE_FILE, &path(STATE_FILE))?;
        let Some(held) = &files.state else {
            let above = rustix::fs::fstat(directory)
                .map_err(|errno| StoreError::io(&path(STATE_FILE), errno))?;
            return Ok(state.is_none().then_some(above));
        };
        // An inode that is held open is no other file's.
        Ok(state.filter(|stat| Inode::of(stat) == held.inode))
    })?
}

/// What a name in a directory names; `None` for nothing.
fn named(
    directory: &OwnedFd,
    name: impl rustix::path::Arg,
    path: &Path,
) -> Result<Option<Stat>, StoreError> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(StoreError::io(path, errno)),
    }
}

/// What tells one content of a token file from another: it is always replaced
/// whole, so a new content has a new inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: Inode,
    size: i128,
    modified: (i128, i128),
}

impl Stamp {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            inode: Inode::of(stat),
            size: stat.st_size.into(),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
        }
    }
}

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inode {
    // Wide enough for the types of every C library and kernel.
    device: i128,
    number: i128,
}

impl Inode {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev.into(),
            number: stat.st_ino.into(),
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
    let check = |stat: &Stat| place.check_private(stat, &path, 0o600);
    open_checked(directory, name, &path, access, check)
}

/// Opens a regular file whose owner and mode `check` finds right; `None` if it
/// is not there. `path` is for messages.
pub(super) fn open_checked(
    directory: &OwnedFd,
    name: impl rustix::path::Arg,
    path: &Path,
    access: OFlags,
    check: impl FnOnce(&Stat) -> Result<(), StoreError>,
) -> Result<Option<(OwnedFd, Stat)>, StoreError> {
    let file = match rustix::fs::openat(directory, name, access | SAFE, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(StoreError::insecure(path, Problem::Link)),
        // A directory, a socket or a device without a driver.
        Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => {
            return Err(StoreError::insecure(path, Problem::NotFile));
        }
        Err(errno) => return Err(StoreError::io(path, errno)),
    };
    let file = clear_of_stdio(file).map_err(|errno| StoreError::io(path, errno))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| StoreError::io(path, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StoreError::insecure(path, Problem::NotFile));
    }
    check(&stat)?;
    Ok(Some((file, stat)))
}

/// Bytes of memory that parsing can take for each byte of a file, at most: what
/// costs most takes 90.
const PARSER: usize = 256;

/// Bytes of a file that is parsed without asking. The module keeps memory in
/// reserve, and when an answer of any length has taken its part, more than 384 KiB
/// are left.
const SMALL: usize = 1536;

/// Whether there is memory for a file of this size. Where an allocation of the
/// parser's fails, the process ends; here the login is denied.
fn check_memory(bytes: usize) -> Result<(), Errno> {
    if bytes <= SMALL {
        return Ok(());
    }
    let mut memory: Vec<u8> = Vec::new();
    let reserved = memory.try_reserve_exact(bytes.saturating_mul(PARSER));
    // Or else the compiler may leave out what nobody uses.
    std::hint::black_box(&memory);
    reserved.map_err(|_| Errno::NOMEM)
}

fn read_tokens(file: &OwnedFd, stat: &Stat, path: &Path) -> Result<TokenFile, StoreError> {
    let text = read_text(file, stat, path)?;
    TokenFile::parse(&text).map_err(|fault| StoreError::Token {
        path: path.to_owned(),
        fault,
    })
}

/// Reads a file that holds secrets.
pub(super) fn read_text(
    file: &OwnedFd,
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
    let mut length: usize = 0;
    while let Some(free) = text.get_mut(length..).filter(|free| !free.is_empty()) {
        match rustix::io::read(file, free) {
            Ok(0) => break,
            Ok(count) => {
                length = length.saturating_add(count);
                // All at once, though there was room for more: that is the end.
                if count == expected {
                    break;
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(StoreError::io(path, errno)),
        }
    }
    text.truncate(length);
    Ok(text)
}

fn size(stat: &Stat) -> usize {
    usize::try_from(stat.st_size).unwrap_or(usize::MAX)
}
