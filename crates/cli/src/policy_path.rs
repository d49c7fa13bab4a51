//! Which policy file counts for a line of a stack, and what it says of a service.

use std::io;
use std::path::{Path, PathBuf};

use pam_otp_core::policy::{Arguments as Line, DEFAULT_FILE, Policy, PolicyError};

/// Where policies lie.
#[derive(Clone, Debug)]
pub(crate) struct PolicyPath {
    /// What `--policy` names; absolute.
    named: Option<PathBuf>,
    /// Of the system whose lines are read.
    root: PathBuf,
}

impl PolicyPath {
    /// This system's; `named` in the default file's place.
    pub(crate) fn new(named: Option<&Path>) -> io::Result<Self> {
        Ok(Self {
            named: named.map(std::path::absolute).transpose()?,
            root: PathBuf::from("/"),
        })
    }

    /// Those of the system below this directory. What `--policy` names is named from
    /// here, and stays.
    pub(crate) fn below(&self, root: &Path) -> Self {
        Self {
            named: self.named.clone(),
            root: root.to_owned(),
        }
    }

    /// The file of lines that name none.
    pub(crate) fn file(&self) -> PathBuf {
        let named = self.named.clone();
        named.unwrap_or_else(|| self.default_file())
    }

    fn default_file(&self) -> PathBuf {
        self.in_root(Path::new(DEFAULT_FILE))
    }

    fn in_root(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The policy as a login by this line of the service's stack would have it, and
    /// the line with the policy file that it reads.
    ///
    /// # Errors
    ///
    /// [`PolicyError`]; every such login is denied.
    pub(crate) fn by_line(
        &self,
        mut line: Line,
        service: &str,
    ) -> Result<(Line, Policy), PolicyError> {
        let default = self.default_file();
        // Like a login: only the default file may be missing.
        let named = self.named.as_ref().filter(|file| **file != default);
        let of_line = line.policy.map(|file| self.in_root(&file));
        line.policy = of_line.or_else(|| named.cloned());
        let policy = Policy::for_login_with_default(&line, &default, service)?;
        Ok((line, policy))
    }

    /// The same by a line without arguments.
    pub(crate) fn for_service(&self, service: &str) -> Result<Policy, PolicyError> {
        let (_, policy) = self.by_line(Line::default(), service)?;
        Ok(policy)
    }
}
