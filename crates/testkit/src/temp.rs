//! A directory that goes away with its owner.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A fresh directory, mode 0700, removed with all it holds on drop.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Makes the directory under `$TMPDIR` or `/tmp`.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default that makes a directory surprises"
    )]
    pub fn new() -> Self {
        let template = std::env::temp_dir().join("pam-otp-test-XXXXXX");
        let mut template = CString::new(template.as_os_str().as_bytes())
            .expect("no NUL in TMPDIR")
            .into_bytes_with_nul();
        // SAFETY: `template` is a writable NUL-terminated string; mkdtemp
        // replaces its X's in place.
        let made = unsafe { libc::mkdtemp(template.as_mut_ptr().cast()) };
        assert!(
            !made.is_null(),
            "mkdtemp: {}",
            std::io::Error::last_os_error()
        );
        template.pop();
        Self {
            path: OsString::from_vec(template).into(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A test that is failing already must not hide its reason behind ours.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
