//! What an administrator looks at: whose records there are, and files that users
//! could have put somewhere. No login comes here.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use super::error::{Problem, StoreError};
use super::legacy::LegacyPlace;
use super::place::{Place, open_step, walk};
use super::{Account, Store};
use crate::descriptor::clear_of_stdio;
use crate::policy::StoreKind;

impl Store {
    /// The names in the system store's directory, sorted: those of users with
    /// records, and whatever else lies there. `None` for the home store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the directory cannot be read, or is not as it should be.
    pub fn entries(&self) -> Result<Option<Vec<OsString>>, StoreError> {
        if self.kind == StoreKind::Home {
            return Ok(None);
        }
        let place = Place::in_system(self, OsString::new());
        let failed = |errno| StoreError::io(place.base_path(), errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = rustix::fs::openat(place.open_base()?, ".", flags, Mode::empty());
        let base = base.and_then(clear_of_stdio).map_err(failed)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&base).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(Some(names))
    }

    /// Whether something lies where this user's record would, or another
    /// program's file in its place, be it one or not; also where the directory
    /// around it is not as it should be.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be told.
    pub fn has_entry(&self, account: &Account) -> Result<bool, StoreError> {
        let legacy = LegacyPlace::of(self, account)?;
        let kind = legacy.as_ref().map_or(self.kind, LegacyPlace::kind);
        let own = self.has_record(self.kind, account);
        if let Ok(true) = own {
            return own;
        }
        if let Some(legacy) = legacy {
            if legacy.is_there()? || (kind != self.kind && self.has_record(kind, account)?) {
                return Ok(true);
            }
        }
        own
    }

    fn has_record(&self, kind: StoreKind, account: &Account) -> Result<bool, StoreError> {
        let place = Place::of(self, kind, account)?;
        place.enter(|| {
            let (base, _) = walk(place.base_path())?;
            match open_step(&base, place.entry(), OFlags::PATH) {
                Ok(_) => Ok(true),
                Err(rustix::io::Errno::NOENT) => Ok(false),
                Err(errno) => Err(StoreError::io(place.record_path(), errno)),
            }
        })?
    }
}

/// Opens a regular file for reading that must belong to root or to one of
/// `owners`. No link is followed but root's, and none in the file's own place:
/// whoever owns a directory on the way cannot have us read another one's file.
///
/// # Errors
///
/// [`StoreError`] names the path and what is wrong with it.
pub fn open_file(path: &Path, owners: &[u32]) -> Result<File, StoreError> {
    let missing = || StoreError::Missing(path.to_owned());
    let name = path.file_name().ok_or_else(missing)?;
    let (directory, _) = walk(path.parent().ok_or_else(missing)?)?;
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let failed = |errno| match errno {
        rustix::io::Errno::LOOP => StoreError::insecure(path, Problem::Link),
        errno => StoreError::io(path, errno),
    };
    let file = rustix::fs::openat(&directory, name, flags, Mode::empty())
        .and_then(clear_of_stdio)
        .map_err(failed)?;
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StoreError::insecure(path, Problem::NotFile));
    }
    if stat.st_uid != 0 && !owners.contains(&stat.st_uid) {
        let problem = Problem::Owner {
            uid: stat.st_uid,
            expected: owners.first().copied().unwrap_or(0),
        };
        return Err(StoreError::insecure(path, problem));
    }
    Ok(file.into())
}
