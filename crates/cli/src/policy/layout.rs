//! The text of a policy file, changed without losing a comment.

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

/// A policy file's text, to be changed.
pub(super) struct Layout(DocumentMut);

impl Layout {
    /// Reads the text. `None` if it is none that can be changed so.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// The value of a key that holds text: of the section, or of all services.
    pub(super) fn word(&self, service: Option<&str>, key: &str) -> Option<&str> {
        let own = service.and_then(|service| self.section(service)?.get(key));
        own.or_else(|| self.0.get(key))?.as_str()
    }

    /// Whether the key stands there itself.
    pub(super) fn has(&self, service: Option<&str>, key: &str) -> bool {
        match service {
            Some(service) => self.section(service).is_some_and(|it| it.contains_key(key)),
            None => self.0.contains_key(key),
        }
    }

    /// The services that have a section.
    pub(super) fn services(&self) -> Vec<String> {
        let services = self.0.get("service").and_then(Item::as_table_like);
        let services = services.into_iter().flat_map(TableLike::iter);
        services.map(|(name, _)| name.to_owned()).collect()
    }

    /// The services that have one of these keys of their own.
    pub(super) fn sections_with(&self, keys: &[&str]) -> Vec<String> {
        let mut services = self.services();
        services.retain(|service| keys.iter().any(|key| self.has(Some(service), key)));
        services
    }

    /// Sets a key that holds text.
    pub(super) fn set_word(&mut self, service: Option<&str>, key: &str, word: &str) -> Option<()> {
        let item = self.item(service, key, || Item::Value(word.into()))?;
        let value = item.as_value_mut()?;
        let decor = value.decor().clone();
        *value = word.into();
        *value.decor_mut() = decor;
        Some(())
    }

    /// Appends to a list. One that is not there begins with `before`.
    pub(super) fn append(
        &mut self,
        service: Option<&str>,
        key: &str,
        before: &[String],
        names: &[String],
    ) -> Option<()> {
        let array = self.list(service, key, before)?;
        for name in names {
            append(array, name.into());
        }
        Some(())
    }

    /// Takes items out of a list, in their places. One that is not there begins
    /// with `before`.
    pub(super) fn take_out(
        &mut self,
        service: Option<&str>,
        key: &str,
        before: &[String],
        places: &[usize],
    ) -> Option<()> {
        let array = self.list(service, key, before)?;
        let mut places = places.to_vec();
        places.sort_unstable();
        for place in places.into_iter().rev() {
            take_out(array, place)?;
        }
        Some(())
    }

    fn section(&self, service: &str) -> Option<&dyn TableLike> {
        let services = self.0.get("service")?.as_table_like()?;
        services.get(service)?.as_table_like()
    }

    fn list(&mut self, service: Option<&str>, key: &str, before: &[String]) -> Option<&mut Array> {
        let new = || Item::Value(before.iter().collect::<Array>().into());
        self.item(service, key, new)?.as_array_mut()
    }

    /// A key's value; a new one, if it is not there.
    fn item(
        &mut self,
        service: Option<&str>,
        key: &str,
        new: impl FnOnce() -> Item,
    ) -> Option<&mut Item> {
        let Some(service) = service else {
            if !self.0.contains_key(key) {
                // The first key comes after the comments, not before.
                let before = if self.0.is_empty() {
                    self.end()
                } else {
                    String::new()
                };
                self.0.insert(key, new());
                if !before.is_empty() {
                    self.0.key_mut(key)?.leaf_decor_mut().set_prefix(before);
                }
            }
            return self.0.get_mut(key);
        };
        let section = self.section_mut(service)?;
        if !section.contains_key(key) {
            section.insert(key, new());
        }
        section.get_mut(key)
    }

    /// A service's section; a new one at the end, if it is not there.
    fn section_mut(&mut self, service: &str) -> Option<&mut dyn TableLike> {
        if self.section(service).is_none() {
            let is_first = self.0.is_empty();
            let inline = self.0.get("service").is_some_and(Item::is_inline_table);
            let section = if inline {
                Item::Value(InlineTable::new().into())
            } else {
                // What stood at the end was not about this service.
                let before = self.end();
                let gap = if is_first && before.is_empty() {
                    ""
                } else {
                    "\n"
                };
                let mut section = Table::new();
                section.decor_mut().set_prefix(format!("{before}{gap}"));
                Item::Table(section)
            };
            if !self.0.contains_key("service") {
                let mut services = Table::new();
                services.set_implicit(true);
                self.0.insert("service", Item::Table(services));
            }
            let services = self.0.get_mut("service")?.as_table_like_mut()?;
            services.insert(service, section);
        }
        let services = self.0.get_mut("service")?.as_table_like_mut()?;
        services.get_mut(service)?.as_table_like_mut()
    }

    /// Takes out what stands after all values: comments, in whole lines.
    fn end(&mut self) -> String {
        let mut text = raw(Some(self.0.trailing()));
        self.0.set_trailing("");
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}

/// The same text with a key that stands there as a comment, with the value that
/// it has anyway, taken out of the comment: there its administrator looks for it.
pub(super) fn uncommented(text: &str, key: &str, value: &str) -> Option<String> {
    let comment = format!("#{key} = {value}");
    let mut start: usize = 0;
    for line in text.split_inclusive('\n') {
        // From here on, a key belongs to a section.
        if line.trim_start().starts_with('[') {
            return None;
        }
        if line.trim_end() == comment {
            let (before, rest) = text.split_at_checked(start)?;
            return Some(format!("{before}{}", rest.strip_prefix('#')?));
        }
        start = start.saturating_add(line.len());
    }
    None
}

/// In an array with one item a line the new one gets a line too, and comments stay
/// beside what they are about.
fn append(array: &mut Array, mut value: Value) {
    let trailing = raw(Some(array.trailing()));
    let Some(last) = array.len().checked_sub(1).and_then(|at| array.get_mut(at)) else {
        array.push(value);
        return;
    };
    let (prefix, suffix) = around(last);
    let tail = format!("{suffix}{trailing}");
    if !tail.contains(['#', '\n']) {
        array.push(value);
        return;
    }
    last.decor_mut().set_suffix("");
    let indent = prefix
        .rsplit_once('\n')
        .map_or("    ", |(_, indent)| indent);
    let (head, end) = tail.rsplit_once('\n').unwrap_or((&tail, ""));
    value
        .decor_mut()
        .set_prefix(format!("{}\n{indent}", head.trim_end()));
    array.push_formatted(value);
    array.set_trailing(format!("\n{end}"));
}

/// Comments that stood around the item stay, before the next one.
fn take_out(array: &mut Array, place: usize) -> Option<()> {
    array.get(place)?;
    let (prefix, suffix) = around(&array.remove(place));
    let is_last = place == array.len();
    let next = match array.get(place) {
        Some(value) => around(value).0,
        None => format!("{suffix}{}", raw(Some(array.trailing()))),
    };
    let joined = if prefix.contains('#') {
        // Ends with the line of its last comment.
        let (comments, indent) = prefix.rsplit_once('\n').unwrap_or((&prefix, ""));
        let rest = next.trim_start();
        if is_last && rest.is_empty() {
            format!(
                "{comments}\n{}",
                next.rsplit_once('\n').map_or("", |(_, end)| end)
            )
        } else {
            format!("{comments}\n{indent}{rest}")
        }
    } else if place == 0 && !next.contains('#') && !is_last {
        prefix
    } else {
        next
    };
    match array.get_mut(place) {
        Some(value) => value.decor_mut().set_prefix(joined),
        None => array.set_trailing(joined),
    }
    Some(())
}

/// What stands before and after a value.
fn around(value: &Value) -> (String, String) {
    let decor = value.decor();
    (raw(decor.prefix()), raw(decor.suffix()))
}

fn raw(text: Option<&RawString>) -> String {
    let text = text.and_then(RawString::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
