//! Files that hold the secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes a new file that its owner alone can read. Whatever has the name
/// already is left as it is, a dangling symbolic link too. If writing fails
/// nothing is left behind. Errors name the path.
#[cfg_attr(not(test), expect(dead_code, reason = "for --svg and --png"))]
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    create(path, |mut file| file.write_all(bytes)).map_err(named)
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
            let error = write_private(path, b"secret").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert!(
                error.to_string().starts_with(path.to_str().unwrap()),
                "{error}"
            );
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert!(!elsewhere.exists() && dangling.is_symlink());
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
