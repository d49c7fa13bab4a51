//! A user's name, checked before it becomes part of a path or of a log line.

use std::fmt;

/// A name that can be a directory entry: 1 to 255 bytes, no slash, no control
/// character, neither `.` nor `..`.
///
/// Wider than what `useradd` allows, because panels, directories and mail
/// servers have users called `alice@example.org` or `EXAMPLE\alice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`UserNameError`].
    pub fn new(name: &str) -> Result<Self, UserNameError> {
        let fits = (1..=255).contains(&name.len());
        let plain = !name.chars().any(|c| c == '/' || c.is_control());
        if fits && plain && name != "." && name != ".." {
            Ok(Self(name.to_owned()))
        } else {
            Err(UserNameError)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that no user of ours can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserNameError;

impl fmt::Display for UserNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user name has 1 to 255 bytes, no slash and no control characters")
    }
}

impl std::error::Error for UserNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems_directories_and_panels_are_taken() {
        for name in [
            "alice",
            "www-data",
            "alice@example.org",
            "EXAMPLE\\alice",
            "Jürgen",
            "a b",
            "...",
        ] {
            assert_eq!(UserName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_would_leave_their_directory_or_forge_a_log_line_are_refused() {
        let long = "a".repeat(256);
        for name in [
            "", ".", "..", "../bob", "a/b", "/", "a\nb", "a\0", "\x1b[2J", "a\u{85}b", &long,
        ] {
            assert_eq!(UserName::new(name), Err(UserNameError), "{name:?}");
        }
    }
}
