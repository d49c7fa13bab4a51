//! A TOML document read strictly: a fault names the line and the key, a key
//! that nobody asked for is a fault, and no value is ever shown.
//!
//! Two readers make the same tree. What our programs write is in TOML's plainest
//! form, and a reader of our own knows that form alone: a login then costs a tenth
//! of the instructions. All else, and whatever is wrong, is for the library.

use std::borrow::Cow;
use std::fmt;

mod library;
mod plain;

/// What is wrong, and in which line (counted from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there; names the key, never a value.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Fault {}

/// Reads `text` and hands its top table to `read`.
///
/// # Errors
///
/// [`Fault`] where it is not UTF-8 or not TOML, and whatever `read` finds.
pub(crate) fn read<T>(
    text: &[u8],
    read: impl FnOnce(Entries<'_, '_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| Fault {
        line: line_at(text, error.valid_up_to()),
        what: "not UTF-8 text".to_owned(),
    })?;
    let lines = Lines(text);
    let table = match plain::read(text) {
        Some(table) => table,
        None => library::read(text)
            .map_err(|error| lines.fault(error.place, format!("not TOML: {}", error.what)))?,
    };
    read(Entries {
        lines,
        place: 0,
        table: &table,
    })
}

/// A table as it was read: its entries in the document's order.
#[derive(Debug, Default, PartialEq)]
struct Table<'d>(Vec<Pair<'d>>);

impl<'d> Table<'d> {
    fn get(&self, key: &str) -> Option<&Pair<'d>> {
        self.0.iter().find(|pair| pair.key == key)
    }
}

/// A key and what it has.
#[derive(Debug, PartialEq)]
struct Pair<'d> {
    key: Cow<'d, str>,
    /// Where the key stands: bytes from the beginning.
    place: usize,
    node: Node<'d>,
}

/// Something that stands behind a key, or in an array.
#[derive(Debug, PartialEq)]
struct Node<'d> {
    /// Where it begins: bytes from the beginning. A table begins with its header.
    place: usize,
    content: Content<'d>,
}

#[derive(Debug, PartialEq)]
enum Content<'d> {
    Text(Cow<'d, str>),
    Integer(i64),
    Boolean(bool),
    Array(Vec<Node<'d>>),
    Table(Table<'d>),
    /// A float, a date, or an integer that is written in another way or too large.
    Other,
}

/// The entries of one table, to be asked for by name.
#[derive(Clone)]
pub(crate) struct Entries<'t, 'd> {
    lines: Lines<'d>,
    place: usize,
    table: &'t Table<'d>,
}

impl<'t, 'd> Entries<'t, 'd> {
    /// Refuses every key that is not in `known`, naming it.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let mut pairs = self.table.0.iter();
        let unknown = pairs.find(|pair| !known.contains(&pair.key.as_ref()));
        unknown.map_or(Ok(()), |pair| {
            Err(self.lines.unknown(pair.place, &pair.key, known))
        })
    }

    /// One entry, if it is there.
    pub(crate) fn get(&self, key: &'t str) -> Option<Entry<'t, 'd>> {
        let node = &self.table.get(key)?.node;
        Some(Entry {
            lines: self.lines,
            key,
            node,
        })
    }

    /// One entry that must be there.
    pub(crate) fn require(&self, key: &'t str) -> Result<Entry<'t, 'd>, Fault> {
        self.get(key)
            .ok_or_else(|| self.fault(format!("`{key}` is missing")))
    }

    /// All entries, in the document's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry<'t, 'd>> + use<'t, 'd> {
        let lines = self.lines;
        self.table.0.iter().map(move |pair| Entry {
            lines,
            key: pair.key.as_ref(),
            node: &pair.node,
        })
    }

    /// A fault of the table as a whole.
    pub(crate) fn fault(&self, what: String) -> Fault {
        self.lines.fault(self.place, what)
    }
}

/// One key and its value.
pub(crate) struct Entry<'t, 'd> {
    lines: Lines<'d>,
    /// The key's name.
    pub(crate) key: &'t str,
    node: &'t Node<'d>,
}

impl<'t, 'd> Entry<'t, 'd> {
    /// What the value is.
    pub(crate) fn value(&self) -> Value<'t> {
        match &self.node.content {
            Content::Text(text) => Value::Text(text),
            Content::Integer(number) => Value::Integer(*number),
            Content::Boolean(truth) => Value::Boolean(*truth),
            Content::Array(_) | Content::Table(_) | Content::Other => Value::Other,
        }
    }

    /// A string.
    pub(crate) fn text(&self) -> Result<&'t str, Fault> {
        match self.value() {
            Value::Text(text) => Ok(text),
            _ => Err(self.fault("must be a string")),
        }
    }

    /// A whole number, not negative.
    pub(crate) fn unsigned(&self) -> Result<u64, Fault> {
        match self.value() {
            Value::Integer(number) => {
                u64::try_from(number).map_err(|_| self.fault("must not be negative"))
            }
            _ => Err(self.fault("must be a whole number")),
        }
    }

    /// A whole number of 16 bits.
    pub(crate) fn integer(&self) -> Result<i16, Fault> {
        match self.value() {
            Value::Integer(number) => i16::try_from(number).ok(),
            _ => None,
        }
        .ok_or_else(|| self.fault("must be a whole number of 16 bits"))
    }

    /// A table.
    pub(crate) fn table(&self) -> Result<Entries<'t, 'd>, Fault> {
        self.table_in(self.node)
            .ok_or_else(|| self.fault("must be a table"))
    }

    /// An array of tables.
    pub(crate) fn tables(&self) -> Result<Vec<Entries<'t, 'd>>, Fault> {
        let tables = self.array()?.iter().map(|node| self.table_in(node));
        let tables: Option<_> = tables.collect();
        tables.ok_or_else(|| self.fault("must be an array of tables"))
    }

    /// An array of strings.
    pub(crate) fn texts(&self) -> Result<Vec<&'t str>, Fault> {
        let array = self.array()?;
        let mut texts = Vec::with_capacity(array.len());
        for node in array {
            let Content::Text(text) = &node.content else {
                return Err(self.fault("must be an array of strings"));
            };
            texts.push(text.as_ref());
        }
        Ok(texts)
    }

    /// Each item of an array, as if it stood alone behind the key: a fault of it
    /// names its own line. `None` if this is no array.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let (lines, key) = (self.lines, self.key);
        let items = self.array().ok()?.iter();
        Some(items.map(|node| Entry { lines, key, node }).collect())
    }

    fn array(&self) -> Result<&'t [Node<'d>], Fault> {
        match &self.node.content {
            Content::Array(array) => Ok(array),
            _ => Err(self.fault("must be an array")),
        }
    }

    fn table_in(&self, node: &'t Node<'d>) -> Option<Entries<'t, 'd>> {
        match &node.content {
            Content::Table(table) => Some(Entries {
                lines: self.lines,
                place: node.place,
                table,
            }),
            _ => None,
        }
    }

    /// This key is none of those that are known.
    pub(crate) fn unknown(&self, known: &[&str]) -> Fault {
        self.lines.unknown(self.node.place, self.key, known)
    }

    /// A fault of this value.
    pub(crate) fn fault(&self, what: impl fmt::Display) -> Fault {
        self.lines
            .fault(self.node.place, format!("`{}`: {what}", self.key))
    }
}

/// A plain value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'t> {
    Text(&'t str),
    Integer(i64),
    Boolean(bool),
    /// A float, a date, a table or an array.
    Other,
}

/// The text, for counting lines.
#[derive(Clone, Copy)]
struct Lines<'d>(&'d str);

impl Lines<'_> {
    fn fault(self, place: usize, what: String) -> Fault {
        Fault {
            line: line_at(self.0.as_bytes(), place),
            what,
        }
    }

    fn unknown(self, place: usize, key: &str, known: &[&str]) -> Fault {
        self.fault(
            place,
            format!("unknown key `{key}`; known here: {}", known.join(", ")),
        )
    }
}

fn line_at(text: &[u8], offset: usize) -> usize {
    text.iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

#[cfg(test)]
mod tests;
