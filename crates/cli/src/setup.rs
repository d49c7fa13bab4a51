//! A service's stack: the code put into it, tried, and taken out again.
//!
//! What is changed is kept first ([`kept`]), so that it can be put back; where the
//! code goes is tried and walked through ([`placing`]); a trial undoes itself
//! ([`trial`]).

use std::path::{Path, PathBuf};

use pam_otp_stack::Services;

use crate::commands::setup::{Method, Options};
use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::policy_path::PolicyPath;
use crate::reply::Reply;
use crate::session::Session;

mod answer;
mod change;
mod error;
mod files;
mod kept;
mod people;
mod placing;
mod sshd;
mod trial;
mod warnings;

pub(crate) use error::SetupError;
pub(crate) use files::module_is_installed;

use answer::Answer;
use kept::Shelf;
use placing::First;

/// One run of the command.
struct Setup<'a> {
    session: &'a Session,
    options: &'a Options,
    root: PathBuf,
    policies: PolicyPath,
    shelf: Shelf,
    services: Services,
}

/// Does what the options say.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let root = options.root.clone().unwrap_or_else(|| "/".into());
    let setup = Setup {
        session,
        options,
        shelf: Shelf::new(&root),
        services: Services::under(&root),
        policies: session.policy_path.below(&root),
        root,
    };
    let Some(name) = &options.name else {
        if options.watch {
            trial::watch_all(&setup.shelf)?;
            return Ok(Reply::new());
        }
        if options.attempt.is_some() || options.confirm || options.undo {
            let needs = "pam-otp setup needs a SERVICE for that, e.g. sshd";
            return Err(Error::Usage(needs.into()));
        }
        return setup.overview();
    };
    // libpam looks for names in lower case.
    let service = name.to_ascii_lowercase();
    if options.watch {
        return setup.watch(&service);
    }
    let path = setup.services.find(&service).map_err(SetupError::from)?;
    let mut answer = Answer::about(&service);
    setup.undo_overdue(&mut answer)?;
    if options.confirm {
        setup.confirm(&service, answer)
    } else if options.undo {
        setup.undo(&service, answer)
    } else {
        let path = path.ok_or(SetupError::NoService(service.clone()))?;
        setup.set_up(&service, &path, answer)
    }
}

/// Services with a trial that nobody has ended, and when its time is over: seconds
/// since the epoch.
pub(crate) fn trials() -> Result<Vec<(String, u64)>, SetupError> {
    trial::all(&Shelf::new(Path::new("/")))
}

impl Setup<'_> {
    fn first(&self) -> First {
        match self.options.method {
            Method::PasswordAndCode => First::Password,
            Method::KeyAndCode => First::Key,
        }
    }

    /// What is set up, and what is tried.
    fn overview(&self) -> Result<Reply, Error> {
        let mut answer = Answer::about_all();
        self.undo_overdue(&mut answer)?;
        for service in self.shelf.services()? {
            let kept = self.shelf.find(&service)?;
            let until = kept.and_then(|kept| kept.deadline);
            answer.services.push((service, until));
        }
        Ok(answer.reply())
    }

    fn undo_overdue(&self, answer: &mut Answer) -> Result<(), Error> {
        for service in trial::undo_overdue(&self.shelf)? {
            let text = format!("the trial of {service} is over, and what was there is put back");
            answer.warnings.push(text);
        }
        Ok(())
    }

    /// Runs until the trial is over, in a session of its own.
    fn watch(&self, service: &str) -> Result<Reply, Error> {
        // One that leads a group already has a session of its own, or a shell that
        // looks after it.
        let _ = nix::unistd::setsid();
        let mut stdout = std::io::stdout().lock();
        std::io::Write::write_all(&mut stdout, trial::READY.as_bytes())?;
        std::io::Write::flush(&mut stdout)?;
        drop(stdout);
        trial::watch(&self.shelf, service)?;
        Ok(Reply::new())
    }

    fn confirm(&self, service: &str, mut answer: Answer) -> Result<Reply, Error> {
        answer.logged_in = trial::confirm(&self.shelf, service)?;
        self.log("setup-confirm", service)?;
        answer.state = Some("confirmed");
        answer.words.push(format!(
            "{service} asks for a code from now on. Logged in so far: {}.",
            answer.logged_in.join(", ")
        ));
        Ok(answer.reply())
    }

    fn undo(&self, service: &str, mut answer: Answer) -> Result<Reply, Error> {
        let lock = self.shelf.lock()?;
        let kept = self.shelf.find(service)?;
        let kept = kept.ok_or_else(|| SetupError::NotSetUp(service.to_owned()))?;
        for change in &kept.changes {
            match change.require_unchanged() {
                Err(error @ SetupError::Changed { .. }) if !self.options.force => {
                    return Err(error.into());
                }
                Err(SetupError::Changed { .. }) => {
                    let copy = self.shelf.set_aside(service, change)?;
                    let (path, copy) = (change.path.display(), copy.display());
                    answer
                        .warnings
                        .push(format!("{path} was changed since; that is in {copy}"));
                }
                other => other?,
            }
        }
        // The stack first: sshd's settings without it only ask for less.
        for change in kept.changes.iter().rev() {
            change.put_back()?;
            self.session.log_file("setup-undo", &change.path);
            let path = change.path.display();
            answer.words.push(match &change.before {
                Some(_) => format!("{path} is as it was."),
                None => format!("{path} is removed; it was not there."),
            });
        }
        self.shelf.forget(service)?;
        drop(lock);
        answer.state = Some("undone");
        let sshd = kept.changes.iter().any(|it| it.name == sshd::SERVICE);
        if sshd && (self.options.reload || kept.deadline.is_some()) {
            Self::reload(&mut answer)?;
        } else if sshd {
            answer.needs_reload();
        }
        Ok(answer.reply())
    }

    fn reload(answer: &mut Answer) -> Result<(), Error> {
        if sshd::reload()? {
            answer
                .words
                .push("sshd has been told to read its configuration.".into());
        } else {
            answer
                .warnings
                .push("no running sshd was found to read its configuration".into());
            answer.needs_reload();
        }
        Ok(())
    }

    fn log(&self, action: &str, service: &str) -> Result<(), Error> {
        let kept = self.shelf.find(service)?;
        for change in kept.iter().flat_map(|kept| &kept.changes) {
            self.session.log_file(action, &change.path);
        }
        Ok(())
    }

    /// Asks a person for yes or no.
    fn agrees(question: &str) -> Result<bool, Error> {
        person::prompt(&format!("{} [y/N] ", plain(question)))?;
        let answer = person::read_line()?.unwrap_or_default();
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }
}
