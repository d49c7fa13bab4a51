//! The way of a change: looked for, shown, asked about, kept, made.

use std::path::Path;

use pam_otp_core::policy::Unenrolled;
use pam_otp_stack::ServiceFile;

use super::answer::{Answer, printable};
use super::kept::{Change, Kept, together};
use super::placing::{self, First, Unplaced};
use super::{Setup, SetupError, files, people, sshd, trial};
use crate::commands::status::when;
use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

impl Setup<'_> {
    /// Sets the service up.
    pub(super) fn set_up(
        &self,
        service: &str,
        path: &Path,
        mut answer: Answer,
    ) -> Result<Reply, Error> {
        trial::require_none(self.shelf.find(service)?.as_ref())?;
        if self.options.root.is_none() && !files::module_is_installed() {
            // Such a line refuses everybody.
            let missing = std::io::Error::other("is not where libpam looks; install it first");
            return Err(SetupError::file(placing::MODULE)(missing).into());
        }
        let mut changes = self.changes(service, path, &mut answer)?;
        self.warn_of_first_logins(service, &mut answer);
        if changes.is_empty() {
            answer.state = Some("already");
            return Ok(answer.reply());
        }
        self.require_triable(service, &changes)?;
        self.warn(service, &mut answer)?;
        // A stack that asks for a code alone must wait until sshd asks for the key.
        let sshd_first = self.first() == First::Key
            && !self.options.reload
            && changes.iter().any(|it| it.name == sshd::SERVICE);
        if sshd_first {
            if self.options.attempt.is_some() {
                let needs = "--try with --method key+code needs --reload here: sshd must ask \
                             for the key before the stack asks for the code alone";
                return Err(Error::Usage(needs.into()));
            }
            changes.retain(|it| it.name == sshd::SERVICE);
            answer.words.push(format!(
                "Then, once sshd has read it: pam-otp setup {service} --method key+code"
            ));
        }
        let shown = changes.iter().map(|it| {
            let path = it.path.display().to_string();
            (path, it.difference())
        });
        answer.files = shown.collect();
        if !self.may_go_on(service, &mut answer)? {
            answer.state = Some("shown");
            return Ok(answer.reply());
        }
        self.make(service, &changes, &mut answer)?;
        if answer.until.is_some() && self.session.interactive {
            return self.wait_for_confirmation(service, answer);
        }
        Ok(answer.reply())
    }

    /// Refuses a trial that nobody could prove, or whose end would also take out what
    /// an earlier run has put in.
    fn require_triable(&self, service: &str, changes: &[Change]) -> Result<(), Error> {
        if self.options.attempt.is_none() {
            return Ok(());
        }
        let is_new = changes.iter().any(|it| it.name == "stack");
        if is_new && self.shelf.find(service)?.is_none() {
            return Ok(());
        }
        let what = format!(
            "--try is for a service that is not set up yet, and {service} is: go without --try, \
             or take it out first with --undo"
        );
        Err(Error::Usage(what))
    }

    /// What must be changed; nothing if all is as it should be.
    fn changes(
        &self,
        service: &str,
        path: &Path,
        answer: &mut Answer,
    ) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        let is_sshd = service == sshd::SERVICE && self.options.root.is_none();
        if self.first() == First::Key && !is_sshd {
            let only = "--method key+code is for sshd";
            return Err(Error::Usage(only.into()));
        }
        if is_sshd {
            changes.extend(self.sshd_change()?);
        }
        // Read once: what was read is what is decided on, kept, and compared with what
        // is there when it is replaced.
        let read = files::read(path)?;
        let content = read.clone().unwrap_or_default();
        let file = ServiceFile::parse(path, content).map_err(SetupError::from)?;
        let policy = self.policies.for_service(service)?;
        // Strangers must not be asked to enrol.
        let hide = policy.unenrolled != Unenrolled::Enroll;
        let place =
            |arguments: &str| placing::place(&self.services, &file, self.first(), hide, arguments);
        let placed = match place("") {
            Ok(placed) => placed,
            Err(Unplaced::Already { place, code_alone }) => {
                if code_alone && self.first() == First::Password && !changes.is_empty() {
                    // sshd would no longer ask for the key, and nobody for a password.
                    let needs = "the stack of sshd asks for a code alone, so that a key must come \
                                 first: pam-otp setup sshd --method key+code";
                    return Err(Error::Usage(needs.into()));
                }
                answer
                    .words
                    .push(format!("{service} asks for a code already: {place}"));
                return Ok(changes);
            }
            Err(Unplaced::Stack(error)) => return Err(SetupError::from(error).into()),
            Err(Unplaced::NoPassword) => return Err(SetupError::NoPassword(path.into()).into()),
            Err(Unplaced::NoPlace {
                place,
                why,
                includes,
            }) => {
                return Err(SetupError::NoPlace {
                    place,
                    why,
                    includes,
                }
                .into());
            }
        };
        for line in &placed.without {
            let text = format!("{line} still lets in without a password, and without a code");
            answer.warnings.push(text);
        }
        if hide && placed.tells_password {
            let text = "a wrong password can be told from a wrong code".to_owned();
            answer.warnings.push(text);
        }
        let target = files::below(&self.root, "/etc/pam.d").join(service);
        let trial = self.options.attempt.and_then(|_| {
            let witness = self.shelf.witness(service);
            let placed = place(&format!(" witness={}", witness.display()));
            placed.ok().map(|placed| placed.bytes)
        });
        changes.push(Change {
            name: "stack",
            // A vendor's file stays as it is; ours goes before it, where none was.
            before: read.filter(|_| path == target),
            path: target,
            after: placed.bytes,
            trial,
        });
        Ok(changes)
    }

    /// The drop-in file, if sshd's settings are not as they must be.
    fn sshd_change(&self) -> Result<Option<Change>, Error> {
        let first = self.first();
        let lacks = Self::lacking(first)?;
        if lacks.is_empty() {
            return Ok(None);
        }
        let lines = sshd::lines(first);
        if !sshd::includes_drop_in() {
            let wanted = lines.lines().skip(1).collect::<Vec<_>>().join("; ");
            return Err(SetupError::Sshd {
                what: format!(
                    "sshd is not set to ask for it ({}), and sshd_config includes no {}",
                    lacks.join(", "),
                    sshd::DROP_IN
                ),
                hint: format!("put at the top of /etc/ssh/sshd_config: {wanted}"),
            }
            .into());
        }
        let path = files::below(&self.root, sshd::DROP_IN);
        Ok(Some(Change {
            name: sshd::SERVICE,
            before: files::read(&path)?,
            path,
            after: lines.into_bytes(),
            trial: None,
        }))
    }

    /// Which settings of sshd's do not fit, for somebody who administers.
    fn lacking(first: First) -> Result<Vec<&'static str>, Error> {
        let names = people::administrators();
        let name = names.iter().find(|name| *name != "root");
        let settings = sshd::settings(name.map_or("root", String::as_str))?;
        Ok(sshd::lacks(&settings, first))
    }

    /// Whether to change anything, or only to show what would be.
    fn may_go_on(&self, service: &str, answer: &mut Answer) -> Result<bool, Error> {
        if self.options.yes {
            return Ok(true);
        }
        if !self.session.interactive {
            answer
                .words
                .push("Nothing is changed; --yes does it.".to_owned());
            return Ok(false);
        }
        answer.shown = true;
        for (_, difference) in &answer.files {
            for line in difference.lines() {
                person::prompt(&format!("{}\n", printable(line)))?;
            }
        }
        for warning in answer.warnings.drain(..) {
            person::warn(&plain(warning));
        }
        Self::agrees(&format!("Change {service} so?"))
    }

    /// Keeps what is there, and changes it.
    fn make(&self, service: &str, changes: &[Change], answer: &mut Answer) -> Result<(), Error> {
        let lock = self.shelf.lock()?;
        let earlier = self.shelf.find(service)?;
        trial::require_none(earlier.as_ref())?;
        self.require_triable(service, changes)?;
        for change in changes {
            change.require_replaceable()?;
        }
        let seconds = self.options.attempt.map(|time| time.as_secs());
        let deadline = seconds.map(|seconds| Session::now().0.saturating_add(seconds));
        if let Some(change) = changes.iter().find(|it| it.name == sshd::SERVICE) {
            let lines = String::from_utf8_lossy(&change.after);
            sshd::check(&lines, &files::below(&self.root, "/var/lib/pam-otp-setup"))?;
        }
        let kept = Kept {
            service: service.to_owned(),
            changes: together(earlier.as_ref(), changes),
            deadline,
        };
        self.shelf.keep(&kept)?;
        let mut made = Vec::new();
        if let Err(error) = self.carry_out(&kept, changes, seconds, &mut made) {
            for change in made.iter().rev() {
                change.put_back()?;
            }
            match &earlier {
                Some(earlier) => self.shelf.keep(earlier)?,
                None => self.shelf.forget(service)?,
            }
            return Err(error);
        }
        drop(lock);
        self.tell(service, &kept, changes, answer);
        Ok(())
    }

    /// Makes them. `made` is what is to be put back if that fails, and nothing else:
    /// a file that somebody has changed meanwhile is theirs.
    fn carry_out<'c>(
        &self,
        kept: &Kept,
        changes: &'c [Change],
        seconds: Option<u64>,
        made: &mut Vec<&'c Change>,
    ) -> Result<(), Error> {
        if let Some(seconds) = seconds {
            trial::start_watchers(&kept.service, seconds)?;
        }
        for change in changes {
            // Starting a watcher and asking sshd take their time.
            change.require_replaceable()?;
            made.push(change);
            change.make()?;
            if change.name == sshd::SERVICE {
                let lacks = Self::lacking(self.first())?;
                if !lacks.is_empty() {
                    return Err(SetupError::Sshd {
                        what: format!(
                            "sshd goes by other values of {} than {} has",
                            lacks.join(", "),
                            change.path.display()
                        ),
                        hint: "nothing was changed; the first value counts: see sshd_config and \
                               what it includes"
                            .into(),
                    }
                    .into());
                }
                if self.options.reload {
                    sshd::reload()?;
                }
            }
        }
        Ok(())
    }

    fn tell(&self, service: &str, kept: &Kept, changes: &[Change], answer: &mut Answer) {
        let action = if kept.deadline.is_some() {
            "setup-try"
        } else {
            "setup"
        };
        for change in changes {
            self.session.log_file(action, &change.path);
        }
        answer.state = Some(match kept.deadline {
            Some(_) => "trial",
            None => "changed",
        });
        if changes.iter().any(|it| it.name == "stack") {
            answer.words.push(format!("{service} asks for a code now."));
        }
        if changes.iter().any(|it| it.name == sshd::SERVICE) && !self.options.reload {
            answer.needs_reload();
        }
        if let Some(deadline) = kept.deadline {
            answer.until = Some(deadline);
            answer.words.push(format!(
                "It undoes itself at {}, unless somebody logs in through {service} with a code, \
                 and then, as root: pam-otp setup {service} --confirm",
                when(deadline)
            ));
        } else {
            answer.words.push(format!(
                "To go back: pam-otp setup {service} --undo. Keep a root shell open until a login \
                 has worked."
            ));
        }
    }

    /// Waits for a yes, or for the end of the trial.
    fn wait_for_confirmation(&self, service: &str, mut answer: Answer) -> Result<Reply, Error> {
        for word in answer.words.drain(..) {
            person::prompt(&format!("{}\n", plain(word)))?;
        }
        loop {
            let question = format!("Has a login through {service} worked? Keep it? [yes/no] ");
            person::prompt(&plain(question))?;
            while !person::has_typed(500)? {
                if self
                    .shelf
                    .find(service)?
                    .is_none_or(|it| it.deadline.is_none())
                {
                    person::prompt("\n")?;
                    return self.ended(service, answer);
                }
            }
            let Some(line) = person::read_line()? else {
                // Nobody is there any more. The trial goes on.
                return Ok(answer.reply());
            };
            match line.trim().to_lowercase().as_str() {
                "y" | "yes" => match trial::confirm(&self.shelf, service) {
                    Ok(_) => {
                        self.log("setup-confirm", service)?;
                        return self.ended(service, answer);
                    }
                    Err(error @ SetupError::NotProven(_)) => person::warn(&plain(error)),
                    Err(error) => return Err(error.into()),
                },
                "n" | "no" => return self.undo(service, answer),
                _ => {}
            }
        }
    }

    /// The trial is over: confirmed, or undone.
    fn ended(&self, service: &str, mut answer: Answer) -> Result<Reply, Error> {
        answer.until = None;
        if self.shelf.find(service)?.is_none() {
            return Err(SetupError::TrialOver(service.to_owned()).into());
        }
        answer.state = Some("confirmed");
        answer
            .words
            .push(format!("{service} asks for a code from now on."));
        Ok(answer.reply())
    }
}
