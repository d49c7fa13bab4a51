//! Where service files are, and what they include.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Place, Problem, StackError};
use crate::file::{Kind, Rule, ServiceFile};
use crate::stack::{Entry, Module, Part, Stack};

/// Where libpam looks, the administrator's directory first. A vendor's
/// `/usr/etc/pam.d` is openSUSE's.
pub const DIRECTORIES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];

/// The service whose lines count where a service has none of a kind.
pub const OTHER: &str = "other";

/// libpam's `PAM_SUBSTACK_MAX_LEVEL`.
const DEEPEST: usize = 16;

/// The directories of service files.
#[derive(Clone, Debug)]
pub struct Services {
    directories: Vec<PathBuf>,
}

impl Services {
    /// The system's own: [`DIRECTORIES`].
    #[must_use]
    pub fn system() -> Self {
        Self::under(Path::new("/"))
    }

    /// The same of a system whose root is here. Absolute names in an `include`
    /// are still this system's own.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        Self {
            directories: DIRECTORIES.into_iter().map(below).collect(),
        }
    }

    /// One directory, as `pam_start_confdir` has it.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            directories: vec![directory.to_owned()],
        }
    }

    /// The file of a service, the first one that is there. libpam looks in lower
    /// case only.
    ///
    /// # Errors
    ///
    /// A name with a slash in it.
    pub fn find(&self, service: &str) -> Result<Option<PathBuf>, StackError> {
        let name = service.to_ascii_lowercase();
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            let service = service.to_owned();
            return Err(StackError::BadName { service });
        }
        let mut paths = self.directories.iter().map(|it| it.join(&name));
        Ok(paths.find(|path| path.is_file()))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line is not understood.
    pub fn load(&self, path: &Path) -> Result<ServiceFile, StackError> {
        let bytes = std::fs::read(path).map_err(|error| StackError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        ServiceFile::parse(path, bytes)
    }

    /// The service's stack of this kind, as libpam makes it: of the service's
    /// own file, and where that has no such line, of the service `other`.
    ///
    /// # Errors
    ///
    /// A line of any file that takes part is not understood, also one of another
    /// kind; neither the service nor `other` has a file.
    pub fn stack(&self, service: &str, kind: Kind) -> Result<Stack, StackError> {
        let own = match self.find(service)? {
            Some(path) => Some(self.load(&path)?),
            None => None,
        };
        if let Some(file) = &own {
            let stack = self.stack_of(file, kind)?;
            if !stack.entries().is_empty() {
                return Ok(stack);
            }
        }
        match self.find(OTHER)? {
            Some(path) => self.stack_of(&self.load(&path)?, kind),
            None if own.is_some() => Ok(Stack::new(kind, Vec::new())),
            None => Err(StackError::NoService {
                service: service.to_owned(),
            }),
        }
    }

    /// The stack that a file has by itself, without `other`. The file need not be
    /// on disk: a change can be looked at before it is made.
    ///
    /// # Errors
    ///
    /// As [`Services::stack`].
    pub fn stack_of(&self, file: &ServiceFile, kind: Kind) -> Result<Stack, StackError> {
        let mut entries = Vec::new();
        self.add(file, kind, Depth::default(), None, &mut entries)?;
        Ok(Stack::new(kind, entries))
    }

    /// Other services whose stacks of this kind have lines of this one's file. Those
    /// whose files are not understood are left out.
    #[must_use]
    pub fn including(&self, service: &str, kind: Kind) -> Vec<String> {
        let Ok(Some(own)) = self.find(service) else {
            return Vec::new();
        };
        let has_lines = |name: &String| {
            let path = self.find(name).ok().flatten();
            let file = path.and_then(|path| self.load(&path).ok());
            let stack = file.and_then(|file| self.stack_of(&file, kind).ok());
            stack.is_some_and(|it| it.entries().iter().any(|entry| entry.place.path == own))
        };
        let entries = self.directories.iter().flat_map(std::fs::read_dir);
        let names = entries
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let others = names.filter(|name| name != service && has_lines(name));
        others
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    fn add(
        &self,
        file: &ServiceFile,
        wanted: Kind,
        depth: Depth,
        statement: Option<usize>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), StackError> {
        for (index, line) in file.statements().iter().enumerate() {
            if !line.concerns(wanted) {
                continue;
            }
            let place = Place {
                path: file.path().to_owned(),
                line: line.line,
            };
            // The outermost file's own statement.
            let statement = statement.or(Some(index));
            let mut push = |part| {
                entries.push(Entry {
                    place: place.clone(),
                    level: depth.substacks,
                    statement: statement.unwrap_or_default(),
                    part,
                });
            };
            let deeper = match &line.rule {
                Rule::Module {
                    silent,
                    control,
                    module,
                    arguments,
                    ..
                } => {
                    push(Part::Module(Module {
                        silent: *silent,
                        control: control.clone(),
                        module: module.clone(),
                        arguments: arguments.clone(),
                    }));
                    continue;
                }
                Rule::Include { .. } | Rule::IncludeAll { .. } => depth.deeper(0),
                Rule::Substack { file, .. } => {
                    push(Part::Substack { file: file.clone() });
                    depth.deeper(1)
                }
            };
            let (Rule::Include { file, .. }
            | Rule::Substack { file, .. }
            | Rule::IncludeAll { file }) = &line.rule
            else {
                continue;
            };
            let fail = |problem| StackError::Line {
                place: place.clone(),
                problem,
            };
            if deeper.files >= DEEPEST {
                return Err(fail(Problem::TooDeep));
            }
            let included = self.included(file, &fail)?;
            self.add(&included, wanted, deeper, statement, entries)?;
        }
        Ok(())
    }

    /// A file that a line names.
    fn included(
        &self,
        name: &str,
        fail: &impl Fn(Problem) -> StackError,
    ) -> Result<ServiceFile, StackError> {
        // A name may have slashes in it; libpam only joins. A path is one.
        let paths = self.directories.iter().map(|it| it.join(name));
        for path in paths {
            match self.load(&path) {
                Err(StackError::Unreadable { error, .. })
                    if error.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
        }
        Err(fail(Problem::UnknownFile(name.to_owned())))
    }
}

/// How far within other files.
#[derive(Clone, Copy, Debug, Default)]
struct Depth {
    files: usize,
    substacks: usize,
}

impl Depth {
    fn deeper(self, substacks: usize) -> Self {
        Self {
            files: self.files.saturating_add(1),
            substacks: self.substacks.saturating_add(substacks),
        }
    }
}
