//! The manual pages, made from the definitions and a template for each.
//!
//! What stands in a definition stands nowhere else: commands and options in
//! [`crate::arguments`], examples, errors, policy keys, arguments of the module.
//! The templates, `man/*.in`, have the rest. A line of one that begins with `@`
//! is a place for what is made (see [`fill`]); after `@of NAME` stands more about
//! that command, option or key, up to the next one or `@end`.
//!
//! The pages are kept beside the templates, for readers and packagers. A test says
//! when they are old, and `make manuals` writes them: that is the same test. So
//! nothing of this is in the command itself. `clap_mangen` is no help: it makes a
//! page for each command, and knows nothing but what `--help` says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::format_push_string,
    reason = "only tests run it; one that fails here fails as it should"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::Lines;

use crate::error::Exit;

mod command;
mod policy;
mod roff;

/// What templates say besides, by the name of what it is about: lines of roff.
type Notes = BTreeMap<String, String>;

/// The note about one name, which is then used.
fn note(notes: &mut Notes, name: &str) -> String {
    notes.remove(name).unwrap_or_default()
}

/// A page, from its template.
fn fill(template: &str) -> String {
    let mut page = ".\\\" Made by `make manuals` from the .in file beside it.\n".to_owned();
    let mut lines = template.lines();
    while let Some(line) = lines.next() {
        if let Some(place) = line.strip_prefix('@') {
            page.push_str(&made(place, &mut lines));
        } else {
            page.push_str(&line.replace("@version@", env!("CARGO_PKG_VERSION")));
            page.push('\n');
        }
    }
    page
}

/// What is made for a place, of which some have notes.
fn made(place: &str, lines: &mut Lines<'_>) -> String {
    let with_notes = |make: fn(&mut Notes) -> String, lines| {
        let mut notes = notes(lines);
        let roff = make(&mut notes);
        let left: Vec<_> = notes.keys().collect();
        assert!(left.is_empty(), "@of {left:?}: there is no such thing");
        roff
    };
    match place {
        "synopsis" => command::synopsis(),
        "commands" => with_notes(command::commands, lines),
        "options" => with_notes(command::options, lines),
        "errors refused" => command::errors(Exit::Refused),
        "errors usage" => command::errors(Exit::Usage),
        "errors broken" => command::errors(Exit::Broken),
        "examples" => command::examples(),
        "flags" => policy::flags(),
        "arguments" => policy::arguments(),
        "key arguments" => policy::key_arguments(),
        "keys" => with_notes(policy::keys, lines),
        _ => panic!("no such place: @{place}"),
    }
}

/// What stands up to the next `@end`.
fn notes(lines: &mut Lines<'_>) -> Notes {
    let mut notes = Notes::new();
    let mut about = String::new();
    for line in lines.take_while(|line| *line != "@end") {
        if let Some(name) = line.strip_prefix("@of ") {
            name.clone_into(&mut about);
        } else {
            let note = notes.entry(about.clone()).or_default();
            note.push_str(line);
            note.push('\n');
        }
    }
    notes
}

/// The directory of pages and templates.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../man")
}

/// Every template, and where its page is.
fn templates() -> Vec<(PathBuf, PathBuf)> {
    let entries = std::fs::read_dir(directory()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let templates = paths.filter(|path| path.extension().is_some_and(|it| it == "in"));
    templates
        .map(|path| (path.clone(), path.with_extension("")))
        .collect()
}

mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test; `make manuals` tells it to write"
    )]
    fn the_manual_pages_are_made_from_the_definitions() {
        let write = std::env::var_os("PAM_OTP_MANUALS").is_some_and(|it| it == "write");
        let templates = templates();
        assert_eq!(templates.len(), 3, "{templates:?}");
        for (template, path) in templates {
            let page = fill(&std::fs::read_to_string(template).unwrap());
            if write {
                std::fs::write(&path, page).unwrap();
                continue;
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            let path = path.display();
            if let Some((new, old)) = difference(&page, &kept) {
                panic!("{path} is old: run `make manuals`.\nnow:  {new}\nkept: {old}");
            }
        }
    }

    /// The first line that is another one.
    fn difference<'a>(page: &'a str, kept: &'a str) -> Option<(&'a str, &'a str)> {
        let (mut new, mut old) = (page.lines(), kept.lines());
        loop {
            match (new.next(), old.next()) {
                (None, None) => return None,
                (new, old) if new == old => {}
                (new, old) => return Some((new.unwrap_or("(end)"), old.unwrap_or("(end)"))),
            }
        }
    }

    #[test]
    fn the_pages_are_sound_in_the_eyes_of_mandoc_and_groff() {
        for (_, page) in templates() {
            let lint: [&[&str]; 2] = [
                &["mandoc", "-Tlint"],
                &["groff", "-man", "-ww", "-Tutf8", "-z"],
            ];
            for command in lint {
                let Ok(output) = Command::new(command[0])
                    .args(&command[1..])
                    .arg(&page)
                    .output()
                else {
                    println!("SKIPPED: {} is not installed", command[0]);
                    continue;
                };
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said);
                assert!(output.status.success() && said.is_empty(), "{said}");
            }
        }
    }
}
