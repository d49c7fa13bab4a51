//! One service file: its bytes, and the rules in it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::control::Control;
use crate::error::{Place, Problem, StackError};
use crate::line::{self, Word};

/// What libpam calls a type: what lines are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Who is it?
    Auth,
    /// May that one log in now?
    Account,
    /// Changing what one logs in with.
    Password,
    /// What a login begins and ends with.
    Session,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Password => "password",
            Self::Session => "session",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Auth, Self::Account, Self::Password, Self::Session]
            .into_iter()
            .find(|kind| word.eq_ignore_ascii_case(kind.name()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `auth required pam_unix.so nullok`
    Module {
        /// Its first word.
        kind: Kind,
        /// `-auth`: a module that is missing is not logged. It fails all the
        /// same.
        silent: bool,
        /// What follows from what the module returns.
        control: Control,
        /// A file name in libpam's directory, or a path.
        module: String,
        /// What the module is told.
        arguments: Vec<String>,
    },
    /// `auth include common-auth`: the lines of that kind, in this one's place.
    Include {
        /// Its first word.
        kind: Kind,
        /// A service's name, or a path.
        file: String,
    },
    /// `auth substack common-auth`: the same, as one unit.
    Substack {
        /// Its first word.
        kind: Kind,
        /// A service's name, or a path.
        file: String,
    },
    /// `@include common-auth`: all lines, in this one's place. Debian's.
    IncludeAll {
        /// A service's name, or a path.
        file: String,
    },
}

/// A rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The number of its first line, from 1.
    pub line: usize,
    /// Its lines within the file's bytes, the last one's end included.
    pub span: Range<usize>,
    /// What it says.
    pub rule: Rule,
    /// Where the control stands within the file's bytes, brackets included.
    pub control_span: Option<Range<usize>>,
    /// Where the numbers of jumps stand within the file's bytes.
    pub jump_spans: Vec<Range<usize>>,
}

impl Statement {
    /// Whether it adds to the stack of this kind.
    #[must_use]
    pub fn concerns(&self, wanted: Kind) -> bool {
        match &self.rule {
            Rule::Module { kind, .. }
            | Rule::Include { kind, .. }
            | Rule::Substack { kind, .. } => *kind == wanted,
            Rule::IncludeAll { .. } => true,
        }
    }
}

/// A service file. Nothing of it is lost: [`ServiceFile::bytes`] are as they
/// were read.
#[derive(Clone, Debug)]
pub struct ServiceFile {
    path: PathBuf,
    bytes: Vec<u8>,
    statements: Vec<Statement>,
}

/// One change of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Range<usize>,
    /// By what.
    pub text: String,
}

impl ServiceFile {
    /// Understands a file. `path` is for messages, and tells nothing.
    ///
    /// # Errors
    ///
    /// [`StackError::Line`] for the first line that is not understood.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, StackError> {
        let fail = |(line, problem)| StackError::Line {
            place: Place {
                path: path.to_owned(),
                line,
            },
            problem,
        };
        let mut statements = Vec::new();
        for rule in line::rules(&bytes).map_err(fail)? {
            let words = rule.words();
            let statement = words.and_then(|words| {
                let (rule_text, control) = understand(&words)?;
                Ok(Statement {
                    line: rule.line,
                    span: rule.span.clone(),
                    control_span: control.map(span_of),
                    jump_spans: jump_spans(&rule_text, control),
                    rule: rule_text,
                })
            });
            statements.push(statement.map_err(|problem| fail((rule.line, problem)))?);
        }
        Ok(Self {
            path: path.to_owned(),
            bytes,
            statements,
        })
    }

    /// The path that was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its rules, in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The bytes with these changes, which must not overlap; all others as they
    /// are. Insertions at the same place come in the order given.
    ///
    /// A line that is put after a last line without an end gets that end first.
    #[must_use]
    pub fn edited(&self, edits: &[Edit]) -> Vec<u8> {
        let mut edits = edits.iter().collect::<Vec<_>>();
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut done = 0;
        for edit in edits {
            bytes.extend(self.bytes.get(done..edit.span.start).unwrap_or_default());
            let begins_line = edit.span.is_empty() && edit.text.ends_with('\n');
            if begins_line && !bytes.is_empty() && !bytes.ends_with(b"\n") {
                bytes.push(b'\n');
            }
            bytes.extend(edit.text.as_bytes());
            done = edit.span.end.max(done);
        }
        bytes.extend(self.bytes.get(done..).unwrap_or_default());
        bytes
    }
}

fn understand(words: &[Word]) -> Result<(Rule, Option<&Word>), Problem> {
    let mut words = words.iter();
    let Some(first) = words.next() else {
        return Err(Problem::NoControl);
    };
    if first.bracketed {
        return Err(Problem::UnknownType(format!("[{}]", first.text)));
    }
    if first.text == "@include" {
        let file = file(&mut words)?;
        return Ok((Rule::IncludeAll { file }, None));
    }
    let (silent, kind) = match first.text.strip_prefix('-') {
        Some(kind) => (true, kind),
        None => (false, first.text.as_str()),
    };
    let Some(kind) = Kind::parse(kind) else {
        return Err(Problem::UnknownType(first.text.clone()));
    };
    let control = words.next().ok_or(Problem::NoControl)?;
    if !control.bracketed && control.text.eq_ignore_ascii_case("include") {
        let file = file(&mut words)?;
        return Ok((Rule::Include { kind, file }, Some(control)));
    }
    if !control.bracketed && control.text.eq_ignore_ascii_case("substack") {
        let file = file(&mut words)?;
        return Ok((Rule::Substack { kind, file }, Some(control)));
    }
    let rule = Rule::Module {
        kind,
        silent,
        control: Control::parse(&control.text)?,
        module: words.next().ok_or(Problem::NoModule)?.text.clone(),
        arguments: words.map(|word| word.text.clone()).collect(),
    };
    Ok((rule, Some(control)))
}

fn file<'a>(words: &mut impl Iterator<Item = &'a Word>) -> Result<String, Problem> {
    let file = words.next().ok_or(Problem::NoFile)?.text.clone();
    match words.next() {
        Some(word) => Err(Problem::TooMuch(word.text.clone())),
        None => Ok(file),
    }
}

/// Where a word stands, its brackets included.
fn span_of(word: &Word) -> Range<usize> {
    let first = word.offsets.first().copied().unwrap_or_default();
    let last = word.offsets.last().copied().unwrap_or_default();
    if word.bracketed {
        first.saturating_sub(1)..last.saturating_add(2)
    } else {
        first..last.saturating_add(1)
    }
}

fn jump_spans(rule: &Rule, word: Option<&Word>) -> Vec<Range<usize>> {
    let (Rule::Module { control, .. }, Some(word)) = (rule, word) else {
        return Vec::new();
    };
    let spans = control.jumps().iter().filter_map(|(start, end)| {
        let first = word.offsets.get(*start)?;
        let last = word.offsets.get(end.checked_sub(1)?)?;
        Some(*first..last.saturating_add(1))
    });
    spans.collect()
}
