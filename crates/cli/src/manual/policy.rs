//! `pam_otp.toml(5)` and `pam_otp(8)`: the policy's keys and the module's arguments.

use pam_otp_core::policy::arguments::{FLAGS, OPTIONS};
use pam_otp_core::policy::keys::{Item, KEYS, Key, Takes};

use super::roff::{bold, sentences, slanted, typed};
use super::{Notes, note};

fn tagged(tag: &str, text: &str) -> String {
    format!(".TP\n{tag}\n{}", sentences(text))
}

/// The arguments of a line that are no keys: these, or, after the word `but`, all
/// others.
pub(super) fn arguments(names: &str) -> String {
    let flags = FLAGS.iter();
    let flags = flags.map(|(name, meaning)| (*name, tagged(&bold(name), meaning)));
    let options = OPTIONS.iter().map(|(name, value, meaning)| {
        let tag = format!("{}{}", bold(&format!("{name}=")), slanted(value));
        (*name, tagged(&tag, meaning))
    });
    let all: Vec<_> = flags.chain(options).collect();
    let (others, names) = names
        .strip_prefix("but ")
        .map_or((false, names), |names| (true, names));
    let names: Vec<_> = names.split(' ').collect();
    for name in &names {
        assert!(all.iter().any(|it| it.0 == *name), "no argument {name}");
    }
    let wanted = all.into_iter();
    let wanted = wanted.filter(|it| names.contains(&it.0) != others);
    wanted.map(|it| it.1).collect()
}

/// The keys as arguments of a line.
pub(super) fn key_arguments() -> String {
    let keys = KEYS.iter().map(|key| {
        let value = match key.takes {
            Takes::Word(words) => alternatives(words, "|"),
            Takes::Truth => alternatives(&["true", "false"], "|"),
            Takes::Number(from, to) => slanted(&format!("{from}..{to}")),
            Takes::List(of) => format!("{},...", slanted(item(of))),
            takes => slanted(named(takes)),
        };
        let tag = format!("{}{value}", bold(&format!("{}=", key.name)));
        let default = match (key.takes, key.default) {
            (Takes::List(_), "") => "none".to_owned(),
            (_, "") => "empty".to_owned(),
            (_, default) => typed(default),
        };
        format!("{}.br\nDefault: {default}\n", tagged(&tag, key.meaning))
    });
    keys.collect()
}

/// The keys as they stand in the file, with what the template adds.
pub(super) fn keys(notes: &mut Notes) -> String {
    let keys = KEYS.iter().map(|key| {
        let value = match key.takes {
            Takes::Word(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                alternatives(&words, " | ")
            }
            Takes::Truth => alternatives(&["true", "false"], " | "),
            Takes::Number(from, to) => format!("{from} to {to}"),
            Takes::List(of) => format!("[\\(dq{}\\(dq, ...]", slanted(item(of))),
            takes => format!("\\(dq{}\\(dq", slanted(named(takes))),
        };
        let tag = format!("{} = {value}", bold(key.name));
        let text = tagged(&tag, &format!("{}{}", key.meaning, takes(key)));
        let default = typed(&default(key));
        format!("{text}{}.br\nDefault: {default}\n", note(notes, key.name))
    });
    keys.collect()
}

/// The keys as comments of a policy file, each with its default.
pub(super) fn commented_keys() -> String {
    let keys = KEYS.iter().map(|key| {
        let mut text = format!("{}{}", key.meaning, takes(key));
        match key.takes {
            Takes::Number(from, to) => text.push_str(&format!(" {from} to {to}.")),
            // As they are written in the file.
            Takes::Word(words) => {
                for word in words {
                    text = text.replace(&format!("`{word}`"), &format!("\"{word}\""));
                }
            }
            _ => {}
        }
        let comment = wrapped(&text.replace('`', ""));
        format!("{comment}#{} = {}\n\n", key.name, default(key))
    });
    keys.collect()
}

/// Lines of a comment.
fn wrapped(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.len() + word.len() < 80 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("# {word}"));
        }
    }
    format!("{}\n", lines.join("\n"))
}

/// Words of which one is meant.
fn alternatives(words: &[&str], between: &str) -> String {
    let words: Vec<_> = words.iter().map(|word| bold(word)).collect();
    words.join(between)
}

/// What stands for a value of its own choice.
fn named(takes: Takes) -> &'static str {
    match takes {
        Takes::Word(_) => "WORD",
        Takes::Number(..) => "NUMBER",
        Takes::Truth => "BOOLEAN",
        Takes::Text => "TEXT",
        Takes::Path => "DIRECTORY",
        Takes::List(_) => "LIST",
        Takes::Date => "YYYY-MM-DD",
        Takes::Duration(_) => "TIME",
    }
}

fn item(of: Item) -> &'static str {
    match of {
        Item::Name => "NAME",
        Item::Network => "NETWORK",
    }
}

/// What the value must be, where its place does not say so already.
fn takes(key: &Key) -> String {
    match key.takes {
        Takes::Word(_) | Takes::Truth | Takes::Number(..) => String::new(),
        takes => format!(" It {}.", takes.words()),
    }
}

/// As it would be written.
fn default(key: &Key) -> String {
    match key.takes {
        Takes::Number(..) | Takes::Truth => key.default.to_owned(),
        Takes::List(_) => "[]".to_owned(),
        _ => format!("\"{}\"", key.default),
    }
}
