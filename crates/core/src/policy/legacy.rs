//! Where files of `pam_google_authenticator` lie, and what is asked of them.
//! Its module arguments say it; for users without them it is
//! `~/.google_authenticator`.

use std::path::{Component, Path, PathBuf};

use crate::user::UserName;

/// The file's name in a home, where nothing else is said.
pub const HOME_FILE: &str = ".google_authenticator";

/// Where such a file lies, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyFile {
    /// Its path; `None` for [`HOME_FILE`] in the user's home.
    pub path: Option<Pattern>,
    /// Whose it is and with whose rights it is opened, if not the user's who
    /// logs in.
    pub user: Option<UserName>,
    /// Whether it may belong to root, or to the user who logs in, too.
    pub lax_owner: bool,
    /// The mode that it may have: 0600 at most.
    pub mode: u32,
}

impl Default for LegacyFile {
    fn default() -> Self {
        Self {
            path: None,
            user: None,
            lax_owner: false,
            mode: 0o600,
        }
    }
}

/// A path with the user's name or home in it, as `secret=` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Whether the rest begins in the user's home.
    home: bool,
    rest: String,
}

/// A pattern's path for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory that must be there whoever logs in: without it, nobody can
    /// say that a user has no file.
    pub anchor: PathBuf,
    /// The file.
    pub path: PathBuf,
}

const HOMES: [&str; 2] = ["~/", "${HOME}/"];
const USER: &str = "${USER}";

impl Pattern {
    /// Reads a pattern: `~` or `${HOME}` at the beginning, `${USER}` anywhere.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let in_home = HOMES.iter().find_map(|home| text.strip_prefix(home));
        let rest = in_home.unwrap_or(text);
        let plain = rest.replace(USER, "");
        let names = || rest.split('/');
        if in_home.is_none() && !text.starts_with('/') {
            Err("must be an absolute path, or begin with ~/ or ${HOME}/")
        } else if plain.contains("${HOME}") || names().any(|name| name.starts_with('~')) {
            Err("~ and ${HOME} can only stand at the beginning")
        } else if plain.contains("${") {
            Err("of what begins with ${, only ${HOME} and ${USER} are known")
        } else if names().any(|name| name == "..") {
            Err("must not have .. in it")
        } else if rest.ends_with('/') || rest.is_empty() || text.chars().any(char::is_control) {
            Err("must be the path of a file")
        } else {
            Ok(Self {
                home: in_home.is_some(),
                rest: rest.to_owned(),
            })
        }
    }

    /// Whether it needs the user's home.
    #[must_use]
    pub fn needs_home(&self) -> bool {
        self.home
    }

    /// Whether the user's name is part of it.
    #[must_use]
    pub fn names_user(&self) -> bool {
        self.rest.contains(USER)
    }

    /// Puts user and home in.
    #[must_use]
    pub fn of(&self, user: &UserName, home: &Path) -> Place {
        let base = if self.home { home } else { Path::new("/") };
        let path = base.join(
            self.rest
                .replace(USER, user.as_str())
                .trim_start_matches('/'),
        );
        let anchor = if path.starts_with(home) && home.is_absolute() {
            home.to_owned()
        } else {
            // Up to what is each user's own.
            let directory = Path::new(&self.rest).parent().unwrap_or(Path::new("/"));
            let common = directory.components().take_while(|component| {
                matches!(component, Component::Normal(name)
                    if !name.to_string_lossy().contains(USER))
                    || matches!(component, Component::RootDir)
            });
            Path::new("/").join(common.collect::<PathBuf>())
        };
        Place { anchor, path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_path_of_one_user_s_file() {
        let user = UserName::new("alice").unwrap();
        for (text, anchor, path) in [
            ("~/.ga", "/home/alice", "/home/alice/.ga"),
            ("~/.ssh/ga", "/home/alice", "/home/alice/.ssh/ga"),
            ("${HOME}/x-${USER}", "/home/alice", "/home/alice/x-alice"),
            ("/home/${USER}/.ga", "/home/alice", "/home/alice/.ga"),
            ("/etc/ga/${USER}", "/etc/ga", "/etc/ga/alice"),
            ("/var/h/${USER}/.ga", "/var/h", "/var/h/alice/.ga"),
            ("/var/${USER}.d/a/ga", "/var", "/var/alice.d/a/ga"),
            ("/${USER}", "/", "/alice"),
            ("//etc//ga/./one", "/etc/ga", "/etc/ga/one"),
            // Money is no variable, and neither is what follows a percent sign.
            ("/etc/$USER/%u", "/etc/$USER", "/etc/$USER/%u"),
        ] {
            let place = Pattern::parse(text)
                .unwrap()
                .of(&user, Path::new("/home/alice"));
            assert_eq!(place.anchor, Path::new(anchor), "{text}");
            assert_eq!(place.path, Path::new(path), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_could_lead_elsewhere_is_refused() {
        for (text, what) in [
            ("", "absolute"),
            ("ga", "absolute"),
            ("~", "absolute"),
            ("~bob/ga", "absolute"),
            ("${USER}/ga", "absolute"),
            ("/etc/../ga", ".."),
            ("~/../bob/ga", ".."),
            ("/etc/${HOME}/ga", "beginning"),
            ("/etc/~/ga", "beginning"),
            ("/etc/${SHELL}", "only ${HOME} and ${USER}"),
            ("/etc/ga/", "a file"),
            ("~/", "a file"),
            ("/etc/g\na", "a file"),
        ] {
            let said = Pattern::parse(text).unwrap_err();
            assert!(said.contains(what), "{text}: {said}");
        }
    }
}
