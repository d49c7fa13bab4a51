//! One line of ours as the log has it: `docs/logs.md`.

/// What a line says, apart from when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The line's own words, without what the log puts before them.
    pub(crate) text: String,
    pairs: Vec<(String, String)>,
}

impl Entry {
    /// Reads a message of this program; `None` if it is not one of ours. What a
    /// line was cut off from is missing, and no more.
    pub(crate) fn parse(program: &str, message: &str) -> Option<Self> {
        let text = match message.strip_prefix("pam_otp(") {
            // By libpam: `pam_otp(sshd:auth): `, in whatever program it runs.
            Some(rest) => rest
                .split_once("): ")
                .map(|(_, text)| text)
                .filter(|text| text.starts_with("outcome="))?,
            None => {
                Some(message).filter(|text| program == "pam-otp" && text.starts_with("action="))?
            }
        };
        Some(Self {
            pairs: pairs(text),
            text: text.to_owned(),
        })
    }

    /// What stands behind this key, if it is there and not empty.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        let pair = pairs.find(|(name, _)| name == key);
        pair.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// All `key=value` up to the first that is none.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((key, value)) = rest.split_once('=') {
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            break;
        }
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') {
            unquoted(quoted)
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            let (value, after) = value.split_at(end);
            (value.to_owned(), after)
        };
        pairs.push((key.to_owned(), value));
        rest = after.strip_prefix(' ').unwrap_or_default();
    }
    pairs
}

/// The value up to its closing quote, and what follows.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return (value, rest.as_str()),
            '\\' => match escaped(&mut rest) {
                Some(c) => value.push(c),
                None => break,
            },
            c => value.push(c),
        }
    }
    // The line was cut off, or is none of ours.
    (value, "")
}

/// The character that an escape means, without its backslash.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        c @ ('"' | '\\') => Some(c),
        'u' => {
            let (digits, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
            *rest = after.chars();
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(message: &str) -> Option<Entry> {
        Entry::parse("sshd", message)
    }

    #[test]
    fn a_line_of_the_module_is_read() {
        let entry = entry(
            "pam_otp(sshd:auth): outcome=denied reason=wrong_code user=alice service=sshd \
             rhost=2001:db8::7 token=\"my phone\"",
        )
        .unwrap();
        for (key, value) in [
            ("outcome", Some("denied")),
            ("reason", Some("wrong_code")),
            ("user", Some("alice")),
            ("service", Some("sshd")),
            ("rhost", Some("2001:db8::7")),
            ("token", Some("my phone")),
            ("left", None),
        ] {
            assert_eq!(entry.value(key), value, "{key}");
        }
        assert!(entry.text.starts_with("outcome=denied "));
    }

    #[test]
    fn a_value_is_what_it_was_before_it_was_escaped() {
        for (written, meant) in [
            ("\"a\\\" outcome=granted\"", "a\" outcome=granted"),
            ("\"a\\\\\"", "a\\"),
            ("\"a\\u{a}b\\nc\\u{202e}\"", "a\nb\nc\u{202e}"),
            ("\"Jürgen 電話\"", "Jürgen 電話"),
        ] {
            let line = format!("pam_otp(x:auth): outcome=denied user={written} service=su");
            let entry = entry(&line).unwrap();
            assert_eq!(entry.value("user"), Some(meant));
            assert_eq!(entry.value("service"), Some("su"), "{written}");
            assert_eq!(entry.value("outcome"), Some("denied"), "{written}");
        }
    }

    #[test]
    fn an_empty_value_is_none() {
        let entry = entry("pam_otp(sudo:auth): outcome=skipped rhost=\"\" user=a").unwrap();
        assert_eq!(
            (entry.value("rhost"), entry.value("user")),
            (None, Some("a"))
        );
    }

    #[test]
    fn of_a_line_that_was_cut_the_rest_is_missing() {
        for cut in ["\"ab", "\"ab\\", "\"ab\\u{20", "\"ab\\q\" service=su"] {
            let line = format!("pam_otp(x:auth): outcome=denied user={cut}");
            let entry = entry(&line).unwrap();
            assert_eq!(entry.value("outcome"), Some("denied"));
            assert_eq!(entry.value("user"), Some("ab"), "{cut}");
            assert_eq!(entry.value("service"), None, "{cut}");
        }
    }

    #[test]
    fn what_others_say_is_not_taken_for_ours() {
        for message in [
            "Invalid user pam_otp(sshd:auth): outcome=granted from 192.0.2.7",
            " pam_otp(sshd:auth): outcome=granted",
            "pam_otp(sshd:auth) outcome=granted",
            "pam_otp(sshd:auth): reason=code",
            "pam_otp_more(sshd:auth): outcome=granted",
            "action=disable user=alice by=root outcome=done",
            "",
        ] {
            assert_eq!(entry(message), None, "{message}");
        }
        let ours = "action=disable user=alice by=root outcome=done path=/home/alice/.pam-otp";
        let ours = Entry::parse("pam-otp", ours).unwrap();
        assert_eq!(ours.value("by"), Some("root"));
    }
}
