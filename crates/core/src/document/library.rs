//! All of TOML, by the library.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Content, Node, Pair, Table};

/// Where a text stops being TOML (bytes from the beginning), and why.
pub(super) struct Error {
    pub(super) place: usize,
    pub(super) what: String,
}

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Table<'_>, Error> {
    let table = DeTable::parse(text).map_err(|error| Error {
        place: error.span().unwrap_or_default().start,
        // Its own Display would quote the line, secret included.
        what: error.message().to_owned(),
    })?;
    Ok(tree(table.into_inner()))
}

fn tree(table: DeTable<'_>) -> Table<'_> {
    let pairs = table.into_iter().map(|(key, value)| Pair {
        place: key.span().start,
        key: key.into_inner(),
        node: node(value),
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by_key(|pair| pair.place);
    Table(pairs)
}

/// As deep as the library goes, which has a limit.
fn node(value: Spanned<DeValue<'_>>) -> Node<'_> {
    let place = value.span().start;
    let content = match value.into_inner() {
        DeValue::String(text) => Content::Text(text),
        DeValue::Integer(number) => number
            .as_str()
            .parse()
            .ok()
            .filter(|_| number.radix() == 10)
            .map_or(Content::Other, Content::Integer),
        DeValue::Boolean(truth) => Content::Boolean(truth),
        DeValue::Array(array) => Content::Array(array.into_iter().map(node).collect()),
        DeValue::Table(table) => Content::Table(tree(table)),
        DeValue::Float(_) | DeValue::Datetime(_) => Content::Other,
    };
    Node { place, content }
}
