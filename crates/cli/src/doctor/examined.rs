//! A service's auth stack, and what its lines for the module say.

use std::path::PathBuf;

use pam_otp_core::policy::arguments::{Arguments, Field};
use pam_otp_core::policy::{Policy, PolicyError};
use pam_otp_stack::{Kind, Module, Place, Return, Services, Stack, StackError};

use super::ways::{self, Answer, Visitor, Way, certainly};
use super::{module, policy, services};
use crate::policy_path::PolicyPath;

/// A line of the auth stack that calls the module.
#[derive(Debug)]
pub(super) struct Line {
    /// Which: an index into the stack's entries.
    pub(super) at: usize,
    pub(super) place: Place,
    /// As it is named.
    pub(super) module: String,
    /// What it is told, and the policy that counts for it.
    pub(super) told: Result<(Arguments, Policy), PolicyError>,
    /// The policy file that it reads.
    pub(super) policy_file: PathBuf,
    /// Whether it names that file itself.
    pub(super) names_policy: bool,
}

impl Line {
    /// Where it gets its answer from; nothing is asked if it is not understood.
    pub(super) fn field(&self) -> Option<Field> {
        self.told
            .as_ref()
            .ok()
            .map(|(arguments, _)| arguments.field)
    }

    /// Whether it asks for password and code in one field.
    pub(super) fn one_field(&self) -> bool {
        self.told
            .as_ref()
            .is_ok_and(|(arguments, _)| match arguments.field {
                Field::Split | Field::UseFirstPass => true,
                Field::Own | Field::TryFirstPass => arguments.forward_pass,
            })
    }
}

/// The auth stack of a service, with what is known of its lines.
pub(super) struct Examined {
    pub(super) service: String,
    pub(super) stack: Stack,
    pub(super) lines: Vec<Line>,
    /// Where modules lie.
    pub(super) modules: Option<PathBuf>,
}

impl Examined {
    /// Reads a service's auth stack, and what its lines for the module say.
    pub(super) fn read(
        services: &Services,
        service: &str,
        policies: &PolicyPath,
        modules: Option<PathBuf>,
    ) -> Result<Self, StackError> {
        let stack = services.stack(service, Kind::Auth)?;
        let entries = stack.entries().iter().enumerate();
        let ours = entries.filter(|(_, entry)| services::is_ours(entry));
        let lines = ours.filter_map(|(at, entry)| {
            let line = entry.module()?;
            Some(read_line(at, &entry.place, line, service, policies))
        });
        Ok(Self {
            service: service.to_owned(),
            lines: lines.collect(),
            stack,
            modules,
        })
    }

    /// Whether codes come with passwords in one field.
    pub(super) fn one_field(&self) -> bool {
        self.lines.iter().any(Line::one_field)
    }

    pub(super) fn place(&self, at: usize) -> String {
        let entry = self.stack.entries().get(at);
        entry
            .map(|entry| entry.place.to_string())
            .unwrap_or_default()
    }

    /// A line as it is written, for messages.
    fn quoted(&self, at: usize) -> String {
        let line = self.stack.entries().get(at).and_then(|it| it.module());
        line.map(|line| format!("`{} {}`", line.control.text(), line.file_name()))
            .unwrap_or_default()
    }

    /// The modules, by file name, that could know a user's password.
    pub(super) fn password_modules(&self) -> Vec<&str> {
        let lines = self.stack.entries().iter().filter_map(|it| it.module());
        let mut names: Vec<_> = lines
            .filter(|line| ways::checks_password(line))
            .map(Module::file_name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the file of a module is there.
    fn is_there(&self, module: &Module) -> bool {
        let path = module::path(&module.module, self.modules.as_deref());
        // Where nobody knows where modules lie, they are taken to be there.
        path.is_none_or(|path| path.is_file())
    }

    /// All ways for a visitor, where each line of the module answers as `ours`
    /// says. Without a module that checks passwords, nobody has a wrong one.
    pub(super) fn ways(&self, right: bool, ours: impl Fn(&Line) -> Return) -> Option<Vec<Way>> {
        let names = self.password_modules();
        let mut known: Vec<_> = names.into_iter().map(Some).collect();
        if known.is_empty() {
            known.push(None);
        }
        let mut all = Vec::new();
        for known_to in known {
            let visitor = Visitor { right, known_to };
            let interesting = |module: &Module| {
                module.file_name() == module::FILE || ways::checks_password(module)
            };
            all.extend(ways::all(
                &self.stack,
                interesting,
                |at, module, called| self.answers(at, module, called, visitor, &ours),
            )?);
        }
        all.sort_by_key(|way| way.supposed.len());
        Some(all)
    }

    fn answers(
        &self,
        at: usize,
        module: &Module,
        called: &[usize],
        visitor: Visitor<'_>,
        ours: impl Fn(&Line) -> Return,
    ) -> Vec<Answer> {
        if !self.is_there(module) {
            return certainly(Return::MODULE_UNKNOWN);
        }
        let line = |at: usize| self.lines.iter().find(|line| line.at == at);
        let asked = called
            .iter()
            .any(|at| line(*at).is_none_or(Line::one_field));
        match line(at) {
            Some(line) if line.field() == Some(Field::Split) => certainly(Return::IGNORE),
            // There is nothing to take a code off.
            Some(line) if line.field() == Some(Field::UseFirstPass) && !asked => {
                certainly(match ours(line) {
                    Return::SUCCESS => Return::AUTH_ERR,
                    other => other,
                })
            }
            Some(line) => certainly(ours(line)),
            None => ways::answers(module, visitor, asked),
        }
    }

    /// The lines that check a code, and that this way called.
    pub(super) fn checked<'a>(&'a self, way: &'a Way) -> impl Iterator<Item = &'a Line> {
        let checks = |line: &&Line| line.field() != Some(Field::Split);
        self.lines
            .iter()
            .filter(checks)
            .filter(|line| way.called.contains(&line.at))
    }

    /// Whether this way asked for a password.
    pub(super) fn asked_password(&self, way: &Way) -> bool {
        let ours = |at: &usize| self.lines.iter().find(|line| line.at == *at);
        way.called.iter().any(|at| ours(at).is_none())
    }

    /// Why a login is over without our answer, or in spite of it.
    pub(super) fn why_past(&self, way: &Way) -> String {
        let checked = self.checked(way).last();
        match (checked, way.passed_by) {
            (Some(line), _) => format!(
                "{}: the answer of {} does not count",
                line.place,
                self.quoted(line.at)
            ),
            (None, Some(at)) => {
                format!("{}: {} goes past the code", self.place(at), self.quoted(at))
            }
            (None, None) => "no line before the end asks for it".to_owned(),
        }
    }

    /// The conditions that a way depends on, for messages.
    pub(super) fn conditions(&self, way: &Way) -> String {
        let lines = way.supposed.iter().map(|at| {
            let place = self.place(*at);
            format!("{} ({place})", self.quoted(*at))
        });
        lines.collect::<Vec<_>>().join(" and ")
    }
}

fn read_line(
    at: usize,
    place: &Place,
    line: &Module,
    service: &str,
    policies: &PolicyPath,
) -> Line {
    let arguments = Arguments::parse(line.arguments.iter().map(String::as_bytes));
    let named = arguments.as_ref().ok().and_then(|it| it.policy.clone());
    let path = policy::path(named.as_deref(), &policies.file());
    let told = arguments.map_err(PolicyError::from);
    let told = told.and_then(|told| policies.by_line(told, &service.to_ascii_lowercase()));
    Line {
        at,
        place: place.clone(),
        module: line.module.clone(),
        told,
        names_policy: named.is_some(),
        policy_file: path,
    }
}
