//! How an authenticator app tells a token from others: by issuer and account,
//! which the key URI format calls the label.

use std::fmt::{self, Write as _};

use crate::document::{Entries, Entry, Fault};

/// What a token's app shows. A part that is not kept is the host's name, or the
/// user's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Who gives the codes their meaning.
    pub issuer: Option<LabelText>,
    /// For whom.
    pub account: Option<LabelText>,
}

impl Label {
    /// The keys that a token has for it.
    pub(crate) const KEYS: [&str; 2] = ["issuer", "account"];

    /// What can be kept of texts from elsewhere.
    #[must_use]
    pub fn of(issuer: Option<&str>, account: &str) -> Self {
        Self {
            issuer: issuer.and_then(|issuer| LabelText::new(issuer).ok()),
            account: LabelText::new(account).ok(),
        }
    }

    /// These parts, and where one is missing that of the other label.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            issuer: self.issuer.or(other.issuer),
            account: self.account.or(other.account),
        }
    }

    pub(crate) fn read(entries: &Entries<'_, '_>) -> Result<Self, Fault> {
        let read = |entry: Entry<'_, '_>| {
            LabelText::new(entry.text()?).map_err(|error| entry.fault(error))
        };
        Ok(Self {
            issuer: entries.get("issuer").map(read).transpose()?,
            account: entries.get("account").map(read).transpose()?,
        })
    }

    pub(crate) fn write(&self, text: &mut String) {
        let parts = Self::KEYS.into_iter().zip([&self.issuer, &self.account]);
        for (key, part) in parts {
            if let Some(part) = part {
                // Of what TOML wants escaped, all else is no part of a label.
                let part = part.0.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = writeln!(text, "{key} = \"{part}\"");
            }
        }
    }
}

/// Issuer or account: 1 to [`LabelText::MAX`] bytes of text without a colon, at
/// which apps part the two, and without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelText(String);

impl LabelText {
    /// Most bytes. Whatever they are, a QR code holds the URI.
    pub const MAX: usize = 128;

    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`LabelTextError`].
    pub fn new(text: &str) -> Result<Self, LabelTextError> {
        let fine = !text.chars().any(|c| c.is_control() || c == ':');
        if fine && (1..=Self::MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(LabelTextError)
        }
    }

    /// The text. It may be a stranger's: escape it before it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be issuer or account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelTextError;

impl fmt::Display for LabelTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "issuer and account have 1 to {} bytes, no colon and no control characters",
            LabelText::MAX
        )
    }
}

impl std::error::Error for LabelTextError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_text_that_an_app_can_part_from_the_other_half() {
        for text in ["a", "Acme B&C", "\"q\\\"", "電話 '", &"ä".repeat(64)] {
            assert_eq!(LabelText::new(text).unwrap().as_str(), text);
        }
        for text in ["", ":", "a:b", "a\nb", "\x7f", "\u{9b}", &"a".repeat(129)] {
            assert_eq!(LabelText::new(text), Err(LabelTextError), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_kept_of_a_foreign_label_is_left_out() {
        let label = Label::of(Some("Acme"), "a:b");
        assert_eq!(label.issuer.as_ref().unwrap().as_str(), "Acme");
        assert_eq!(label.account, None);
        assert_eq!(Label::of(None, ""), Label::default());
        let both = Label::of(None, "alice").or(Label::of(Some("Acme"), "bob"));
        assert_eq!(both, Label::of(Some("Acme"), "alice"));
    }
}
