//! Text of strangers (keys, names and paths from files, user names) as it may
//! stand on a terminal.

use std::fmt::{Display, Write as _};

/// The text with every character escaped that could end the line, move the
/// cursor, change colours, or hide and reorder letters. Letters of any script,
/// quotes and backslashes stay.
pub(crate) fn plain(text: impl Display) -> String {
    let mut plain = String::new();
    for c in text.to_string().chars() {
        let _ = match c {
            '"' | '\'' | '\\' => write!(plain, "{c}"),
            // Vowel signs of many scripts are among these.
            c if c.is_alphanumeric() => write!(plain, "{c}"),
            // What the standard library calls unprintable: control and format
            // characters, other spaces than the plain one, private use.
            c => write!(plain, "{}", c.escape_debug()),
        };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        for (text, expected) in [
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\0"),
            ("\x07\x7f\u{9b}", "\\u{7}\\u{7f}\\u{9b}"),
            ("a\u{202e}b\u{200b}c", "a\\u{202e}b\\u{200b}c"),
            ("a\u{2028}b\u{a0}\u{feff}", "a\\u{2028}b\\u{a0}\\u{feff}"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["EXAMPLE\\alice", "Jürgen's \"phone\"", "電話 α", "किताब"] {
            assert_eq!(plain(text), text);
        }
    }
}
