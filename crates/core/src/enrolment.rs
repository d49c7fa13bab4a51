//! An enrolment in two steps: begun, which changes no login, and confirmed by a
//! code of the new token, which proves that the phone works.
//!
//! What was begun lies in `pending.toml` in the record's directory, in TOML like
//! the token file: `version`, `expires`, `replaces`, `first`, and one `[[token]]`.
//!
//! A login that enrols confirms before all of its stack has agreed. What it has
//! confirmed waits there too, with a table `[confirmed]`, for whoever has the
//! [`Ticket`]: the same login, once it has succeeded.

use std::fmt::{self, Write as _};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::answer::Answer;
use crate::document::{self, Entries, Fault, Value};
use crate::recovery::RecoverySet;
use crate::source::Source;
use crate::state::State;
use crate::time::UnixTime;
use crate::token::{
    MAX_FILE, Token, TokenError, TokenFile, TokenName, VERSION, read_recovery, write_recovery,
};
use crate::verify::{Kept, Refusal, Rules, Verdict, verify};

/// Seconds after which an enrolment that was begun can no longer be confirmed.
pub const LIFETIME: u64 = 30 * 60;

/// Seconds after which a login can no longer make effective what it confirmed.
pub const LOGIN_LIFETIME: u64 = 10 * 60;

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
    /// Set if a login has confirmed it: then nothing else can.
    pub login: Option<LoginPart>,
}

/// What a login adds that has confirmed its enrolment.
#[derive(Clone, Debug)]
pub struct LoginPart {
    ticket: TicketHash,
    recovery: RecoverySet,
    /// With the code spent that confirmed.
    spent: State,
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
            top.only(&[
                "version",
                "expires",
                "replaces",
                "first",
                "token",
                "confirmed",
            ])?;
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
            let token = Token::read(table)?;
            let login = top
                .get("confirmed")
                .map(|entry| LoginPart::read(&entry.table()?, &token));
            Ok(Self {
                login: login.transpose()?,
                token,
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
        if let Some(login) = &self.login {
            login.write(&self.token, &mut text);
        }
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
        // A recovery code proves nothing about the phone. What a login has
        // confirmed is that login's.
        if matches!(answer, Answer::Recovery(_)) || self.login.is_some() {
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
            Ok(Verdict::Accepted(_)) => {
                let mut pending = self.clone();
                pending.token.added = Some(now);
                Ok(Confirmed { pending, spent })
            }
            Ok(Verdict::Refused(refusal)) => Err(refusal),
            Err(never) => match never {},
        }
    }
}

impl Pending {
    /// The record to be, for the login that has confirmed it: its tokens, and
    /// the state with the code spent.
    ///
    /// # Errors
    ///
    /// [`NotThis`] if this is not what that login has confirmed, or no longer.
    pub fn redeem(&self, ticket: &Ticket, now: UnixTime) -> Result<(TokenFile, State), NotThis> {
        let login = self.login.as_ref().ok_or(NotThis)?;
        let ours = bool::from(login.ticket.0.ct_eq(&ticket.hash().0));
        if !ours || self.is_over(now) {
            return Err(NotThis);
        }
        let tokens = vec![self.token.clone()];
        let tokens = TokenFile::new(tokens, Some(login.recovery.clone())).map_err(|_| NotThis)?;
        Ok((tokens, login.spent.clone()))
    }
}

/// What lies there is not what the login has confirmed, or its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThis;

impl LoginPart {
    fn read(entries: &Entries<'_, '_>, token: &Token) -> Result<Self, Fault> {
        entries.only(&["ticket", "next", "drift", "recovery"])?;
        let ticket = entries.require("ticket")?;
        let ticket = TicketHash::from_hex(ticket.text()?)
            .ok_or_else(|| ticket.fault("must be 64 lower-case hexadecimal digits"))?;
        let next = entries.require("next")?;
        // The code that confirmed is spent, so this is not the first one.
        let spent = next.unsigned()?.checked_sub(1);
        let spent = spent.and_then(|spent| State::default().spend(token.id(), spent));
        let spent = spent.ok_or_else(|| next.fault("must be from 1 on"))?;
        let drift = entries.require("drift")?;
        let drift = drift.integer()?;
        let recovery = read_recovery(&entries.require("recovery")?.table()?)?;
        Ok(Self {
            ticket,
            recovery,
            spent: spent.follow(token.id(), drift.into()),
        })
    }

    fn write(&self, token: &Token, text: &mut String) {
        let _ = writeln!(text, "\n[confirmed]\nticket = \"{}\"", self.ticket.hex());
        let _ = writeln!(text, "next = {}", self.spent.next(token.id()));
        let _ = writeln!(text, "drift = {}", self.spent.drift(token.id()));
        write_recovery(&self.recovery, "confirmed.recovery", text);
    }
}

/// A random word that only one login knows.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Ticket([u8; Ticket::BYTES]);

impl Ticket {
    /// Bytes of randomness in one.
    pub const BYTES: usize = 32;

    /// Makes one out of random bytes.
    #[must_use]
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(random)
    }

    /// Reads what [`Ticket::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).ok()?);
        Some(Self(bytes.as_slice().try_into().ok()?))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&self.0))
    }

    fn hash(&self) -> TicketHash {
        TicketHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(hidden)")
    }
}

/// What a file may know of a ticket. A plain hash: nobody guesses 32 bytes.
#[derive(Clone, Debug)]
struct TicketHash([u8; 32]);

impl TicketHash {
    fn from_hex(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
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

    /// The same, waiting until the login that confirmed it has succeeded.
    #[must_use]
    pub fn waiting(&self, recovery: RecoverySet, ticket: &Ticket, now: UnixTime) -> Pending {
        Pending {
            expires: UnixTime(now.0.saturating_add(LOGIN_LIFETIME)),
            login: Some(LoginPart {
                ticket: ticket.hash(),
                recovery,
                spent: self.state(&State::default()),
            }),
            ..self.pending.clone()
        }
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
