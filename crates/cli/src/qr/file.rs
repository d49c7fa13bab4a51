//! Files that hold the secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::error::Error;

/// Files that were written just now.
#[derive(Debug, Default)]
pub(crate) struct Written(Vec<PathBuf>);

impl Written {
    /// Writes one more; see [`write_private`].
    pub(super) fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        write_private(path, bytes)?;
        self.0.push(path.to_owned());
        Ok(())
    }

    /// Removes them: what they show is of no use.
    pub(crate) fn take_back(self) {
        for path in self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether the name is free, and a file can be made there, as far as that can be
/// told now.
pub(super) fn check_new(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => return Err(failed(path, io::ErrorKind::AlreadyExists.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(path, error)),
    }
    let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let flags = AccessFlags::W_OK | AccessFlags::X_OK;
    access(directory, flags).map_err(|errno| failed(path, errno.into()))
}

/// Writes a new file that its owner alone can read. Whatever has the name
/// already is left as it is, a dangling symbolic link too. If writing fails
/// nothing is left behind. Errors name the path.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    create(path, |mut file| file.write_all(bytes)).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        error,
    }
}

fn create(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    // A full disk may be told of at the end only.
    write(&file)
        .and_then(|()| file.sync_all())
        .inspect_err(|_| {
            // What part of the secret is there is gone, even if the name stays.
            let _ = file.set_len(0);
            let _ = fs::remove_file(path);
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use pam_otp_testkit::temp::TempDir;

    use super::*;

    #[test]
    fn a_file_is_its_owner_s_alone() {
        let directory = TempDir::new();
        let path = directory.path().join("code.png");
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }

    #[test]
    fn what_is_there_already_is_left_as_it_is() {
        let directory = TempDir::new();
        let elsewhere = directory.path().join("elsewhere");
        let file = directory.path().join("file");
        fs::write(&file, "mine").unwrap();
        let (link, dangling) = (
            directory.path().join("link"),
            directory.path().join("dangling"),
        );
        symlink(&file, &link).unwrap();
        symlink(&elsewhere, &dangling).unwrap();
        for path in [&file, &link, &dangling, &directory.path().to_owned()] {
            let expected = format!(
                "{}: is there already, and is never written over",
                path.display()
            );
            for error in [write_private(path, b"secret"), check_new(path)] {
                let error = error.unwrap_err();
                assert_eq!(
                    (error.code(), error.to_string()),
                    ("bad_file", expected.clone())
                );
            }
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert!(!elsewhere.exists() && dangling.is_symlink());
    }

    #[test]
    fn what_was_written_can_be_taken_back() {
        let directory = TempDir::new();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        let mut written = Written::default();
        written.write(&one, b"secret").unwrap();
        written.write(&two, b"secret").unwrap();
        assert!(written.write(&two, b"secret").is_err());
        written.take_back();
        assert!(!one.exists() && !two.exists());
    }

    #[test]
    fn a_file_that_cannot_be_written_to_the_end_is_removed() {
        let directory = TempDir::new();
        let path = directory.path().join("code.png");
        let error = create(&path, |mut file| {
            file.write_all(b"half of it")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
