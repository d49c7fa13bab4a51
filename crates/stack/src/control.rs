//! What a line's second word says: which action follows from which return.

use std::fmt;

use crate::error::Problem;

/// What a module returns: `PAM_SUCCESS` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Return(u8);

/// Their names in a control, in the order of their numbers.
const NAMES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Return {
    /// `PAM_SUCCESS`
    pub const SUCCESS: Self = Self(0);
    /// `PAM_PERM_DENIED`: what libpam itself says where nothing else decided.
    pub const PERM_DENIED: Self = Self(6);
    /// `PAM_AUTH_ERR`
    pub const AUTH_ERR: Self = Self(7);
    /// `PAM_AUTHINFO_UNAVAIL`
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// `PAM_USER_UNKNOWN`
    pub const USER_UNKNOWN: Self = Self(10);
    /// `PAM_NEW_AUTHTOK_REQD`
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// `PAM_IGNORE`
    pub const IGNORE: Self = Self(25);
    /// `PAM_MODULE_UNKNOWN`: what libpam says for a module that it cannot load.
    pub const MODULE_UNKNOWN: Self = Self(28);
    /// `PAM_INCOMPLETE`: ends the walk at once, to be resumed.
    pub const INCOMPLETE: Self = Self(31);

    /// By its number in `<security/_pam_types.h>`; 0 to 31.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (usize::from(number) < NAMES.len()).then_some(Self(number))
    }

    /// Its number, as libpam returns it.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its name in a control, e.g. `auth_err`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("default")
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=31).map(Self)
    }
}

impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What libpam does about a module's return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// As if the line were not there.
    Ignore,
    /// It counts, unless something failed before.
    Ok,
    /// The same, and this stack or substack ends.
    Done,
    /// A failure; the first one's return is what the stack returns.
    Bad,
    /// The same, and this stack or substack ends.
    Die,
    /// What was decided in this stack or substack is forgotten.
    Reset,
    /// The next so many lines of this kind are passed over; a substack is one.
    Jump(usize),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignore => f.write_str("ignore"),
            Self::Ok => f.write_str("ok"),
            Self::Done => f.write_str("done"),
            Self::Bad => f.write_str("bad"),
            Self::Die => f.write_str("die"),
            Self::Reset => f.write_str("reset"),
            Self::Jump(lines) => write!(f, "{lines}"),
        }
    }
}

/// An action for every return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    actions: Box<[Action; 32]>,
    text: String,
    /// Where numbers of jumps stand within the text: start, end.
    jumps: Vec<(usize, usize)>,
}

impl Control {
    /// The action for this return.
    #[must_use]
    pub fn action(&self, returned: Return) -> Action {
        let action = self.actions.get(usize::from(returned.0));
        action.copied().unwrap_or(Action::Bad)
    }

    /// As it is written: `required`, or what stands between the brackets.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where numbers of jumps stand within [`Control::text`]: start and end.
    #[must_use]
    pub fn jumps(&self) -> &[(usize, usize)] {
        &self.jumps
    }

    /// A control from its text, without the brackets.
    ///
    /// # Errors
    ///
    /// [`Problem::UnknownControl`] and [`Problem::BadControl`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        use Action::{Bad, Die, Done, Ignore, Ok as Counts};
        let simple = |success, ignored, default| {
            let mut actions = [default; 32];
            for (number, action) in actions.iter_mut().enumerate() {
                if number == usize::from(Return::SUCCESS.0)
                    || number == usize::from(Return::NEW_AUTHTOK_REQD.0)
                {
                    *action = success;
                } else if number == usize::from(Return::IGNORE.0) {
                    *action = ignored;
                }
            }
            (actions, Vec::new())
        };
        let (actions, jumps) = match text.to_ascii_lowercase().as_str() {
            "required" => simple(Counts, Ignore, Bad),
            "requisite" => simple(Counts, Ignore, Die),
            "optional" => simple(Counts, Ignore, Ignore),
            "sufficient" => simple(Done, Ignore, Ignore),
            _ if text.contains('=') => parts(text)?,
            _ => return Err(Problem::UnknownControl(text.to_owned())),
        };
        Ok(Self {
            actions: Box::new(actions),
            text: text.to_owned(),
            jumps,
        })
    }
}

/// The actions of `value=action …`, and where the numbers of jumps stand.
type Parts = ([Action; 32], Vec<(usize, usize)>);

fn parts(text: &str) -> Result<Parts, Problem> {
    let mut actions = [None; 32];
    let mut jumps = Vec::new();
    let mut rest = text;
    let at = |rest: &str| text.len().saturating_sub(rest.len());
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        let whole = rest;
        let bad = |expected| Problem::BadControl {
            part: whole.to_owned(),
            expected,
        };
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        let place = NAMES.iter().position(|known| *known == name);
        if place.is_none() && name != "default" {
            return Err(bad("a return value, e.g. success or default"));
        }
        let after = after.trim_ascii_start();
        let Some(after) = after.strip_prefix('=') else {
            return Err(bad("="));
        };
        let after = after.trim_ascii_start();
        let end = after.find(|c: char| !c.is_ascii_alphanumeric());
        let (word, next) = after.split_at(end.unwrap_or(after.len()));
        let action = match word {
            "ignore" => Action::Ignore,
            "ok" => Action::Ok,
            "done" => Action::Done,
            "bad" => Action::Bad,
            "die" => Action::Die,
            "reset" => Action::Reset,
            number => match number.parse::<u16>() {
                Ok(lines) if lines > 0 => {
                    let start = at(after);
                    jumps.push((start, start.saturating_add(word.len())));
                    Action::Jump(usize::from(lines))
                }
                _ => return Err(bad("an action, e.g. ok, or a number above 0")),
            },
        };
        if !next.is_empty() && !next.starts_with(|c: char| c.is_ascii_whitespace()) {
            return Err(bad("a space after the action"));
        }
        match place.and_then(|place| actions.get_mut(place)) {
            Some(slot) => *slot = Some(action),
            // Those that are not named by then.
            None => {
                for slot in &mut actions {
                    slot.get_or_insert(action);
                }
            }
        }
        rest = next;
    }
    Ok((actions.map(|action| action.unwrap_or(Action::Bad)), jumps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_words_are_read_in_any_case() {
        let required = Control::parse("Required").unwrap();
        assert_eq!(required.action(Return::SUCCESS), Action::Ok);
        assert_eq!(required.action(Return::IGNORE), Action::Ignore);
        assert_eq!(required.action(Return::AUTH_ERR), Action::Bad);
        let sufficient = Control::parse("sufficient").unwrap();
        assert_eq!(sufficient.action(Return::NEW_AUTHTOK_REQD), Action::Done);
        assert_eq!(sufficient.action(Return::AUTH_ERR), Action::Ignore);
    }

    #[test]
    fn a_default_covers_what_was_not_named_before_and_the_rest_is_bad() {
        let control = Control::parse(" success=2 default = ignore  auth_err=die ").unwrap();
        assert_eq!(control.action(Return::SUCCESS), Action::Jump(2));
        assert_eq!(control.action(Return::AUTH_ERR), Action::Die);
        assert_eq!(control.action(Return::USER_UNKNOWN), Action::Ignore);
        let (start, end) = control.jumps()[0];
        assert_eq!(control.text().get(start..end), Some("2"));
        let control = Control::parse("success=ok").unwrap();
        assert_eq!(control.action(Return::IGNORE), Action::Bad);
    }

    #[test]
    fn what_libpam_would_take_for_a_failure_is_an_error() {
        for text in [
            "mandatory",
            "success",
            "success=",
            "succes=ok",
            "success=0",
            "success=-1",
            "success=okdefault=bad",
            "success=1x",
            "success=99999999",
            "=ok",
            "Success=ok",
            "success=OK",
            "",
        ] {
            assert!(Control::parse(text).is_err(), "{text}");
        }
    }
}
