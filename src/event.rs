//! The one line that the log gets about a login.

use std::fmt;

use crate::host::Host;
use crate::outcome::Outcome;

/// One line, made of `key=value` pairs: fail2ban and people read it alike.
///
/// Values come from strangers: user name, client, paths. Nothing in them can
/// end the line, start a new pair or move a terminal's cursor.
#[derive(Debug)]
pub(crate) struct Event {
    level: Level,
    pairs: Vec<(&'static str, String)>,
}

/// Bytes that most lines fit into: a line that grows is copied again and again.
pub(crate) const USUAL: usize = 256;

/// How loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As it should be.
    Info,
    /// Worth a look: a refusal, or a login without a code.
    Notice,
    /// Something must be mended.
    Error,
}

impl Event {
    /// What is to be said about this outcome.
    pub(crate) fn of(outcome: &Outcome, user: Option<&str>, host: &impl Host) -> Self {
        let mut pairs = vec![("outcome", outcome.word().to_owned())];
        pairs.push(("reason", outcome.reason().to_owned()));
        pairs.push(("user", user.unwrap_or_default().to_owned()));
        pairs.push(("service", host.service()));
        pairs.push(("rhost", host.rhost().unwrap_or_default()));
        pairs.extend(outcome.details());
        Self {
            level: outcome.level(),
            pairs,
        }
    }

    /// How loud.
    pub(crate) fn level(&self) -> Level {
        self.level
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, value)) in self.pairs.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " " })?;
            f.write_str(key)?;
            f.write_str("=")?;
            Quoted(value).fmt(f)?;
        }
        Ok(())
    }
}

/// A value: bare where it is plain, else in quotes with escapes.
struct Quoted<'a>(&'a str);

/// Longest value in bytes, escapes included: user and client both fit the 1,024
/// bytes at which some system loggers cut a line.
const LONGEST: usize = 300;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._@:/+%,".contains(&byte);
        if !self.0.is_empty() && self.0.len() <= LONGEST && self.0.bytes().all(plain) {
            return f.write_str(self.0);
        }
        let mut escaped = String::new();
        for c in self.0.chars() {
            let before = escaped.len();
            match c {
                '"' | '\\' => escaped.extend(['\\', c]),
                // Letters of any script stay readable; anything else could
                // reorder or hide text on a terminal.
                ' '..='~' => escaped.push(c),
                c if c.is_alphanumeric() => escaped.push(c),
                c => escaped.extend(c.escape_unicode()),
            }
            if escaped.len() > LONGEST {
                escaped.truncate(before);
                escaped.push_str("...");
                break;
            }
        }
        write!(f, "\"{escaped}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(user: &str) -> String {
        let pairs = vec![("outcome", "denied".to_owned()), ("user", user.to_owned())];
        Event {
            level: Level::Info,
            pairs,
        }
        .to_string()
    }

    #[test]
    fn plain_values_stand_bare() {
        assert_eq!(
            line("alice@example.org"),
            "outcome=denied user=alice@example.org"
        );
        assert_eq!(line("2001:db8::7"), "outcome=denied user=2001:db8::7");
    }

    #[test]
    fn no_value_can_forge_a_pair_a_line_or_a_terminal_s_cursor() {
        for (user, expected) in [
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a\" outcome=granted", "\"a\\\" outcome=granted\""),
            ("a\\", "\"a\\\\\""),
            ("a\noutcome=granted", "\"a\\u{a}outcome=granted\""),
            ("a\0", "\"a\\u{0}\""),
            ("\u{1b}[2J", "\"\\u{1b}[2J\""),
            ("a\u{202e}b", "\"a\\u{202e}b\""),
            ("Jürgen", "\"Jürgen\""),
        ] {
            assert_eq!(line(user), format!("outcome=denied user={expected}"));
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        for letter in ["a", "\u{1b}", "\"", "ü"] {
            let said = line(&letter.repeat(5000));
            assert!(said.len() < 350 && said.ends_with("...\""), "{said}");
        }
    }
}
