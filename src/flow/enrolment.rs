//! A first login: the login itself enrols its user.
//!
//! A module cannot ask libpam whether the password was right. So what is confirmed
//! here changes no login yet: it waits on disk, and [`take_effect`] is called once
//! the whole stack has agreed.

use pam_otp_core::answer::Answer;
use pam_otp_core::code::{Algorithm, Digits, Secret};
use pam_otp_core::enrolment::{Confirmed, LIFETIME, Pending, Ticket};
use pam_otp_core::label::Label;
use pam_otp_core::policy::Policy;
use pam_otp_core::policy::arguments::{Arguments, Field};
use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::store::{Account, Store, StoreError};
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::token::{Kind, Token, TokenName};
use pam_otp_core::uri::otpauth;
use pam_otp_core::user::UserName;
use pam_otp_core::verify::Refusal;
use pam_otp_qr::{Background, Picture};
use zeroize::Zeroizing;

use super::{Login, source, witness};
use crate::event::Event;
use crate::host::Host;
use crate::outcome::{Denial, Outcome, Skip};

/// Codes that a user may type to confirm.
const TRIES: usize = 3;

impl<H: Host, C: Fn() -> UnixTime> Login<'_, H, C> {
    /// Whether this login must enrol its user first.
    pub(super) fn is_first(&mut self) -> bool {
        self.policy.enrols(self.arguments.field)
            && (matches!(self.record(), Err(Denial::Unenrolled)) || self.was_cut_off())
    }

    /// Whether a first login was killed while it made the record, so that there
    /// is none: what it has left would keep the user out for good.
    fn was_cut_off(&mut self) -> bool {
        if !matches!(self.record(), Err(Denial::Store(StoreError::NoToken(_)))) {
            return false;
        }
        let account = Account::resolve(&self.name).ok();
        let store = Store::new(&self.policy);
        let cleared = account.is_some_and(|it| matches!(store.clear_cut_off(&it), Ok(true)));
        if cleared {
            self.record = None;
        }
        cleared && matches!(self.record(), Err(Denial::Unenrolled))
    }

    /// Enrols the user, or puts it off. Nothing is effective yet.
    pub(super) fn first_login(&mut self) -> Result<Outcome, Denial> {
        // Whatever was typed or held so far has no code in it.
        self.hand_on()?;
        if self.arguments.field == Field::Split {
            self.host.hold(Answer::Empty)?;
            return Ok(Outcome::Held);
        }
        drop(self.host.take_held());

        let days = self.days_left();
        if days > 0 && !self.wants_to_enrol(days)? {
            return Ok(Outcome::Skipped(Skip::Postponed { days }));
        }
        let pending = self.begin()?;
        self.show_token(&pending.token)?;
        let confirmed = self.confirm(&pending)?;
        self.still_first()?;

        let mut entropy = Zeroizing::new([0; RecoverySet::ENTROPY]);
        self.host.random(&mut *entropy)?;
        let (recovery, codes) = RecoverySet::generate(&entropy);
        let mut random = Zeroizing::new([0; Ticket::BYTES]);
        self.host.random(&mut *random)?;
        let ticket = Ticket::new(*random);
        let waiting = confirmed.waiting(recovery, &ticket, (self.clock)());

        // On disk before the recovery codes are shown: a disk that takes nothing
        // is not to cost anybody the writing down of ten codes.
        let account = Account::resolve(&self.name)?;
        let store = Store::new(&self.policy);
        store.begin(&account, &waiting)?;
        let mark = Zeroizing::new(format!("{}:{}", *ticket.to_text(), self.name));
        let shown = self.show_recovery_codes(&codes);
        let marked = shown.and_then(|()| Ok(self.host.mark(&mark)?));
        if let Err(denial) = marked {
            // Nobody comes back for it. One that stays does no harm.
            let _ = store.forget_pending(&account);
            return Err(denial);
        }
        Ok(Outcome::Confirmed(Box::new(confirmed)))
    }

    /// Until the policy's day; none if there is no such day, or it has come. Who
    /// is required to have a record has a day of their own, or none.
    fn days_left(&self) -> u64 {
        let by = self.policy.put_off_until(self.required);
        by.and_then(|by| by.days_until((self.clock)())).unwrap_or(0)
    }

    fn wants_to_enrol(&mut self, days: u64) -> Result<bool, Denial> {
        let plural = if days == 1 { "" } else { "s" };
        let question = format!(
            "One-time codes are needed here in {days} day{plural}. Set them up now? [y/N] "
        );
        let reply = self.host.ask(&question, true)?;
        let reply = reply.trim_ascii();
        Ok([&b"y"[..], b"yes"]
            .iter()
            .any(|yes| reply.eq_ignore_ascii_case(yes)))
    }

    /// A new token, as most apps know them.
    fn begin(&mut self) -> Result<Pending, Denial> {
        let mut bytes = Zeroizing::new([0; Secret::NEW]);
        self.host.random(&mut *bytes)?;
        // Neither can fail with these constants.
        let secret = Secret::new(&*bytes).map_err(|_| Denial::Panic)?;
        let name = TokenName::new("phone").map_err(|_| Denial::Panic)?;
        Ok(Pending {
            token: Token {
                name,
                // The host may get another name; the app's entry does not.
                label: Label::of(Some(&self.issuer()), self.name.as_str()),
                kind: Kind::Totp {
                    period: Period::DEFAULT,
                },
                secret,
                algorithm: Algorithm::Sha1,
                digits: Digits::DEFAULT,
                added: None,
            },
            replaces: None,
            first: true,
            expires: UnixTime((self.clock)().0.saturating_add(LIFETIME)),
            login: None,
        })
    }

    /// The host's name.
    fn issuer(&self) -> String {
        let name = Some(self.host.host_name()).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| "pam-otp".to_owned())
    }

    fn show_token(&mut self, token: &Token) -> Result<(), Denial> {
        let issuer = self.issuer();
        let account = self.name.to_string();
        let uri = otpauth(token, &issuer, &account);
        self.tell(&format!(
            "From now on {account} needs one-time codes to log in here.\n\
             Scan the QR code with an authenticator app, or type account and key into it.\n"
        ))?;
        // No name that is long keeps anybody out: the key can be typed.
        if let Ok(picture) = Picture::new(&uri) {
            self.tell(&picture.utf8(Background::Dark))?;
        }
        self.tell(&format!("\nAccount: {account}\nIssuer:  {issuer}"))?;
        let key = token.secret.to_groups();
        self.tell(&Zeroizing::new(format!("Key:     {}", *key)))?;
        self.tell(&Zeroizing::new(format!("URI:     {}\n", *uri)))
    }

    /// Asks for a code of the new token. Whoever has none learns nothing: the
    /// secret was shown.
    fn confirm(&mut self, pending: &Pending) -> Result<Confirmed, Denial> {
        for tries_left in (0..TRIES).rev() {
            let echo = self.policy.echo;
            let reply = self.host.ask("Code that the app shows: ", echo)?;
            let now = (self.clock)();
            match pending.confirm(&Answer::parse(&reply), self.policy.rules, now) {
                Ok(confirmed) => return Ok(confirmed),
                Err(_) if tries_left == 0 => {}
                Err(Refusal::OtherTime { .. }) => self.tell(
                    "That code is of another time: the clock of the phone or of this machine \
                     is wrong. Try the code that it shows next.",
                )?,
                Err(_) => {
                    self.tell("That code does not match. Try the one that the app shows next.")?;
                }
            }
        }
        Err(Denial::NotConfirmed)
    }

    /// A record that was made while the user typed counts. sudo would not mind
    /// that the enrolment fails at the end.
    fn still_first(&mut self) -> Result<(), Denial> {
        self.record = None;
        match self.record() {
            Err(Denial::Unenrolled) => Ok(()),
            Ok(record) => Err(StoreError::Enrolled(record.path().to_owned()).into()),
            Err(_) => Err(self.why_not()),
        }
    }

    fn show_recovery_codes(&mut self, codes: &[RecoveryCode]) -> Result<(), Denial> {
        self.tell(
            "The code is right.\n\nRecovery codes, each good for one login without the app:",
        )?;
        for code in codes {
            self.tell(&code.to_text())?;
        }
        self.tell("Keep them in a safe place; they are not shown again.\n")?;
        self.host.ask("Press Enter when you have them. ", true)?;
        Ok(())
    }

    fn tell(&mut self, text: &str) -> Result<(), Denial> {
        self.host.tell(text).map_err(|_| Denial::NotShown)
    }
}

/// Makes effective what a login has confirmed, once its whole stack has agreed,
/// and logs it. `None` if this login has confirmed nothing.
///
/// The mark says who it was: sudo has named the target by now.
pub(crate) fn take_effect(
    host: &mut impl Host,
    arguments: &[&[u8]],
    clock: impl Fn() -> UnixTime,
) -> Option<Outcome> {
    let arguments = Arguments::parse(arguments.iter().copied()).map_err(Denial::from);
    // That line has confirmed nothing; the one that has follows.
    if matches!(&arguments, Ok(arguments) if arguments.field == Field::Split) {
        return None;
    }
    let mark = host.take_mark()?;
    let (ticket, name) = mark.split_once(':').unwrap_or_default();
    if witness::is_ticket(ticket) {
        if let Ok(arguments) = &arguments {
            witness::bear(arguments, name);
        }
        return None;
    }
    let outcome = arguments
        .and_then(|arguments| {
            enrol(host, &arguments, ticket, name, clock())?;
            witness::bear(&arguments, name);
            Ok(())
        })
        .map_or_else(Outcome::NotEnrolled, |()| Outcome::Enrolled);
    host.log(&Event::of(&outcome, Some(name), host));
    Some(outcome)
}

fn enrol(
    host: &impl Host,
    arguments: &Arguments,
    ticket: &str,
    name: &str,
    now: UnixTime,
) -> Result<(), Denial> {
    let policy = Policy::for_login(arguments, &host.service())?;
    let account = Account::resolve(&UserName::new(name)?)?;
    let store = Store::new(&policy);
    let ticket = Ticket::parse(ticket).ok_or(Denial::NotThere)?;
    let pending = store.pending(&account)?.ok_or(Denial::NotThere)?;
    let (tokens, state) = pending.redeem(&ticket, now).map_err(|_| Denial::NotThere)?;
    // Whoever enrols from here is no stranger at the next login, and is remembered
    // as after any other code.
    let source = source(host);
    let state = state.succeeded(source.id(&tokens), now);
    let state = match source.place().filter(|_| policy.rules.remember > 0) {
        Some(place) => state.remembering(place.id(&tokens), now),
        None => state,
    };
    Ok(store.enrol(&account, &tokens, &state)?)
}
