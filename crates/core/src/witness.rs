//! Who has logged in with a code while `pam-otp setup --try` runs.
//!
//! The line in the stack has `witness=FILE` then. A trial is kept only if somebody
//! stands in that file, so a witness that is missing costs nothing but the trial.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use crate::user::UserName;

/// As much as anybody reads of it, in bytes.
const LONGEST: i64 = 64 * 1024;

/// Adds a name to the file, on a line of its own. Makes no file, and follows no
/// link.
///
/// # Errors
///
/// It is not there, is not a file, is full, or this process may not write it.
pub fn leave(path: &Path, name: &UserName) -> io::Result<()> {
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty())?;
    let status = fstat(&file)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || status.st_size > LONGEST
    {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // In one piece: two logins may do it at once.
    File::from(file).write_all(format!("{name}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_to_a_file_that_is_there_and_to_nothing_else() {
        let place = std::env::temp_dir().join(format!("pam-otp-witness-{}", std::process::id()));
        let alice = UserName::new("alice").unwrap();
        assert!(leave(&place, &alice).is_err());
        std::fs::write(&place, "").unwrap();
        leave(&place, &alice).unwrap();
        leave(&place, &UserName::new("bob").unwrap()).unwrap();
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "alice\nbob\n");
        let link = place.with_extension("link");
        std::os::unix::fs::symlink(&place, &link).unwrap();
        assert!(leave(&link, &alice).is_err());
        assert!(leave(Path::new("/dev/null"), &alice).is_err());
        std::fs::remove_file(&link).unwrap();
        std::fs::remove_file(&place).unwrap();
    }
}
