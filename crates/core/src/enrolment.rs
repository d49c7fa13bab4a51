//! An enrolment in two steps: begun, which changes no login, and confirmed by a
//! code of the new token, which proves that the phone works.
//!
//! What was begun lies in `pending.toml` in the record's directory, in TOML like
//! the token file: `version`, `expires`, `replaces`, `first`, and one `[[token]]`.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::document::{self, Fault, Value};
use crate::source::Source;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::{MAX_FILE, Token, TokenError, TokenFile, TokenName, VERSION};
use crate::verify::{Kept, Refusal, Rules, Verdict, verify};

/// Seconds after which an enrolment that was begun can no longer be confirmed.
pub const LIFETIME: u64 = 30 * 60;

/// An enrolment that waits for its first code.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The token to be.
    pub token: Token,
    /// The token that it takes the place of, if it does.
    pub replaces: Option<TokenName>,
    /// Begun where there was no record. To be one token more of a record that
    /// came into being since, it would need a proof that nobody asked for.
    pub first: bool,
    /// From this second on it cannot be confirmed.
    pub expires: UnixTime,
}

impl Pending {
    /// Reads `pending.toml`.
    ///
    /// # Errors
    ///
    /// [`Fault`] names line and key; it shows no value.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        document::read(text, |top| {
            let version = top.require("version")?;
            if version.unsigned()? != VERSION {
                return Err(version.fault(format_args!(
                    "version {} is not known here; this program reads version {VERSION}",
                    version.unsigned()?
                )));
            }
            top.only(&["version", "expires", "replaces", "first", "token"])?;
            let expires = UnixTime(top.require("expires")?.unsigned()?);
            let replaces = top
                .get("replaces")
                .map(|entry| TokenName::new(entry.text()?).map_err(|error| entry.fault(error)));
            let replaces = replaces.transpose()?;
            let first = match top.get("first") {
                None => false,
                Some(entry) => match entry.value() {
                    Value::Boolean(first) => first,
                    _ => return Err(entry.fault("must be true or false")),
                },
            };
            let entry = top.require("token")?;
            let [table] = &entry.tables()?[..] else {
                return Err(entry.fault("must be one table"));
            };
            Ok(Self {
                token: Token::read(table)?,
                replaces,
                first,
                expires,
            })
        })
    }

    /// Writes `pending.toml`.
    #[must_use]
    pub fn to_toml(&self) -> Zeroizing<String> {
        // Room for all: a buffer that grows would leave copies of the secret.
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE));
        text.push_str("# pam-otp: an enrolment that waits for its first code.\n");
        let _ = writeln!(text, "version = {VERSION}\nexpires = {}", self.expires.0);
        if let Some(name) = &self.replaces {
            let _ = writeln!(text, "replaces = \"{name}\"");
        }
        if self.first {
            text.push_str("first = true\n");
        }
        self.token.write(&mut text);
        text
    }

    /// Whether its time is over. A clock that was set back does not bring it to
    /// life for longer than it ever had.
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        now >= self.expires || self.expires.0.saturating_sub(now.0) > LIFETIME
    }

    /// Tries a code of the new token.
    ///
    /// # Errors
    ///
    /// Why the code does not open. It is not counted: who tries has the secret.
    pub fn confirm(
        &self,
        answer: &Answer,
        rules: Rules,
        now: UnixTime,
    ) -> Result<Confirmed, Refusal> {
        // A recovery code proves nothing about the phone.
        if matches!(answer, Answer::Recovery(_)) {
            return Err(Refusal::Malformed);
        }
        let alone = TokenFile::new(vec![self.token.clone()], None).map_err(|_| Refusal::Wrong)?;
        let nobody = Source::local("");
        let mut spent = State::default();
        let decision = verify(&alone, &State::default(), answer, &nobody, rules, now);
        let verdict = decision.settle(|state, _| {
            spent = state;
            // Kept by whoever makes the token effective.
            Ok::<_, std::convert::Infallible>(Kept::InMemory)
        });
        match verdict {
            Ok(Verdict::Accepted(_)) => Ok(Confirmed {
                pending: self.clone(),
                spent,
            }),
            Ok(Verdict::Refused(refusal)) => Err(refusal),
            Err(never) => match never {},
        }
    }
}

/// Proof that somebody has the new token. Only [`Pending::confirm`] makes one.
#[derive(Clone, Debug)]
pub struct Confirmed {
    pending: Pending,
    spent: State,
}

impl Confirmed {
    /// The new token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.pending.token
    }

    /// The tokens with the new one among them.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn tokens(&self, before: &TokenFile) -> Result<TokenFile, TokenError> {
        let new = self.pending.token.clone();
        match &self.pending.replaces {
            Some(name) => before.replacing(name, new),
            None => before.with(new),
        }
    }

    /// The state with the code spent that confirmed.
    #[must_use]
    pub fn state(&self, before: &State) -> State {
        before.clone().adopt(&self.spent, self.pending.token.id())
    }
}
