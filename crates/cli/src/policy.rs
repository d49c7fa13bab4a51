//! What `require` and `exempt` share: the policy file's lists of users, groups and
//! networks, looked at and changed.

use std::path::{Path, PathBuf};

use pam_otp_core::date::Date;
use pam_otp_core::policy::{Policy, PolicyError};

use crate::error::Error;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;

mod error;
mod file;
mod layout;
mod names;

pub(crate) use error::ChangeError;
pub(crate) use names::{Names, groups, networks, users};

use file::PolicyFile;
use layout::{Layout, uncommented};

/// The key that holds a day.
pub(crate) const DAY: &str = "require_by";

/// The policy as its file has it, for one service or for all.
pub(crate) struct Written {
    path: PathBuf,
    text: Vec<u8>,
    service: Option<String>,
    /// The rules.
    pub(crate) policy: Policy,
    layout: Layout,
}

impl Written {
    /// Reads what is there now.
    pub(crate) fn look(session: &Session) -> Result<Self, Error> {
        let path = session.policy_path.file();
        let text = file::read(&path)?.unwrap_or_default();
        Self::read(path, text, session.service.clone())
    }

    fn read(path: PathBuf, text: Vec<u8>, service: Option<String>) -> Result<Self, Error> {
        let policy = Policy::parse(&text, service.as_deref().unwrap_or_default());
        let policy = policy.map_err(|fault| PolicyError::Fault {
            path: path.clone(),
            fault,
        })?;
        let layout = std::str::from_utf8(&text).ok().and_then(Layout::parse);
        let Some(layout) = layout else {
            return Err(layout_error(&path));
        };
        Ok(Self {
            path,
            text,
            service,
            policy,
            layout,
        })
    }

    fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The day from which on who is required must enrol.
    pub(crate) fn day(&self) -> Option<&str> {
        let day = self.layout.word(self.service(), DAY);
        day.filter(|day| !day.is_empty())
    }

    /// Whether the key stands in the service's own section, or among those for all.
    pub(crate) fn is_own(&self, key: &str) -> bool {
        self.layout.has(self.service(), key)
    }

    /// The same of each service whose section has one of these keys.
    pub(crate) fn sections(&self, keys: &[&str]) -> Result<Vec<(String, Self)>, Error> {
        if self.service.is_some() {
            return Ok(Vec::new());
        }
        let services = self.layout.sections_with(keys).into_iter();
        services
            .map(|service| {
                let (path, text) = (self.path.clone(), self.text.clone());
                Ok((service.clone(), Self::read(path, text, Some(service))?))
            })
            .collect()
    }

    /// Says where this stands.
    pub(crate) fn tell(&self, reply: &mut Reply, changed: bool) {
        reply.line(&format!("policy: {}", plain(self.path.display())));
        let service = self.service();
        reply.line(&match service {
            Some(service) => format!("service: {}", plain(service)),
            None => "service: all without a list of their own".to_owned(),
        });
        reply.field("policy", self.path.display().to_string());
        reply.field("service", service);
        reply.field("changed", changed);
    }

    /// A list in words.
    pub(crate) fn words(&self, names: Names) -> String {
        let all = names.of(&self.policy);
        if all.is_empty() {
            "none".to_owned()
        } else {
            plain(all.join(", "))
        }
    }
}

/// A list as programs get it.
pub(crate) fn listed(written: &Written, names: Names) -> List {
    names.of(&written.policy).into_iter().collect()
}

/// Tells of each section that has lists of its own.
pub(crate) fn tell_sections(
    reply: &mut Reply,
    written: &Written,
    keys: &[&str],
    tell: impl Fn(&Written) -> (String, Object),
) -> Result<(), Error> {
    let mut sections = Vec::new();
    for (service, written) in written.sections(keys)? {
        let (words, mut object) = tell(&written);
        reply.line(&format!("[service.{}]: {words}", plain(&service)));
        object.push("service", service);
        sections.push(object);
    }
    reply.field("sections", sections.into_iter().collect::<List>());
    Ok(())
}

/// What is to be changed.
pub(crate) struct Change {
    /// These names of these lists.
    pub(crate) lists: Vec<(Names, Vec<String>)>,
    /// They are taken out.
    pub(crate) remove: bool,
    /// The day; empty for none.
    pub(crate) day: Option<String>,
}

impl Change {
    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.day.is_none() && self.lists.iter().all(|(_, names)| names.is_empty())
    }

    /// The same as [`Self::make`]; where nothing was asked for, what stands there is
    /// only looked at. `lenient` are options that make no sense then, and `nobody` says
    /// what is missing.
    ///
    /// # Errors
    ///
    /// [`Error`]; then the file is as it was.
    pub(crate) fn make_or_look(
        &self,
        session: &Session,
        lenient: bool,
        nobody: &'static str,
        reply: &mut Reply,
    ) -> Result<(Written, bool), Error> {
        match (self.is_empty(), lenient) {
            (false, _) => self.make(session, reply),
            (true, true) => Err(Error::Usage(nobody.into())),
            (true, false) => Ok((Written::look(session)?, false)),
        }
    }

    /// Changes the policy file, logs it, and gives what stands there now, whether
    /// that is new, and what is to be known.
    ///
    /// # Errors
    ///
    /// [`Error`]; then the file is as it was.
    fn make(&self, session: &Session, reply: &mut Reply) -> Result<(Written, bool), Error> {
        let file = PolicyFile::hold(&session.policy_path.file())?;
        let path = file.path().to_owned();
        let before = Written::read(path.clone(), file.text().to_vec(), session.service.clone())?;
        let (text, expected) = self.rewrite(&before, reply)?;
        if expected == before.policy {
            reply.line("nothing was to be changed");
            return Ok((before, false));
        }
        let after = Written::read(path.clone(), text.into_bytes(), before.service.clone());
        let after = after.map_err(|error| match error {
            // It was sound before, so it is what was asked for.
            Error::Policy(PolicyError::Fault { fault, .. }) => Error::Usage(fault.what),
            error => error,
        })?;
        if after.policy != expected || !self.spares_others(&before, &after)? {
            return Err(layout_error(&path));
        }
        file.replace(&after.text)?;
        session.log_policy(&self.words(session), &path);
        Ok((after, true))
    }

    /// The new text, and what it must mean.
    fn rewrite(&self, before: &Written, reply: &mut Reply) -> Result<(String, Policy), Error> {
        let mut expected = before.policy.clone();
        let mut layout = self.layout(before)?;
        let service = before.service();
        for (names, wanted) in &self.lists {
            let now = names.of(&before.policy);
            let key = names.key();
            let has = |name: &&String| now.contains(name);
            let done = if self.remove {
                let missing: Vec<_> = wanted.iter().filter(|name| !has(name)).cloned().collect();
                if !missing.is_empty() {
                    return Err(ChangeError::NotListed {
                        key,
                        names: missing,
                    }
                    .into());
                }
                let gone = |name: &String| wanted.contains(name);
                let places = now.iter().enumerate().filter(|(_, name)| gone(name));
                let places: Vec<_> = places.map(|(place, _)| place).collect();
                names.set(
                    &mut expected,
                    now.iter().filter(|name| !gone(name)).cloned().collect(),
                );
                (!places.is_empty()).then(|| layout.take_out(service, key, &now, &places))
            } else {
                let mut new: Vec<String> = Vec::new();
                for name in wanted {
                    if !has(&name) && !new.contains(name) {
                        new.push(name.clone());
                    }
                }
                names.set(&mut expected, now.iter().chain(&new).cloned().collect());
                (!new.is_empty()).then(|| layout.append(service, key, &now, &new))
            };
            match done {
                Some(None) => return Err(layout_error(&before.path)),
                Some(Some(())) => warn_of_sections(before, *names, reply),
                None => {}
            }
        }
        if let Some(day) = &self.day {
            expected.require_by = Date::parse(day);
            if before.day().unwrap_or_default() != day {
                let set = layout.set_word(service, DAY, day);
                set.ok_or_else(|| layout_error(&before.path))?;
            }
        }
        Ok((layout.text(), expected))
    }

    /// Whether for every other service all is as it was, but for lists and a day that
    /// it shares with all services.
    fn spares_others(&self, before: &Written, after: &Written) -> Result<bool, Error> {
        let mut services = before.layout.services();
        services.push(String::new());
        services.retain(|service| *service != before.service().unwrap_or_default());
        for service in services {
            let read = |from: &Written| {
                let (path, text) = (from.path.clone(), from.text.clone());
                Written::read(path, text, Some(service.clone()))
            };
            let mut expected = read(before)?.policy;
            let shares = |key| before.service.is_none() && !before.layout.has(Some(&service), key);
            for (names, _) in self.lists.iter().filter(|(names, _)| shares(names.key())) {
                names.set(&mut expected, names.of(&after.policy));
            }
            if shares(DAY) {
                expected.require_by = after.policy.require_by;
            }
            if read(after)?.policy != expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The text, with the keys taken out of their comments that are to be changed.
    fn layout(&self, before: &Written) -> Result<Layout, Error> {
        let unreadable = || layout_error(&before.path);
        let mut text = String::from_utf8(before.text.clone()).map_err(|_| unreadable())?;
        if before.service.is_none() {
            let lists = self.lists.iter().filter(|(_, names)| !names.is_empty());
            let keys = lists.map(|(names, _)| (names.key(), "[]"));
            for (key, value) in keys.chain(self.day.as_ref().map(|_| (DAY, "\"\""))) {
                let with = uncommented(&text, key, value).filter(|with| {
                    !before.layout.has(None, key)
                        && Policy::parse(with.as_bytes(), "").as_ref() == Ok(&before.policy)
                });
                text = with.unwrap_or(text);
            }
        }
        Layout::parse(&text).ok_or_else(unreadable)
    }

    /// For the log.
    fn words(&self, session: &Session) -> Vec<(&'static str, String)> {
        let lists = self.lists.iter().filter(|(_, names)| !names.is_empty());
        let lists = lists.map(|(names, wanted)| (names.what(), wanted.join(",")));
        let day = self.day.clone().map(|day| ("day", day));
        let service = session.service.clone().map(|name| ("service", name));
        let removed = self.remove.then(|| ("removed", "yes".to_owned()));
        lists.chain(day).chain(service).chain(removed).collect()
    }
}

/// A section's list takes the place of the one for all services.
fn warn_of_sections(before: &Written, names: Names, reply: &mut Reply) {
    let key = names.key();
    match before.service() {
        Some(service) if !before.layout.has(Some(service), key) => reply.warn(format!(
            "[service.{service}] has {key} of its own from now on, which began with what was \
             so for all services: later changes of that do not reach it"
        )),
        Some(_) => {}
        None => {
            for service in before.layout.sections_with(&[key]) {
                reply.warn(format!(
                    "[service.{service}] has {key} of its own, and is as it was: see --service"
                ));
            }
        }
    }
}

fn layout_error(path: &Path) -> Error {
    ChangeError::Layout(path.to_owned()).into()
}
