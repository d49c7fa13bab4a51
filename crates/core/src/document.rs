//! A TOML document read strictly: a fault names the line and the key, a key
//! that nobody asked for is a fault, and no value is ever shown.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

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
    let table = DeTable::parse(text).map_err(|error| {
        // The error's own Display would quote the line, secret included.
        lines.fault(
            error.span().unwrap_or_default(),
            format!("not TOML: {}", error.message()),
        )
    })?;
    read(Entries {
        lines,
        span: 0..0,
        table: table.get_ref(),
    })
}

/// The entries of one table, to be asked for by name.
#[derive(Clone)]
pub(crate) struct Entries<'t, 'd> {
    lines: Lines<'d>,
    span: Range<usize>,
    table: &'t DeTable<'d>,
}

impl<'t, 'd> Entries<'t, 'd> {
    /// Refuses every key that is not in `known`, naming it.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let unknown = self
            .table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| {
            Err(self.lines.unknown(key.span(), key.get_ref(), known))
        })
    }

    /// One entry, if it is there.
    pub(crate) fn get(&self, key: &'t str) -> Option<Entry<'t, 'd>> {
        let value = self.table.get(key)?;
        Some(Entry {
            lines: self.lines,
            key,
            value,
        })
    }

    /// One entry that must be there.
    pub(crate) fn require(&self, key: &'t str) -> Result<Entry<'t, 'd>, Fault> {
        self.get(key)
            .ok_or_else(|| self.fault(format!("`{key}` is missing")))
    }

    /// All entries, in the document's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry<'t, 'd>> + use<'t, 'd> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let lines = self.lines;
        entries.into_iter().map(move |(key, value)| Entry {
            lines,
            key: key.get_ref().as_ref(),
            value,
        })
    }

    /// A fault of the table as a whole.
    pub(crate) fn fault(&self, what: String) -> Fault {
        self.lines.fault(self.span.clone(), what)
    }
}

/// One key and its value.
pub(crate) struct Entry<'t, 'd> {
    lines: Lines<'d>,
    /// The key's name.
    pub(crate) key: &'t str,
    value: &'t Spanned<DeValue<'d>>,
}

impl<'t, 'd> Entry<'t, 'd> {
    /// What the value is.
    pub(crate) fn value(&self) -> Value<'t> {
        match self.value.get_ref() {
            DeValue::String(text) => Value::Text(text),
            DeValue::Integer(number) => number
                .as_str()
                .parse()
                .ok()
                .filter(|_| number.radix() == 10)
                .map_or(Value::Other, Value::Integer),
            DeValue::Boolean(truth) => Value::Boolean(*truth),
            _ => Value::Other,
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
        let span = self.value.span();
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Entries {
                lines: self.lines,
                span,
                table,
            }),
            _ => Err(self.fault("must be a table")),
        }
    }

    /// An array of tables.
    pub(crate) fn tables(&self) -> Result<Vec<Entries<'t, 'd>>, Fault> {
        self.array()?
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::Table(table) => Ok(Entries {
                    lines: self.lines,
                    span: value.span(),
                    table,
                }),
                _ => Err(self.fault("must be an array of tables")),
            })
            .collect()
    }

    /// An array of strings.
    pub(crate) fn texts(&self) -> Result<Vec<&'t str>, Fault> {
        self.array()?
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Ok(text.as_ref()),
                _ => Err(self.fault("must be an array of strings")),
            })
            .collect()
    }

    /// Each item of an array, as if it stood alone behind the key: a fault of it
    /// names its own line. `None` if this is no array.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let (lines, key) = (self.lines, self.key);
        let array = self.array().ok()?;
        let items = array.iter().map(|value| Entry { lines, key, value });
        Some(items.collect())
    }

    fn array(&self) -> Result<&'t DeArray<'d>, Fault> {
        match self.value.get_ref() {
            DeValue::Array(array) => Ok(array),
            _ => Err(self.fault("must be an array")),
        }
    }

    /// This key is none of those that are known.
    pub(crate) fn unknown(&self, known: &[&str]) -> Fault {
        self.lines.unknown(self.value.span(), self.key, known)
    }

    /// A fault of this value.
    pub(crate) fn fault(&self, what: impl fmt::Display) -> Fault {
        self.lines
            .fault(self.value.span(), format!("`{}`: {what}", self.key))
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
    fn fault(self, span: Range<usize>, what: String) -> Fault {
        Fault {
            line: line_at(self.0.as_bytes(), span.start),
            what,
        }
    }

    fn unknown(self, span: Range<usize>, key: &str, known: &[&str]) -> Fault {
        self.fault(
            span,
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
