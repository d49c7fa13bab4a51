//! What a command answers: words for people, or one JSON object for programs.
//! `docs/json.md` describes the latter.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::person;
use crate::plain::plain;
use crate::session::Session;

/// The version of all JSON answers. Fields may be added within one version;
/// none is removed, and none changes its type or meaning.
pub(crate) const VERSION: u64 = 1;

/// Room for the words of any command: a text that grows would leave copies of
/// recovery codes behind.
const WORDS: usize = 32 * 1024;

/// The answer of a command that did what was asked.
pub(crate) struct Reply {
    /// Lines for people, on standard output.
    words: Zeroizing<String>,
    /// What programs get besides.
    fields: Object,
    /// Not wrong, but to be known.
    warnings: Vec<String>,
    /// See [`Reply::unless_seen`].
    undo: Option<Undo>,
    /// See [`Reply::partly`].
    partly: Option<Error>,
}

/// Takes back what was done.
type Undo = Box<dyn FnOnce(&Session) -> Result<(), Error>>;

impl Reply {
    /// Says nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            words: Zeroizing::new(String::with_capacity(WORDS)),
            fields: Object::new(),
            warnings: Vec::new(),
            undo: None,
            partly: None,
        }
    }

    /// Adds a line for people. Text of strangers must be [`plain`].
    pub(crate) fn line(&mut self, line: &str) {
        self.words.push_str(line);
        self.words.push('\n');
    }

    /// Adds a field for programs.
    pub(crate) fn field(&mut self, name: &'static str, value: impl Into<Value>) {
        self.fields.push(name, value);
    }

    /// Adds a warning, for both.
    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// What was done is of no use if nobody sees this answer: then it is taken
    /// back, and otherwise told to the system's log.
    pub(crate) fn unless_seen(
        &mut self,
        undo: impl FnOnce(&Session) -> Result<(), Error> + 'static,
    ) {
        self.undo = Some(Box::new(undo));
    }

    /// Not all was done that was asked for: the answer is given, and with it this
    /// error.
    pub(crate) fn partly(&mut self, error: Error) {
        self.partly = Some(error);
    }

    /// Gives the answer in the form that was asked for.
    pub(crate) fn give(mut self, session: &Session) -> Result<(), Error> {
        let (undo, partly) = (self.undo.take(), self.partly.take());
        match (self.write(&Audience::of(session), partly.as_ref()), undo) {
            (Ok(()), Some(_)) => {
                session.log_done();
                partly.map_or(Ok(()), Err)
            }
            (Err(error), Some(undo)) => {
                undo(session)?;
                Err(Error::NotShown(error))
            }
            (given, None) => {
                given?;
                partly.map_or(Ok(()), Err)
            }
        }
    }

    /// The same, where there is no session, and so nothing to take back.
    pub(crate) fn give_to(mut self, audience: &Audience) -> Result<(), Error> {
        let partly = self.partly.take();
        self.write(audience, partly.as_ref())?;
        partly.map_or(Ok(()), Err)
    }

    fn write(self, audience: &Audience, partly: Option<&Error>) -> io::Result<()> {
        if !audience.json {
            for warning in &self.warnings {
                person::warn(&plain(warning));
            }
            return write_out(self.words.as_bytes());
        }
        let mut all = Object::new();
        all.push("version", VERSION);
        all.push("ok", partly.is_none());
        all.push("command", audience.command);
        all.push("user", audience.user.as_str());
        let warnings = audience.warnings.iter().chain(&self.warnings);
        all.push("warnings", warnings.map(String::as_str).collect::<List>());
        all.0.extend(self.fields.0);
        if let Some(error) = partly {
            all.push("error", error.object(None));
        }
        print(&all)
    }
}

/// To whom an answer goes, and about what.
pub(crate) struct Audience {
    json: bool,
    command: &'static str,
    user: String,
    warnings: Vec<String>,
}

impl Audience {
    fn of(session: &Session) -> Self {
        Self {
            warnings: session.warnings.clone(),
            ..Self::of_anybody(session.json, session.command, session.user().to_owned())
        }
    }

    /// Where there is no session.
    pub(crate) fn of_anybody(json: bool, command: &'static str, user: String) -> Self {
        Self {
            json,
            command,
            user,
            warnings: Vec::new(),
        }
    }
}

/// Says as JSON that a command was not done.
pub(crate) fn refuse(command: Option<&str>, error: Object) -> io::Result<()> {
    let mut all = Object::new();
    all.push("version", VERSION);
    all.push("ok", false);
    all.push("command", command);
    all.push("error", error);
    print(&all)
}

fn print(object: &Object) -> io::Result<()> {
    // Once to count and once to write: a text that grows would leave copies.
    let mut count = Count(0);
    serde_json::to_writer(&mut count, object)?;
    let mut text = Zeroizing::new(Vec::with_capacity(count.0.saturating_add(1)));
    serde_json::to_writer(&mut *text, object)?;
    text.push(b'\n');
    write_out(&text)
}

fn write_out(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(|error| unwritten(&error))
}

/// Says what it is that could not be written.
pub(crate) fn unwritten(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("standard output: {error}"))
}

/// Counts what is written.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON object, its fields in the order in which they were added.
pub(crate) struct Object(Vec<(&'static str, Value)>);

impl Object {
    /// Without fields yet.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field.
    pub(crate) fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }
}

/// A JSON array.
pub(crate) struct List(Vec<Value>);

impl<T: Into<Value>> FromIterator<T> for List {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }
}

/// A JSON value. Text may be secret, and is wiped.
pub(crate) enum Value {
    /// There is none.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A count, or seconds since the epoch.
    Unsigned(u64),
    /// Seconds before or after.
    Signed(i64),
    /// Text.
    Text(Zeroizing<String>),
    /// Several.
    List(List),
    /// Named ones.
    Object(Object),
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(List(values)) => serializer.collect_seq(values),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Unsigned(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Unsigned(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Zeroizing::new(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Zeroizing::new(value))
    }
}

impl From<Zeroizing<String>> for Value {
    fn from(value: Zeroizing<String>) -> Self {
        Self::Text(value)
    }
}

impl From<List> for Value {
    fn from(value: List) -> Self {
        Self::List(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_cannot_leave_its_field() {
        let mut object = Object::new();
        object.push("name", "a\",\"ok\":true,\"\n\x1b[2J\u{202e}");
        object.push("list", [Some(1_u64), None].into_iter().collect::<List>());
        object.push("off", -30_i64);
        let text = serde_json::to_string(&object).unwrap();
        assert_eq!(
            text,
            "{\"name\":\"a\\\",\\\"ok\\\":true,\\\"\\n\\u001b[2J\u{202e}\",\"list\":[1,null],\"off\":-30}"
        );
    }
}
