//! A PAM service of the test's own.

use crate::temp::TempDir;
use std::path::{Path, PathBuf};

/// A service file in a directory of its own, for `pam_start_confdir`:
/// nothing in `/etc` is read or touched, and no rights are needed.
/// `include` lines and the service `other` look in that directory too.
#[derive(Debug)]
pub struct Stack {
    service: String,
    directory: Option<PathBuf>,
    _owned: Option<TempDir>,
}

impl Stack {
    /// Writes the service's lines; `{module}` stands for the built module.
    #[must_use]
    pub fn new(service: &str, lines: &str) -> Self {
        let directory = TempDir::new();
        let lines = with_module(lines, crate::artifacts::module);
        let stack = Self::in_directory(service, &lines, directory.path());
        Self {
            _owned: Some(directory),
            ..stack
        }
    }

    /// A service that exists already: in `directory`, or in the system's
    /// `/etc/pam.d` without one.
    #[must_use]
    pub fn existing(service: &str, directory: Option<&Path>) -> Self {
        let directory = directory.map(Path::to_owned);
        Self {
            service: service.to_owned(),
            directory,
            _owned: None,
        }
    }

    /// Its name, `PAM_SERVICE`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The directory of service files; none means `/etc/pam.d`.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Writes lines that name modules literally.
    pub(crate) fn in_directory(service: &str, lines: &str, directory: &Path) -> Self {
        std::fs::create_dir_all(directory).expect("make the directory of a stack");
        std::fs::write(directory.join(service), format!("{lines}\n")).expect("write a stack");
        Self::existing(service, Some(directory))
    }
}

/// Puts the module's path in place of `{module}`, asking for it only then.
pub(crate) fn with_module(lines: &str, module: impl FnOnce() -> PathBuf) -> String {
    if !lines.contains("{module}") {
        return lines.to_owned();
    }
    lines.replace(
        "{module}",
        module().to_str().expect("a module path in UTF-8"),
    )
}
