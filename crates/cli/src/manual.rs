//! The manual pages and the policy file that is installed, made from the definitions
//! and a template for each.
//!
//! What stands in a definition stands nowhere else: commands and options in
//! [`crate::arguments`], examples, errors, policy keys, arguments of the module.
//! The templates, the `.in` files, have the rest. A line of one that begins with `@`
//! is a place for what is made (see [`made`]); after `@of NAME` stands more about
//! that command, option or key, up to the next one or `@end`.
//!
//! What is made is kept beside the templates, for readers and packagers. A test says
//! when it is old, and `make manuals` writes it: that is the same test. So
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
    let mut page = String::new();
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
        "key arguments" => policy::key_arguments(),
        "keys" => with_notes(policy::keys, lines),
        "keys as comments" => policy::commented_keys(),
        _ => match place.strip_prefix("arguments ") {
            Some(names) => policy::arguments(names),
            None => panic!("no such place: @{place}"),
        },
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
            assert!(!line.starts_with('@'), "{line}: there is no @end before it");
            let note = notes.entry(about.clone()).or_default();
            note.push_str(line);
            note.push('\n');
        }
    }
    notes
}

/// What is made.
const PAGES: [&str; 3] = ["man/pam-otp.1", "man/pam_otp.8", "man/pam_otp.toml.5"];
const POLICY: &str = "packaging/pam_otp.toml";

fn path(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(name)
}

mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test; `make manuals` tells it to write"
    )]
    fn what_is_made_from_the_definitions_is_up_to_date() {
        let write = std::env::var_os("PAM_OTP_MANUALS").is_some_and(|it| it == "write");
        for name in PAGES.into_iter().chain([POLICY]) {
            let template = std::fs::read_to_string(path(&format!("{name}.in"))).unwrap();
            let made = fill(&template);
            if write {
                std::fs::write(path(name), made).unwrap();
                continue;
            }
            let kept = std::fs::read_to_string(path(name)).unwrap_or_default();
            if let Some((new, old)) = difference(&made, &kept) {
                panic!("{name} is old: run `make manuals`.\nnow:  {new}\nkept: {old}");
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
        for page in PAGES {
            let lint: [&[&str]; 2] = [
                &["mandoc", "-Tlint"],
                &["groff", "-man", "-ww", "-Tutf8", "-z"],
            ];
            for command in lint {
                let Ok(output) = Command::new(command[0])
                    .args(&command[1..])
                    .arg(path(page))
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
