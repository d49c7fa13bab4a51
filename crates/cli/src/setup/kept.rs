//! What setup keeps of a service that it has changed: how its files were, how it
//! left them, and whether that is a trial.
//!
//! A directory of root's for each service, outside /run: a reboot must not lose
//! it. Each field is a file of its own. A trial runs as long as `deadline` is there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::answer::difference;
use super::error::SetupError;
use super::{files, sshd};

/// Where.
const DIRECTORY: &str = "/var/lib/pam-otp-setup";

/// One file that was changed.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// `stack` or `sshd`.
    pub(crate) name: &'static str,
    /// The file.
    pub(crate) path: PathBuf,
    /// As it was; none if it was not there.
    pub(crate) before: Option<Vec<u8>>,
    /// As it is to stay.
    pub(crate) after: Vec<u8>,
    /// As it is during a trial, if that is different.
    pub(crate) trial: Option<Vec<u8>>,
}

/// What there is about one service.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its name.
    pub(crate) service: String,
    /// Which files were changed, in the order in which they were.
    pub(crate) changes: Vec<Change>,
    /// When the trial is over, if there is one: seconds since the epoch.
    pub(crate) deadline: Option<u64>,
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    kept: PathBuf,
}

/// As long as this lives no other run changes anything.
pub(crate) struct Locked(#[expect(dead_code, reason = "held")] Flock<File>);

/// Names of changes, in the order in which they are made.
const NAMES: [&str; 2] = [sshd::SERVICE, "stack"];

impl Shelf {
    /// The one of a system whose root is here.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            kept: files::below(root, DIRECTORY),
        }
    }

    /// Waits until no other run is changing anything.
    pub(crate) fn lock(&self) -> Result<Locked, SetupError> {
        let fail = |error| SetupError::file(&self.kept)(error);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.kept).map_err(fail)?;
        let path = self.kept.join(".lock");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(SetupError::file(&path))?;
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => {
                self.recover()?;
                Ok(Locked(lock))
            }
            Err((_, errno)) => Err(SetupError::file(&path)(errno.into())),
        }
    }

    /// A run that was killed between two names.
    fn recover(&self) -> Result<(), SetupError> {
        let entries = fs::read_dir(&self.kept).map_err(SetupError::file(&self.kept))?;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().into_string().unwrap_or_default();
            let service = name
                .strip_prefix('.')
                .and_then(|it| it.strip_suffix(".old"));
            let Some(service) = service else {
                continue;
            };
            let place = self.directory(service);
            if !place.exists() {
                fs::rename(entry.path(), &place).map_err(SetupError::file(&place))?;
            }
        }
        Ok(())
    }

    fn directory(&self, service: &str) -> PathBuf {
        self.kept.join(service)
    }

    /// The file that a change is of. What is kept has it for people alone: below
    /// another root somebody else may have written that.
    fn changed(&self, name: &str, service: &str) -> PathBuf {
        if name == sshd::SERVICE {
            files::below(&self.root, sshd::DROP_IN)
        } else {
            files::below(&self.root, "/etc/pam.d").join(service)
        }
    }

    /// The file in which the module writes, during a trial, who has logged in.
    pub(crate) fn witness(&self, service: &str) -> PathBuf {
        self.directory(service).join("witness")
    }

    /// Who has logged in with a code since the trial began.
    pub(crate) fn witnesses(&self, service: &str) -> Vec<String> {
        let text = fs::read(self.witness(service)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut names = text.lines().map(str::to_owned).collect::<Vec<_>>();
        names.dedup();
        names
    }

    /// All services of which something is kept.
    pub(crate) fn services(&self) -> Result<Vec<String>, SetupError> {
        let entries = match fs::read_dir(&self.kept) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(SetupError::file(&self.kept))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names = names
            .filter(|name| !name.starts_with('.'))
            .collect::<Vec<_>>();
        names.sort_unstable();
        Ok(names)
    }

    /// What is kept of this service.
    pub(crate) fn find(&self, service: &str) -> Result<Option<Kept>, SetupError> {
        let directory = self.directory(service);
        if !directory.is_dir() {
            return Ok(None);
        }
        let read = |name: &str| {
            let path = directory.join(name);
            match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                content => content.map(Some).map_err(SetupError::file(&path)),
            }
        };
        let mut changes = Vec::new();
        for name in NAMES {
            if read(&format!("{name}.path"))?.is_none() {
                continue;
            }
            changes.push(Change {
                name,
                path: self.changed(name, service),
                before: read(&format!("{name}.before"))?,
                after: read(&format!("{name}.after"))?.unwrap_or_default(),
                trial: read(&format!("{name}.trial"))?,
            });
        }
        let deadline = read("deadline")?.map(|text| {
            let text = String::from_utf8_lossy(&text);
            // One that cannot be read is over.
            text.trim().parse().unwrap_or(0)
        });
        Ok(Some(Kept {
            service: service.to_owned(),
            changes,
            deadline,
        }))
    }

    /// Keeps this, in the place of what was kept before: all of it or nothing.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<(), SetupError> {
        let new = self.kept.join(format!(".{}.new", kept.service));
        Self::fill(kept, &new).map_err(SetupError::file(&new))?;
        let place = self.directory(&kept.service);
        let fail = SetupError::file(&place);
        let old = self.kept.join(format!(".{}.old", kept.service));
        let renamed = clear(&old)
            .and_then(|()| match fs::rename(&place, &old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            })
            .and_then(|()| fs::rename(&new, &place))
            .and_then(|()| files::sync_directory(&self.kept))
            .and_then(|()| clear(&old));
        renamed.map_err(fail)
    }

    fn fill(kept: &Kept, directory: &Path) -> io::Result<()> {
        clear(directory)?;
        DirBuilder::new().mode(0o700).create(directory)?;
        let write = |name: String, content: &[u8]| {
            let path = directory.join(name);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let mut file = options.open(path)?;
            io::Write::write_all(&mut file, content)?;
            file.sync_all()
        };
        for change in &kept.changes {
            let name = change.name;
            write(format!("{name}.path"), change.path.as_os_str().as_bytes())?;
            write(format!("{name}.after"), &change.after)?;
            if let Some(before) = &change.before {
                write(format!("{name}.before"), before)?;
            }
            if let Some(trial) = &change.trial {
                write(format!("{name}.trial"), trial)?;
            }
        }
        if let Some(deadline) = kept.deadline {
            write("deadline".into(), deadline.to_string().as_bytes())?;
            write("witness".into(), b"")?;
        }
        files::sync_directory(directory)
    }

    /// Keeps nothing of this service any more.
    pub(crate) fn forget(&self, service: &str) -> Result<(), SetupError> {
        let place = self.directory(service);
        let hidden = |end: &str| self.kept.join(format!(".{service}.{end}"));
        // No name that is recovered: half of it would be, and a stack without what
        // was before it would be one to remove.
        let gone = hidden("gone");
        let removed = clear(&hidden("old"))
            .and_then(|()| clear(&gone))
            .and_then(|()| fs::rename(&place, &gone))
            .and_then(|()| files::sync_directory(&self.kept))
            .and_then(|()| clear(&gone));
        removed.map_err(SetupError::file(&place))
    }

    /// Keeps a file that somebody has changed meanwhile, so that nothing is lost.
    pub(crate) fn set_aside(&self, service: &str, change: &Change) -> Result<PathBuf, SetupError> {
        let content = files::read(&change.path)?.unwrap_or_default();
        let path = self
            .kept
            .join(format!(".{service}.{}.changed", change.name));
        files::write(&path, &content)?;
        Ok(path)
    }
}

fn clear(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How a changed file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As it was before setup.
    Before,
    /// As setup left it.
    After,
    /// Otherwise.
    Changed,
}

impl Change {
    /// How the file stands now.
    pub(crate) fn standing(&self) -> Result<Standing, SetupError> {
        let now = files::read(&self.path)?;
        Ok(if now == self.before {
            Standing::Before
        } else if now.is_some() && (now == self.trial || now.as_ref() == Some(&self.after)) {
            Standing::After
        } else {
            Standing::Changed
        })
    }

    /// Refuses if somebody has changed the file since.
    pub(crate) fn require_unchanged(&self) -> Result<(), SetupError> {
        if self.standing()? != Standing::Changed {
            return Ok(());
        }
        let now = files::read(&self.path)?.unwrap_or_default();
        let left = self.trial.as_ref().unwrap_or(&self.after);
        Err(SetupError::Changed {
            path: self.path.clone(),
            difference: difference(&self.path, left, &now),
        })
    }

    /// Refuses to replace what is neither as it was read nor as it is to be: somebody
    /// may have been quicker than the answer.
    pub(crate) fn require_replaceable(&self) -> Result<(), SetupError> {
        match self.standing()? {
            Standing::Before => Ok(()),
            _ => self.require_unchanged(),
        }
    }

    /// Makes the change.
    pub(crate) fn make(&self) -> Result<(), SetupError> {
        files::write(&self.path, self.trial.as_ref().unwrap_or(&self.after))
    }

    /// Puts back what was there, whatever is there now.
    pub(crate) fn put_back(&self) -> Result<(), SetupError> {
        match &self.before {
            _ if self.standing()? == Standing::Before => Ok(()),
            Some(before) => files::write(&self.path, before),
            None => files::remove(&self.path),
        }
    }

    /// The difference that it makes, for people.
    pub(crate) fn difference(&self) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        difference(&self.path, before, &self.after)
    }
}

/// What an earlier run has changed is still to be undone with the rest.
pub(crate) fn together(earlier: Option<&Kept>, changes: &[Change]) -> Vec<Change> {
    let earlier = earlier.into_iter().flat_map(|kept| &kept.changes);
    let (same, others) = earlier.partition::<Vec<_>, _>(|old| {
        let same = |new: &Change| new.name == old.name;
        changes.iter().any(same)
    });
    let mut all = others.into_iter().cloned().collect::<Vec<_>>();
    for change in changes {
        let mut change = change.clone();
        let left =
            |old: &&&Change| old.name == change.name && change.before.as_ref() == Some(&old.after);
        // What is changed again goes back to how it was before the first time.
        if let Some(old) = same.iter().find(left) {
            change.before.clone_from(&old.before);
        }
        all.push(change);
    }
    all
}
