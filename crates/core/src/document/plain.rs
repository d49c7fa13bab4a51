//! TOML in its plainest form, which is what our programs write: one
//! `key = value` on a line, `[table]`, `[table.table]` and `[[table]]`, comments;
//! as values strings without escapes, decimal numbers, `true` and `false`, and
//! arrays of strings.
//!
//! It reads a part of TOML, and never something else. Of all that it does not
//! know, right or wrong, it says nothing: the library decides. `docs/formats.md`
//! has the form; a test reads what it takes by the library too.

use std::borrow::Cow;

use super::{Content, Node, Pair, Table};

/// Most entries of a table, and most tables of one name: looked through one by one.
const MOST: usize = 64;

/// As many as a table or an array usually has: there is room for so many at once.
const USUAL: usize = 12;

/// Most digits of a number: so many always fit.
const DIGITS: usize = 18;

/// Reads a document; `None` if it is not as plain as this.
pub(super) fn read(text: &str) -> Option<Table<'_>> {
    let mut reader = Reader {
        rest: text,
        length: text.len(),
    };
    let mut top = reader.entries()?;
    while !reader.rest.is_empty() {
        let header = reader.header()?;
        let entries = reader.entries()?;
        add_table(&mut top, &header, entries)?;
    }
    Some(top)
}

/// The line above a table's entries.
struct Header<'d> {
    /// Where the line begins.
    place: usize,
    /// One of several tables of this name.
    repeated: bool,
    /// Where each stands; the second names a table in the first.
    first: (usize, &'d str),
    second: Option<(usize, &'d str)>,
}

fn add_table<'d>(top: &mut Table<'d>, header: &Header<'d>, entries: Table<'d>) -> Option<()> {
    let (key_place, key) = header.first;
    let there = top.0.iter_mut().find(|pair| pair.key == key);
    let there = there.map(|pair| &mut pair.node.content);
    let place = header.place;
    let node = Node {
        place,
        content: Content::Table(entries),
    };
    match (there, header.second, header.repeated) {
        (Some(Content::Array(tables)), None, true) => {
            let are_tables = matches!(tables.first()?.content, Content::Table(_));
            (are_tables && tables.len() < MOST).then(|| tables.push(node))
        }
        (None, None, true) => {
            let content = Content::Array(vec![node]);
            push(top, key_place, key, Node { place, content })
        }
        (None, None, false) => push(top, key_place, key, node),
        (Some(Content::Table(outer)), Some((inner_place, inner)), false) => {
            push(outer, inner_place, inner, node)
        }
        (None, Some((inner_place, inner)), false) => {
            let mut outer = Table::default();
            push(&mut outer, inner_place, inner, node)?;
            let content = Content::Table(outer);
            // It has no header of its own.
            let place = key_place;
            push(top, place, key, Node { place, content })
        }
        _ => None,
    }
}

/// Adds an entry, if there is none of this name.
fn push<'d>(table: &mut Table<'d>, place: usize, key: &'d str, node: Node<'d>) -> Option<()> {
    if table.0.len() >= MOST || table.get(key).is_some() {
        return None;
    }
    let key = Cow::Borrowed(key);
    table.0.push(Pair { key, place, node });
    Some(())
}

fn is_control(byte: u8) -> bool {
    matches!(byte, ..b' ' | 0x7f)
}

struct Reader<'d> {
    rest: &'d str,
    /// Bytes in all of the text.
    length: usize,
}

impl<'d> Reader<'d> {
    /// Entries up to the next header, or the end.
    fn entries(&mut self) -> Option<Table<'d>> {
        let mut table = Table(Vec::with_capacity(USUAL));
        loop {
            self.blank()?;
            if self.rest.is_empty() || self.rest.starts_with('[') {
                return Some(table);
            }
            let (place, key) = self.key()?;
            self.space();
            self.letter('=')?;
            self.space();
            let node = self.value()?;
            self.end_of_line()?;
            push(&mut table, place, key, node)?;
        }
    }

    fn header(&mut self) -> Option<Header<'d>> {
        let place = self.place();
        self.letter('[')?;
        let repeated = self.letter('[').is_some();
        let first = self.key()?;
        let second = match self.letter('.') {
            Some(()) => Some(self.key()?),
            None => None,
        };
        self.letter(']')?;
        if repeated {
            self.letter(']')?;
        }
        self.end_of_line()?;
        Some(Header {
            place,
            repeated,
            first,
            second,
        })
    }

    fn key(&mut self) -> Option<(usize, &'d str)> {
        let place = self.place();
        let key = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
        (!key.is_empty()).then_some((place, key))
    }

    fn value(&mut self) -> Option<Node<'d>> {
        let place = self.place();
        let content = match self.rest.bytes().next()? {
            b'"' => Content::Text(Cow::Borrowed(self.text()?)),
            b'[' => Content::Array(self.texts()?),
            b'0'..=b'9' => Content::Integer(self.integer()?),
            _ => match self.take_while(|c| c.is_ascii_alphabetic()) {
                "true" => Content::Boolean(true),
                "false" => Content::Boolean(false),
                _ => return None,
            },
        };
        Some(Node { place, content })
    }

    fn text(&mut self) -> Option<&'d str> {
        self.letter('"')?;
        let text = self.take_while(|c| !is_control(c) && !matches!(c, b'"' | b'\\'));
        self.letter('"')?;
        Some(text)
    }

    fn integer(&mut self) -> Option<i64> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        let plain = digits.len() <= DIGITS && (digits == "0" || !digits.starts_with('0'));
        digits.parse().ok().filter(|_| plain)
    }

    fn texts(&mut self) -> Option<Vec<Node<'d>>> {
        let mut texts = Vec::with_capacity(USUAL);
        self.letter('[')?;
        loop {
            self.blank()?;
            if self.letter(']').is_some() {
                return Some(texts);
            }
            let place = self.place();
            let content = Content::Text(Cow::Borrowed(self.text()?));
            texts.push(Node { place, content });
            self.blank()?;
            if self.letter(',').is_none() {
                self.letter(']')?;
                return Some(texts);
            }
        }
    }

    /// Passes over spaces, comments and ends of lines.
    fn blank(&mut self) -> Option<()> {
        loop {
            self.space();
            if !self.rest.starts_with(['#', '\n']) {
                return Some(());
            }
            self.end_of_line()?;
        }
    }

    /// Nothing more but a comment.
    fn end_of_line(&mut self) -> Option<()> {
        self.space();
        if self.rest.starts_with('#') {
            self.take_while(|c| !is_control(c));
        }
        match self.letter('\n') {
            None => self.rest.is_empty().then_some(()),
            end => end,
        }
    }

    fn space(&mut self) {
        self.take_while(|c| c == b' ');
    }

    fn letter(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(letter)?;
        Some(())
    }

    /// Takes the bytes that fit. Those that end it are ASCII.
    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'d str {
        let end = self.rest.bytes().position(|byte| !fits(byte));
        let end = end.unwrap_or(self.rest.len());
        let Some((taken, rest)) = self.rest.split_at_checked(end) else {
            return "";
        };
        self.rest = rest;
        taken
    }

    /// Bytes from the beginning.
    fn place(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }
}
