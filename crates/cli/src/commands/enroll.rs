//! `pam-otp enroll`: begins an enrolment; a person confirms it in one go.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use pam_otp_core::code::{Algorithm, Digits, DigitsError, Secret};
use pam_otp_core::enrolment::{LIFETIME, Pending};
use pam_otp_core::label::{self, LabelText};
use pam_otp_core::store::{Record, StoreError};
use pam_otp_core::time::{Period, PeriodError, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenName};
use zeroize::Zeroizing;

use crate::commands::confirm::{confirm, find_record, forget};
use crate::commands::verify::prove;
use crate::error::Error;
use crate::interrupt::Interrupts;
use crate::person;
use crate::plain::plain;
use crate::present::{Label, host_name, picture, print_token};
use crate::qr::Wishes;
use crate::reply::Reply;
use crate::session::Session;
use crate::shown;

/// What kind of token to make, and what to call it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Name the new token, instead of "phone"
    #[arg(long, value_name = "NAME", value_parser = TokenName::new)]
    name: Option<TokenName>,

    /// Put the new token in the place of this one
    #[arg(long, value_name = "NAME", value_parser = TokenName::new)]
    replace: Option<TokenName>,

    /// What codes move with: time, or a counter
    #[arg(long = "type", value_name = "TYPE", default_value = "totp", value_parser = ["totp", "hotp"])]
    kind: String,

    /// The hash function; many apps know SHA1 alone
    #[arg(long, value_name = "NAME", default_value = "SHA1", ignore_case = true, value_parser = algorithms())]
    algorithm: Algorithm,

    /// How long codes are: 6, 7 or 8
    #[arg(long, value_name = "NUMBER", default_value = "6", value_parser = digits)]
    digits: Digits,

    /// For how many seconds a code is shown, 10 to 300, instead of 30; not for hotp
    #[arg(long, value_name = "SECONDS", value_parser = period)]
    period: Option<Period>,

    /// What the app shows as the issuer, instead of the host's name; no colon
    #[arg(long, value_name = "TEXT", value_parser = LabelText::new)]
    issuer: Option<LabelText>,

    /// What the app shows as the account, instead of the user's name; no colon
    #[arg(long, value_name = "TEXT", value_parser = LabelText::new)]
    account: Option<LabelText>,

    #[command(flatten)]
    picture: Wishes,
}

fn algorithms() -> impl clap::builder::TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::name))
        .map(|name| Algorithm::from_name(&name.to_ascii_uppercase()).unwrap_or(Algorithm::Sha1))
}

fn digits(text: &str) -> Result<Digits, DigitsError> {
    text.parse().map_err(|_| DigitsError).and_then(Digits::new)
}

fn period(text: &str) -> Result<Period, PeriodError> {
    text.parse().map_err(|_| PeriodError).and_then(Period::new)
}

/// Tries that a person has to type the first code.
const TRIES: usize = 3;

/// Makes a secret and shows it. With `--json` that is all: `confirm` does the
/// rest. Otherwise asks for a code of it, and confirms.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let mut record = record(session, options)?;
    let mut token = options.token()?;
    token.label = options.label(session, record.as_ref());
    let label = Label::of(&token, session.user());
    // What cannot be shown is told before a code is spent.
    let picture = picture(&token, &label)?;
    options.picture.check_files()?;
    if let Some(record) = &mut record {
        let new = options.place(record, token.clone());
        new.map_err(Error::Tokens)?;
        // Whoever finds the terminal open must not bring in a phone of theirs.
        if !session.administrator {
            session.guide("What you have already proves that it is you.")?;
            prove(session, record)?;
        }
    }
    let pending = Pending {
        token,
        replaces: options.replace.clone(),
        first: record.is_none(),
        expires: UnixTime(Session::now().0.saturating_add(LIFETIME)),
        login: None,
    };
    // Where a person is asked, they may give up; nothing stays of it then.
    let interrupts = session.interactive.then(Interrupts::hold).transpose()?;
    let written = options.picture.write_files(&picture)?;
    let mut reply = Reply::new();
    tell_earlier(session, &mut reply);
    let begun = begin(session, options, &pending, &label, interrupts.as_ref(), reply);
    if begun.is_err() {
        written.take_back();
    }
    begun
}

/// One that waits still is confirmed no more: whoever has begun it should know.
fn tell_earlier(session: &Session, reply: &mut Reply) {
    let now = Session::now();
    let earlier = session.pending().ok().flatten();
    let Some(earlier) = earlier.filter(|earlier| !earlier.is_over(now)) else {
        return;
    };
    let warning = format!(
        "an enrolment of \"{}\" was begun and not confirmed; this one takes its place",
        earlier.token.name
    );
    if session.json {
        reply.warn(warning);
    } else {
        person::warn(&plain(warning));
    }
}

/// Notes what was begun, and shows it.
fn begin(
    session: &Session,
    options: &Options,
    pending: &Pending,
    label: &Label,
    interrupts: Option<&Interrupts>,
    mut reply: Reply,
) -> Result<Reply, Error> {
    if session.json {
        let token = shown::secret(&pending.token, label, &options.picture)?;
        reply.field("token", token);
        reply.field("replaces", options.replace.as_ref().map(ToString::to_string));
        reply.field("expires", pending.expires.0);
        session.store.begin(&session.account, pending)?;
        return Ok(reply);
    }
    session.store.begin(&session.account, pending)?;
    let confirmed = in_one_go(session, pending, label, interrupts, &options.picture);
    if confirmed.is_err() {
        // Nobody comes back for it. One that stays does no harm.
        let _ = forget(session, pending);
    }
    confirmed
}

/// The user's record, if there is one and the options say what becomes of it.
fn record(session: &Session, options: &Options) -> Result<Option<Record>, Error> {
    match find_record(session)? {
        None if options.replace.is_some() => Err(Error::NotEnrolled(session.user().to_owned())),
        // Before a code is spent: nothing can be added to such a file.
        Some(record) if record.foreign().is_some() => {
            Err(StoreError::Foreign(record.path().to_owned()).into())
        }
        Some(record) if options.name.is_none() && options.replace.is_none() => {
            Err(StoreError::Enrolled(record.path().to_owned()).into())
        }
        record => Ok(record),
    }
}

impl Options {
    /// A new token as it was asked for.
    fn token(&self) -> Result<Token, Error> {
        let kind = match (self.kind.as_str(), self.period) {
            ("hotp", None) => Kind::Hotp { counter: 0 },
            ("hotp", Some(_)) => {
                return Err(Error::Usage("a token of type hotp has no period".into()));
            }
            (_, period) => Kind::Totp {
                period: period.unwrap_or(Period::DEFAULT),
            },
        };
        let name = match self.name.as_ref().or(self.replace.as_ref()) {
            Some(name) => name.clone(),
            None => TokenName::new("phone").map_err(|error| Error::Usage(error.to_string()))?,
        };
        let mut bytes = Zeroizing::new([0; Secret::NEW]);
        getrandom::fill(&mut *bytes)?;
        Ok(Token {
            name,
            label: label::Label::default(),
            kind,
            secret: Secret::new(&*bytes).map_err(|error| Error::Usage(error.to_string()))?,
            algorithm: self.algorithm,
            digits: self.digits,
            added: None,
        })
    }

    /// Whether the record has room for it.
    fn place(
        &self,
        record: &Record,
        token: Token,
    ) -> Result<(), pam_otp_core::token::TokenError> {
        let tokens = record.tokens();
        match &self.replace {
            Some(name) => tokens.replacing(name, token),
            None => tokens.with(token),
        }
        .map(drop)
    }

    /// What the app shows: what was asked for, or as of the token whose place it
    /// takes, or host and user. All is kept: the host may get another name.
    fn label(&self, session: &Session, record: Option<&Record>) -> label::Label {
        let asked = label::Label {
            issuer: self.issuer.clone(),
            account: self.account.clone(),
        };
        let mut tokens = record.iter().flat_map(|record| record.tokens().tokens());
        let replaced = tokens.find(|token| Some(&token.name) == self.replace.as_ref());
        let replaced = replaced.map(|token| token.label.clone());
        let ours = label::Label::of(Some(&host_name()), session.user());
        asked.or(replaced.unwrap_or_default()).or(ours)
    }
}

/// Shows the new token, and asks for a code of it.
fn in_one_go(
    session: &Session,
    pending: &Pending,
    label: &Label,
    interrupts: Option<&Interrupts>,
    wishes: &Wishes,
) -> Result<Reply, Error> {
    session.guide(&format!("Two-factor login for {}.", plain(session.user())))?;
    session
        .guide("Scan the QR code with an authenticator app, or type account and key into it.\n")?;
    print_token(&pending.token, label, wishes).map_err(|error| match error {
        // Whoever does not see key and QR code cannot go on.
        Error::Io(error) if pending.first => Error::NotShown(error),
        error => error,
    })?;
    session.guide("Then type the code that the app shows.")?;
    for tries_left in (0..TRIES).rev() {
        let answer = session.ask_code_unless("Code: ", interrupts)?;
        match confirm(session, &answer) {
            Err(Error::Mismatch(mismatch)) => person::tell(&mismatch.sentences()),
            Err(Error::TokenRefused(_) | Error::NoPhone) => person::tell(&no_code(&pending.token)),
            other => return other,
        }
        if is_overtaken(session, pending)? {
            return Err(Error::Overtaken);
        }
        if tries_left > 0 {
            person::tell("Try the one that it shows next.");
        }
    }
    Err(Error::NotConfirmed)
}

/// Whether somebody has begun another enrolment since.
fn is_overtaken(session: &Session, pending: &Pending) -> Result<bool, Error> {
    let there = session.pending()?;
    Ok(there.is_some_and(|there| there.token.id() != pending.token.id()))
}

/// An answer that is no code at all. A recovery code proves nothing about the
/// phone.
fn no_code(token: &Token) -> String {
    let digits = token.digits.count();
    format!("That is no code of the app's: it shows {digits} digits.")
}
