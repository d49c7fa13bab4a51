//! Files of root's, written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::error::SetupError;

/// The content of a file; none if it is not there. A symbolic link is refused: it
/// leads to a file that another program keeps up.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, SetupError> {
    match fs::read_link(path) {
        Ok(to) => {
            return Err(SetupError::Linked {
                path: path.to_owned(),
                to: path.parent().unwrap_or(path).join(to),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // It is there, and no link.
        Err(_) => {}
    }
    fs::read(path).map(Some).map_err(SetupError::file(path))
}

/// Puts this content into a file: all of it or nothing, also if the power fails.
/// Owner and mode stay; a new file is root's, with mode 0644.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), SetupError> {
    replace(path, content).map_err(SetupError::file(path))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let old = match fs::symlink_metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // No name that libpam or sshd would take for one of theirs.
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(".pam-otp-new");
    let new = directory.join(name);
    let written = fill(&new, content, old.as_ref()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    sync_directory(directory)
}

fn fill(path: &Path, content: &[u8], like: Option<&fs::Metadata>) -> io::Result<()> {
    // One that a killed command has left.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    if let Some(like) = like {
        fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    let mode = like.map_or(0o644, |like| like.mode() & 0o7777);
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), SetupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SetupError::file(path)(error)),
        Ok(()) => match path.parent() {
            Some(directory) => sync_directory(directory).map_err(SetupError::file(directory)),
            None => Ok(()),
        },
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether the module is in one of the directories in which libpam looks on the
/// common distributions.
pub(crate) fn module_is_installed() -> bool {
    let directories = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
    let below = directories.iter().flat_map(|directory| {
        let entries = fs::read_dir(directory).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path()))
    });
    let mut all = below.chain(directories.iter().map(PathBuf::from));
    all.any(|path| path.join("security/pam_otp.so").is_file())
}

/// A path below another root.
pub(crate) fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
