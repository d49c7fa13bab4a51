//! Where the code goes in a stack: what is tried, and what must be true of it.
//!
//! Nothing is taken to be right because it looks so. Each change that might do is
//! walked through as libpam would, in all ways there are, and the first one that
//! keeps every promise of [`Promises`] is taken.

use pam_otp_stack::{Edit, Kind, Module, Rule, ServiceFile, Services, Stack, StackError};

mod promises;

use promises::{Promises, keeps_what_was};

/// The module's file name.
pub(crate) const MODULE: &str = "pam_otp.so";

/// Modules that ask nobody for anything that proves who it is. All others are
/// taken for such as check a password.
const ASK_NOTHING: &[&str] = &[
    "pam_access.so",
    "pam_cap.so",
    "pam_debug.so",
    "pam_deny.so",
    "pam_echo.so",
    "pam_ecryptfs.so",
    "pam_env.so",
    "pam_exec.so",
    "pam_faildelay.so",
    "pam_faillock.so",
    "pam_gnome_keyring.so",
    "pam_group.so",
    "pam_issue.so",
    "pam_keyinit.so",
    "pam_kwallet.so",
    "pam_kwallet5.so",
    "pam_lastlog.so",
    "pam_limits.so",
    "pam_listfile.so",
    "pam_localuser.so",
    "pam_loginuid.so",
    "pam_mail.so",
    "pam_mount.so",
    "pam_namespace.so",
    "pam_nologin.so",
    "pam_permit.so",
    "pam_postgresok.so",
    "pam_rootok.so",
    "pam_securetty.so",
    "pam_selinux.so",
    "pam_sepermit.so",
    "pam_shells.so",
    "pam_ssh_add.so",
    "pam_succeed_if.so",
    "pam_tally2.so",
    "pam_time.so",
    "pam_timestamp.so",
    "pam_tty_audit.so",
    "pam_umask.so",
    "pam_usertype.so",
    "pam_warn.so",
    "pam_wheel.so",
    "pam_xauth.so",
];

/// What is asked for besides the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The stack's own lines: a password, as a rule.
    Password,
    /// The application's business: an SSH key. The lines that ask for a password
    /// are replaced.
    Key,
}

/// A change that keeps its promises.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The file after it.
    pub(crate) bytes: Vec<u8>,
    /// Lines that still let people in without a password, and so without a code:
    /// where, and which module.
    pub(crate) without: Vec<String>,
    /// A wrong password ends the login before the code is asked.
    pub(crate) tells_password: bool,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum Unplaced {
    /// The stack asks for a code.
    Already {
        /// File and line.
        place: String,
        /// It asks for nothing else.
        code_alone: bool,
    },
    /// No line of the file asks for a password.
    NoPassword,
    /// Nothing that was tried keeps the promises.
    NoPlace {
        /// The line in the way, as far as that can be told.
        place: String,
        /// What it does.
        why: &'static str,
        /// Another service, whose file this one includes.
        includes: Option<String>,
    },
    /// The stack is not understood.
    Stack(StackError),
}

impl From<StackError> for Unplaced {
    fn from(error: StackError) -> Self {
        Self::Stack(error)
    }
}

/// Finds the change. `hide`: a wrong password must not be told from a wrong code.
/// `arguments` follow the module's name.
pub(crate) fn place(
    services: &Services,
    file: &ServiceFile,
    first: First,
    hide: bool,
    arguments: &str,
) -> Result<Placed, Unplaced> {
    let before = services.stack_of(file, Kind::Auth)?;
    if let Some(entry) = before.entries().iter().find(|it| is_ours(it.module())) {
        return Err(Unplaced::Already {
            place: entry.place.to_string(),
            code_alone: !before
                .entries()
                .iter()
                .any(|it| it.module().is_some_and(asks)),
        });
    }
    // All kinds must be understood: nobody should change what is half read.
    for kind in [Kind::Account, Kind::Password, Kind::Session] {
        services.stack_of(file, kind)?;
    }
    let asking = asking(file, &before);
    let last = *asking.last().ok_or(Unplaced::NoPassword)?;
    let line = format!("auth required {MODULE}{arguments}\n");

    let mut why = None;
    for plan in plans(file, &before, &asking, last, first, &line) {
        let Some(edits) = plan.edits(services, file, &before)? else {
            continue;
        };
        let bytes = file.edited(&edits);
        let changed = ServiceFile::parse(file.path(), bytes.clone())?;
        let after = services.stack_of(&changed, Kind::Auth)?;
        match Promises::of(&after, first, hide) {
            Ok(promises) if first == First::Key || keeps_what_was(&before, &after) => {
                return Ok(Placed {
                    bytes,
                    without: promises.without,
                    tells_password: promises.tells_password,
                });
            }
            Ok(_) => {}
            Err(broken) => {
                why.get_or_insert(broken);
            }
        }
    }
    let (place, what) = why.unwrap_or_else(|| {
        let line = file.statements().get(last).map_or(0, |it| it.line);
        let place = format!("{}: line {line}", file.path().display());
        (place, "what it jumps over cannot be kept")
    });
    let includes = match file.statements().get(last).map(|it| &it.rule) {
        Some(Rule::Include { file, .. } | Rule::Substack { file, .. }) => Some(file.clone()),
        _ => None,
    };
    Err(Unplaced::NoPlace {
        place,
        why: what,
        includes,
    })
}

pub(super) fn is_ours(module: Option<&Module>) -> bool {
    module.is_some_and(|module| module.file_name() == MODULE)
}

fn asks(module: &Module) -> bool {
    !is_ours(Some(module)) && !ASK_NOTHING.contains(&module.file_name())
}

/// The statements of the file that bring modules which ask for a password.
fn asking(file: &ServiceFile, stack: &Stack) -> Vec<usize> {
    let is_asking = |index: &usize| {
        let mut own = stack.entries().iter().filter(|it| it.statement == *index);
        own.any(|entry| entry.module().is_some_and(asks))
    };
    (0..file.statements().len()).filter(is_asking).collect()
}

/// One change to try.
struct Plan<'a> {
    /// What becomes of statements: their new lines, or their control alone.
    rewritten: Vec<(usize, New)>,
    /// After which statement the line goes; before the first that asks if that is
    /// replaced.
    after: usize,
    line: &'a str,
}

#[derive(Clone, Debug)]
enum New {
    /// Another control.
    Control(&'static str),
    /// Another line.
    Line(String),
    /// None.
    Nothing,
}

fn plans<'a>(
    file: &ServiceFile,
    stack: &Stack,
    asking: &[usize],
    last: usize,
    first: First,
    line: &'a str,
) -> Vec<Plan<'a>> {
    if first == First::Key {
        // Somebody whom the policy lets pass needs a line that decides.
        let rewritten = asking.iter().map(|index| {
            let new = if *index == last {
                New::Line(format!("{line}auth required pam_permit.so\n"))
            } else {
                New::Nothing
            };
            (*index, new)
        });
        let rewritten = rewritten.collect();
        return vec![Plan {
            rewritten,
            after: last,
            line: "",
        }];
    }
    let included = asking.iter().filter_map(|index| {
        let new = match &file.statements().get(*index)?.rule {
            Rule::Include { .. } => New::Control("substack"),
            Rule::IncludeAll { file } => New::Line(format!("auth substack {file}\n")),
            _ => return None,
        };
        Some((*index, new))
    });
    let included = included.collect::<Vec<_>>();
    let from = asking.first().copied().unwrap_or(last);
    let places = (last..file.statements().len()).filter(|index| {
        let mut own = stack.entries().iter();
        own.any(|entry| entry.statement == *index)
    });
    let places = places.collect::<Vec<_>>();
    let mut plans = Vec::new();
    for softened in [false, true] {
        for rewritten in [Vec::new(), included.clone()] {
            for after in &places {
                let mut rewritten = rewritten.clone();
                if softened {
                    let ending = (from..=*after).filter(|index| is_requisite(file, *index));
                    rewritten.extend(ending.map(|index| (index, New::Control("required"))));
                }
                plans.push(Plan {
                    rewritten,
                    after: *after,
                    line,
                });
            }
        }
    }
    plans
}

fn is_requisite(file: &ServiceFile, index: usize) -> bool {
    matches!(
        file.statements().get(index).map(|it| &it.rule),
        Some(Rule::Module { kind: Kind::Auth, control, .. })
            if control.text().eq_ignore_ascii_case("requisite")
    )
}

impl Plan<'_> {
    /// The bytes to change; none if it cannot be done so.
    fn edits(
        &self,
        services: &Services,
        file: &ServiceFile,
        before: &Stack,
    ) -> Result<Option<Vec<Edit>>, StackError> {
        let mut edits = Vec::new();
        for (index, new) in &self.rewritten {
            let Some(statement) = file.statements().get(*index) else {
                return Ok(None);
            };
            let edit = match (new, &statement.control_span) {
                (New::Control(control), Some(span)) => Edit {
                    span: span.clone(),
                    text: (*control).to_owned(),
                },
                (New::Control(_), None) => return Ok(None),
                (New::Line(line), _) => {
                    if !only_auth(services, file, *index)? {
                        return Ok(None);
                    }
                    Edit {
                        span: statement.span.clone(),
                        text: line.clone(),
                    }
                }
                (New::Nothing, _) => Edit {
                    span: statement.span.clone(),
                    text: String::new(),
                },
            };
            edits.push(edit);
        }
        if let (Some(statement), false) = (file.statements().get(self.after), self.line.is_empty())
        {
            let end = statement.span.end;
            edits.push(Edit {
                span: end..end,
                text: self.line.to_owned(),
            });
        }
        Ok(self.jumps(file, before).map(|jumps| {
            edits.extend(jumps);
            edits
        }))
    }

    /// How many lines of its level a statement is after the change.
    fn lines_after(&self, before: &Stack, index: usize) -> usize {
        let own = before.entries().iter();
        let own = own.filter(|it| it.statement == index && it.level == 0);
        let count = own.count();
        match self.rewritten.iter().find(|it| it.0 == index) {
            Some((_, New::Control("substack") | New::Line(_))) if self.line.is_empty() => 2,
            Some((_, New::Control("substack") | New::Line(_))) => 1,
            Some((_, New::Nothing)) => 0,
            _ => count,
        }
    }

    /// Jumps of the file's own lines, so that they go where they went. None where
    /// one goes into the middle of something that is one line now.
    fn jumps(&self, file: &ServiceFile, before: &Stack) -> Option<Vec<Edit>> {
        let level0 = before.entries().iter().filter(|it| it.level == 0);
        let level0 = level0.map(|it| it.statement).collect::<Vec<_>>();
        // Where each statement begins, before and after.
        let begin = |index: usize| level0.iter().filter(|it| **it < index).count();
        let begin_after = |index: usize| {
            let lines = (0..index).map(|it| self.lines_after(before, it));
            let inserted = usize::from(index > self.after && !self.line.is_empty());
            lines.sum::<usize>().saturating_add(inserted)
        };
        let mut edits = Vec::new();
        for (index, statement) in file.statements().iter().enumerate() {
            let Rule::Module {
                kind: Kind::Auth,
                control,
                ..
            } = &statement.rule
            else {
                continue;
            };
            if self.rewritten.iter().any(|it| it.0 == index) {
                continue;
            }
            for (span, (start, end)) in statement.jump_spans.iter().zip(control.jumps()) {
                let lines = control.text().get(*start..*end)?.parse::<usize>().ok()?;
                let target = begin(index).checked_add(lines)?.checked_add(1)?;
                let goes_to = (0..=file.statements().len()).find(|it| begin(*it) == target)?;
                // What went to the line behind the place goes to ours.
                let mut to = begin_after(goes_to);
                if goes_to > self.after && begin(goes_to) == begin(self.after.saturating_add(1)) {
                    to = to.saturating_sub(usize::from(!self.line.is_empty()));
                }
                let new = to.checked_sub(begin_after(index))?.checked_sub(1)?;
                if new != lines {
                    edits.push(Edit {
                        span: span.clone(),
                        text: new.to_string(),
                    });
                }
            }
        }
        Some(edits)
    }
}

/// Whether a statement brings lines of this kind only: in its place there will be
/// none of another.
fn only_auth(services: &Services, file: &ServiceFile, index: usize) -> Result<bool, StackError> {
    for kind in [Kind::Account, Kind::Password, Kind::Session] {
        let stack = services.stack_of(file, kind)?;
        if stack.entries().iter().any(|it| it.statement == index) {
            return Ok(false);
        }
    }
    Ok(true)
}
