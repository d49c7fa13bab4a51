//! What libpam makes of a service's files: one list for each kind.

use crate::control::Control;
use crate::error::Place;
use crate::file::Kind;

/// A stack of one kind, with all that its files include.
#[derive(Clone, Debug)]
pub struct Stack {
    kind: Kind,
    entries: Vec<Entry>,
}

/// One line of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// File and line.
    pub place: Place,
    /// In how many substacks it is; 0 for none.
    pub level: usize,
    /// Which statement of the service's own file brought it here: an index into
    /// [`ServiceFile::statements`](crate::ServiceFile::statements).
    pub statement: usize,
    /// What stands there.
    pub part: Part,
}

/// What a line of a stack is.
#[derive(Clone, Debug)]
pub enum Part {
    /// A module that is called.
    Module(Module),
    /// The begin of a substack. Its lines follow, one level deeper; with them it
    /// counts as one line in jumps.
    Substack {
        /// As the line names it.
        file: String,
    },
}

/// A module on a line.
#[derive(Clone, Debug)]
pub struct Module {
    /// `-auth`.
    pub silent: bool,
    /// What follows from its returns.
    pub control: Control,
    /// As the line names it.
    pub module: String,
    /// What it is told.
    pub arguments: Vec<String>,
}

impl Module {
    /// The module's file name, without directories, e.g. `pam_unix.so`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let name = self.module.rsplit('/').next();
        name.unwrap_or(&self.module)
    }
}

impl Entry {
    /// The module, unless it is the begin of a substack.
    #[must_use]
    pub fn module(&self) -> Option<&Module> {
        match &self.part {
            Part::Module(module) => Some(module),
            Part::Substack { .. } => None,
        }
    }
}

impl Stack {
    pub(crate) fn new(kind: Kind, entries: Vec<Entry>) -> Self {
        Self { kind, entries }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its lines, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
