//! Why a stack is not understood, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, the first one being 1. Of a line that is continued, its first.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}", self.path.display(), self.line)
    }
}

/// A stack that is not understood.
#[derive(Debug)]
pub enum StackError {
    /// A line of it.
    Line {
        /// Which one.
        place: Place,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A file that cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Neither the service has a file nor `other`.
    NoService {
        /// The service.
        service: String,
    },
    /// A name that no service file can have.
    BadName {
        /// The name.
        service: String,
    },
}

impl StackError {
    /// The line, where one is to blame.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Line { place, .. } => Some(place),
            _ => None,
        }
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { place, problem } => write!(f, "{place}: {problem}"),
            Self::Unreadable { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoService { service } => write!(f, "no file of the PAM service {service}"),
            Self::BadName { service } => write!(f, "{service}: not the name of a PAM service"),
        }
    }
}

impl std::error::Error for StackError {}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The first word is none of `auth`, `account`, `password`, `session` and
    /// `@include`.
    UnknownType(String),
    /// The line ends before its control.
    NoControl,
    /// The control is none of libpam's.
    UnknownControl(String),
    /// A part of `[value=action …]` is none of libpam's.
    BadControl {
        /// The part.
        part: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The line ends before the module.
    NoModule,
    /// An `include`, `substack` or `@include` without a file.
    NoFile,
    /// Words after the file of an `include`, `substack` or `@include`. libpam
    /// passes over them.
    TooMuch(String),
    /// `[` without `]`.
    Unclosed,
    /// Something follows `]` without a space.
    Glued,
    /// `\` at a line's end, and nothing follows; or a comment, or an empty line.
    Continuation,
    /// `\` without a space before it, or with spaces after it: libpam's versions
    /// differ.
    UncertainContinuation,
    /// A character that libpam's versions read differently.
    Character(u8),
    /// A rule that is not UTF-8.
    NotText,
    /// Longer than some of libpam's versions take.
    TooLong,
    /// The file to include is not there.
    UnknownFile(String),
    /// A file that names itself, by whatever way, or too many in one another.
    TooDeep,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(word) => write!(
                f,
                "`{word}` is none of auth, account, password, session and @include"
            ),
            Self::NoControl => f.write_str("the line ends before its control, e.g. required"),
            Self::UnknownControl(word) => write!(f, "`{word}` is no control, e.g. required"),
            Self::BadControl { part, expected } => {
                write!(f, "`{part}` in the control: {expected} is expected")
            }
            Self::NoModule => f.write_str("the line ends before the module"),
            Self::NoFile => f.write_str("the line ends before the file to include"),
            Self::TooMuch(word) => write!(f, "`{word}` after the file to include"),
            Self::Unclosed => f.write_str("`[` without `]`"),
            Self::Glued => f.write_str("`]` without a space after it"),
            Self::Continuation => f.write_str("`\\` at the end, and no rule in the next line"),
            Self::UncertainContinuation => {
                f.write_str("`\\` at the end needs a space before it, and none after it")
            }
            Self::Character(byte) => write!(
                f,
                "the character 0x{byte:02x}, which versions of libpam read differently"
            ),
            Self::NotText => f.write_str("not UTF-8"),
            Self::TooLong => f.write_str("longer than 1000 bytes"),
            Self::UnknownFile(name) => write!(f, "there is no file `{name}` to include"),
            Self::TooDeep => f.write_str("too many files include one another"),
        }
    }
}
