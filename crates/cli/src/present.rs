//! A token as its owner's app takes it in: account, key, URI and QR code.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};

use pam_otp_core::label::LabelText;
use pam_otp_core::token::Token;
use pam_otp_core::uri::otpauth;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::plain::plain;
use crate::qr::{Background, Picture, Wishes};
use crate::reply::unwritten;

/// How a picture is drawn.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    ascii: bool,
    background: Background,
}

impl Look {
    /// What the output shows rightly. `variable` is the environment: the locale
    /// says what characters there are, and `TERM` and `NO_COLOR` whether colours.
    fn of(wishes: &Wishes, terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // The first of these that is set is the locale, as POSIX has it; if none
        // is, it is "C", and no more than ASCII.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let utf8 = locale.is_some_and(|locale| names_utf8(&locale.to_string_lossy()));
        // vt100 and its kin have none.
        let monochrome = |term: &str| term == "dumb" || term.starts_with("vt");
        let colours = terminal
            && set("NO_COLOR").is_none()
            && set("TERM").is_some_and(|term| !monochrome(&term.to_string_lossy()));
        Self {
            ascii: wishes.ascii || !utf8,
            background: wishes.background.unwrap_or(if colours {
                Background::Any
            } else {
                Background::Dark
            }),
        }
    }

    fn draw(&self, picture: &Picture) -> Zeroizing<String> {
        if self.ascii {
            picture.ascii(self.background)
        } else {
            picture.utf8(self.background)
        }
    }
}

/// Is it a locale like `de_DE.UTF-8` or `C.utf8@variant`?
fn names_utf8(locale: &str) -> bool {
    let (_, charset) = locale.split_once('.').unwrap_or_default();
    let (charset, _) = charset.split_once('@').unwrap_or((charset, ""));
    ["utf-8", "utf8"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

/// How an app tells this account from others: what is kept with the token, or
/// what this host says.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// Who gives the codes their meaning.
    pub(crate) issuer: String,
    /// For whom.
    pub(crate) account: String,
}

impl Label {
    /// Of this user's token.
    pub(crate) fn of(token: &Token, user: &str) -> Self {
        let kept = |part: &Option<LabelText>| part.as_ref().map(|it| it.as_str().to_owned());
        Self {
            issuer: kept(&token.label.issuer).unwrap_or_else(host_name),
            account: kept(&token.label.account).unwrap_or_else(|| user.to_owned()),
        }
    }

    /// The URI that an app takes in.
    pub(crate) fn uri(&self, token: &Token) -> Zeroizing<String> {
        otpauth(token, &self.issuer, &self.account)
    }
}

/// Prints all that an authenticator app needs.
pub(crate) fn print_token(token: &Token, label: &Label, wishes: &Wishes) -> Result<(), Error> {
    let uri = label.uri(token);
    let picture = Picture::new(&uri)?;
    let mut stdout = std::io::stdout().lock();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: what the terminal can show"
    )]
    let look = Look::of(wishes, stdout.is_terminal(), |name| std::env::var_os(name));
    let mut write = || {
        writeln!(stdout, "Account: {}", plain(&label.account))?;
        writeln!(stdout, "Issuer:  {}", plain(&label.issuer))?;
        writeln!(stdout, "Key:     {}", *token.secret.to_groups())?;
        writeln!(stdout, "URI:     {}", *uri)?;
        writeln!(stdout, "\n{}\n", *look.draw(&picture))?;
        stdout.flush()
    };
    Ok(write().map_err(|error| unwritten(&error))?)
}

/// The token's QR code, for a file.
pub(crate) fn picture(token: &Token, label: &Label) -> Result<Picture, Error> {
    Ok(Picture::new(&label.uri(token))?)
}

/// The host's name, by which the app tells this account from others.
pub(crate) fn host_name() -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "pam-otp".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(wishes: &Wishes, terminal: bool, environment: &[(&str, &str)]) -> Look {
        Look::of(wishes, terminal, |name| {
            let (_, value) = environment.iter().find(|(key, _)| *key == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn half_blocks_are_for_locales_of_utf_8() {
        for (environment, ascii) in [
            (&[("LANG", "de_DE.UTF-8")][..], false),
            (&[("LANG", "C.utf8")], false),
            (&[("LANG", "sr_RS.UTF-8@latin")], false),
            (&[("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")], false),
            (
                &[
                    ("LC_ALL", "C"),
                    ("LC_CTYPE", "C.UTF-8"),
                    ("LANG", "C.UTF-8"),
                ],
                true,
            ),
            (&[("LC_ALL", ""), ("LANG", "C.UTF-8")], false),
            (&[("LANG", "de_DE")], true),
            (&[("LANG", "de_DE.ISO-8859-1")], true),
            (&[("LANG", "POSIX")], true),
            (&[("LANG", "utf-8")], true),
            (&[], true),
        ] {
            assert_eq!(
                look(&Wishes::default(), true, environment).ascii,
                ascii,
                "{environment:?}"
            );
        }
    }

    #[test]
    fn colours_are_for_terminals_that_have_them() {
        for (terminal, environment, background) in [
            (true, &[("TERM", "xterm")][..], Background::Any),
            (
                true,
                &[("TERM", "linux"), ("NO_COLOR", "")],
                Background::Any,
            ),
            (
                true,
                &[("TERM", "linux"), ("NO_COLOR", "1")],
                Background::Dark,
            ),
            (true, &[("TERM", "dumb")], Background::Dark),
            (true, &[("TERM", "vt220")], Background::Dark),
            (true, &[], Background::Dark),
            (false, &[("TERM", "xterm")], Background::Dark),
        ] {
            let look = look(&Wishes::default(), terminal, environment);
            assert_eq!(look.background, background, "{environment:?}");
        }
    }

    #[test]
    fn what_is_asked_for_is_done() {
        let wishes = Wishes {
            ascii: true,
            background: Some(Background::Light),
            ..Wishes::default()
        };
        let environment = [("LANG", "C.UTF-8"), ("TERM", "xterm")];
        let expected = Look {
            ascii: true,
            background: Background::Light,
        };
        assert_eq!(look(&wishes, true, &environment), expected);
    }
}
