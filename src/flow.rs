//! The story of one login.

use pam_otp_core::answer::Answer;
use pam_otp_core::code::Digits;
use pam_otp_core::policy::arguments::{Arguments, Field};
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::policy::{Policy, WithoutRecord};
use pam_otp_core::remember::Remembered;
use pam_otp_core::source::Source;
use pam_otp_core::store::{Account, Record, Store, pretend};
use pam_otp_core::time::UnixTime;
use pam_otp_core::user::UserName;
use pam_otp_core::verify::{Accepted, Means, Rules, Verdict, fits};
use zeroize::Zeroizing;

use crate::event::Event;
use crate::host::Host;
use crate::outcome::{Denial, Outcome, Skip};

pub(crate) mod enrolment;
mod witness;

/// Decides one call of `pam_sm_authenticate`, and logs it.
///
/// `arguments` are those of the line in the stack; `clock` gives the time when
/// it is needed, which is after the user has typed.
pub(crate) fn authenticate(
    host: &mut impl Host,
    arguments: &[&[u8]],
    clock: impl Fn() -> UnixTime,
) -> Outcome {
    let mut user = None;
    let mut outcome = login(host, arguments, clock, &mut user).unwrap_or_else(Outcome::Denied);
    if host.starved() {
        outcome = Outcome::Denied(Denial::OutOfMemory);
    }
    host.log(&Event::of(&outcome, user.as_deref(), host));
    outcome
}

fn login(
    host: &mut impl Host,
    arguments: &[&[u8]],
    clock: impl Fn() -> UnixTime,
    user: &mut Option<String>,
) -> Result<Outcome, Denial> {
    // Who is it? The answer stands in the log, whatever follows.
    let name = user.insert(host.user()?);

    // What does the administrator ask for here? A mistake in the policy denies.
    let arguments = Arguments::parse(arguments.iter().copied())?;
    let policy = Policy::for_login(&arguments, &host.service())?;
    host.delay_failure(policy.fail_delay);

    let name = UserName::new(name)?;
    let mut login = Login {
        host,
        policy,
        arguments,
        name,
        record: None,
        remembered: None,
        required: false,
        clock,
    };
    if let Some(skip) = login.needs_no_code() {
        return login.skip(skip);
    }
    // Who has no record may be asked to make one, here and now.
    if login.is_first() {
        return login.first_login();
    }

    // The answer comes from where the line says; the record decides about it,
    // and what it decides is on disk before we hear of it.
    match login.arguments.field {
        Field::Own => login.own_field(),
        Field::Split => login.split(),
        Field::TryFirstPass => match login.first_pass()? {
            Some(outcome @ Outcome::Granted(_)) => Ok(outcome),
            _ => login.own_field(),
        },
        Field::UseFirstPass => match login.first_pass()? {
            Some(outcome) => Ok(outcome),
            None => login.decide(&Answer::Empty),
        },
    }
}

/// What one login has to go by.
struct Login<'h, H, C> {
    host: &'h mut H,
    policy: Policy,
    arguments: Arguments,
    name: UserName,
    /// The user's record, or why there is none to use. None until it is needed.
    record: Option<Result<Record, Denial>>,
    /// What is remembered of this source, once it was found.
    remembered: Option<Remembered>,
    /// Whether the policy says that this user needs a record in any case.
    required: bool,
    clock: C,
}

impl<H: Host, C: Fn() -> UnixTime> Login<'_, H, C> {
    /// Which words of the policy say that no code is needed here, if any do.
    fn needs_no_code(&mut self) -> Option<Skip> {
        let rhost = self.host.rhost();
        let standing = self
            .policy
            .exceptions
            .standing(&self.name, rhost.as_deref());
        // Before any record is looked for: who is exempt may have one or not.
        if let Standing::Exempt(exemption) = standing {
            return Some(Skip::Exempt(exemption));
        }
        if self.is_remembered() {
            return Some(Skip::Remembered);
        }
        self.required = standing == Standing::Required;
        // Only a user who is known to have no record.
        let without = self.policy.without_record(&standing, self.arguments.field);
        let allowed = without == WithoutRecord::NoCode;
        let unenrolled = allowed && matches!(self.record(), Err(Denial::Unenrolled));
        unenrolled.then_some(Skip::Unenrolled)
    }

    /// Whether a code was typed here lately. Whatever is wrong with the record is
    /// told after the question, as to all.
    fn is_remembered(&mut self) -> bool {
        // Nothing is looked up where nothing can be remembered.
        if self.policy.rules.remember == 0 {
            return false;
        }
        let (source, rules, now) = self.circumstances();
        if source.place().is_none() {
            return false;
        }
        let Ok(record) = self.record() else {
            // Nothing typed: a state is read, and not written.
            pretend(&Answer::Empty, &source, rules, now);
            return false;
        };
        let remembered = record.remembered(&source, rules, now).ok().flatten();
        self.remembered = remembered;
        self.remembered.is_some()
    }

    /// Looks the record up, once. Not before the answer is there, if the policy
    /// lets it be: until then, whoever has no record, or a broken one, is asked
    /// like everybody else, and how long that takes tells nothing.
    fn record(&mut self) -> &mut Result<Record, Denial> {
        let (policy, name) = (&self.policy, &self.name);
        self.record.get_or_insert_with(|| find_record(policy, name))
    }

    fn skip(&mut self, skip: Skip) -> Result<Outcome, Denial> {
        self.hand_on()?;
        Ok(Outcome::Skipped(skip))
    }

    /// Hands on a field without a code. The next module counts on the password
    /// that we would have asked for, unless an earlier one did.
    fn hand_on(&mut self) -> Result<(), Denial> {
        let forwards = self.arguments.forward_pass;
        let earlier = match self.arguments.field {
            Field::TryFirstPass if forwards => self.host.authtok()?,
            Field::UseFirstPass if forwards && self.remembered.is_some() => self.host.authtok()?,
            _ => None,
        };
        if let Some(field) = earlier {
            let password = self.password(&field);
            if password != &**field {
                self.host.set_authtok(password)?;
            }
        } else if self.asks_for_password() {
            let field = self.ask()?;
            let password = self.password(&field);
            self.host.set_authtok(password)?;
        }
        Ok(())
    }

    /// The password in the field of somebody who needs no code. Where a code was
    /// needed before, the application may send it again; to others, all of the
    /// field is the password.
    fn password<'f>(&self, field: &'f [u8]) -> &'f [u8] {
        match (&self.remembered, &self.record) {
            (Some(remembered), Some(Ok(record))) => remembered.password(record.tokens(), field),
            _ => field,
        }
    }

    /// A field of our own; or the code that an earlier line took off its field.
    fn own_field(&mut self) -> Result<Outcome, Denial> {
        if let Some(answer) = self.host.take_held() {
            return self.decide(&answer);
        }
        let reply = self.ask()?;
        if self.asks_for_password() {
            self.decide_field(&reply)
        } else {
            self.decide(&Answer::parse(&reply))
        }
    }

    /// One field for both: the password goes on to the next module, the code is
    /// held for a later line. So a wrong password does not use up a code.
    fn split(&mut self) -> Result<Outcome, Denial> {
        let field = self.ask()?;
        let (password, code) = self.part(&field);
        self.host.hold(code)?;
        self.host.set_authtok(password)?;
        Ok(Outcome::Held)
    }

    /// The field that an earlier module asked for, if there is a code in it.
    fn first_pass(&mut self) -> Result<Option<Outcome>, Denial> {
        let Some(field) = self.host.authtok()? else {
            return Ok(None);
        };
        let asks_next = self.arguments.field == Field::TryFirstPass;
        if asks_next && self.record().is_err() {
            // Nothing opens here. That is told after the question, as to all.
            let (_, code) = self.part(&field);
            self.pretend(&code);
            return Ok(None);
        }
        match self.decide_field(&field) {
            Err(Denial::Refused(_)) if asks_next => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Decides about a field that holds a password and a code.
    fn decide_field(&mut self, field: &[u8]) -> Result<Outcome, Denial> {
        let (password, code) = self.part(field);
        let outcome = self.decide(&code)?;
        if self.arguments.forward_pass {
            self.host.set_authtok(password)?;
        }
        Ok(outcome)
    }

    /// Decides about an answer: the only way to a success.
    fn decide(&mut self, answer: &Answer) -> Result<Outcome, Denial> {
        let (source, rules, now) = self.circumstances();
        let Ok(record) = self.record() else {
            self.pretend(answer);
            return Err(self.why_not());
        };
        match record.decide(answer, &source, rules, now)? {
            Verdict::Accepted(accepted) => Ok(self.welcome(accepted)),
            Verdict::Refused(refusal) => Err(Denial::Refused(refusal)),
        }
    }

    /// Takes as long as a decision about a record that is there.
    fn pretend(&mut self, answer: &Answer) {
        let (source, rules, now) = self.circumstances();
        pretend(answer, &source, rules, now);
    }

    fn circumstances(&self) -> (Source, Rules, UnixTime) {
        (source(self.host), self.policy.rules, (self.clock)())
    }

    fn welcome(&mut self, accepted: Accepted) -> Outcome {
        if let Means::Recovery { left } = accepted.means() {
            self.host
                .tell_later(format!("Recovery code used, {left} left."));
        }
        witness::mark(self.host, &self.arguments, &self.name);
        Outcome::Granted(accepted)
    }

    /// Takes out why there is no record to use.
    fn why_not(&mut self) -> Denial {
        match self.record.take() {
            Some(Err(denial)) => denial,
            Some(Ok(_)) | None => Denial::Unenrolled,
        }
    }

    fn ask(&mut self) -> Result<Zeroizing<Vec<u8>>, Denial> {
        let with_password = self.asks_for_password();
        let question = match &self.policy.prompt {
            Some(prompt) => prompt,
            None if with_password => "Password and one-time code: ",
            None => "One-time code: ",
        };
        Ok(self
            .host
            .ask(question, self.policy.echo && !with_password)?)
    }

    fn asks_for_password(&self) -> bool {
        match self.arguments.field {
            Field::Split => true,
            Field::Own | Field::TryFirstPass => self.arguments.forward_pass,
            Field::UseFirstPass => false,
        }
    }

    /// Parts password and code. How long codes are, the record says; where
    /// there is none, what most have. A scratch code without its hyphen is known
    /// only where it is looked at next.
    fn part<'f>(&mut self, field: &'f [u8]) -> (&'f [u8], Answer) {
        let (_, rules, now) = self.circumstances();
        // Which password goes on would tell those who know it whether they have
        // guessed a scratch code, and nobody would count the guesses.
        let splits = self.arguments.field == Field::Split;
        let Ok(record) = self.record() else {
            return Answer::split(field, &[Digits::DEFAULT], |_| false);
        };
        let tokens = record.tokens();
        let mut lengths: Vec<_> = tokens.tokens().iter().map(|token| token.digits).collect();
        lengths.dedup();
        if tokens.scratch().is_some() && !splits {
            lengths.extend(Digits::new(8));
        }
        Answer::split(field, &lengths, |code| fits(tokens, code, rules, now))
    }
}

/// Where the answer comes from: from the network, or from a user of this machine.
fn source(host: &impl Host) -> Source {
    if let Some(rhost) = host.rhost() {
        return Source::remote(&rhost);
    }
    let terminal = host.tty();
    let who = host.ruser().or_else(|| terminal.clone());
    let source = Source::local(&who.unwrap_or_default());
    let session = terminal.and_then(|terminal| Some((host.session(&terminal)?, terminal)));
    match session {
        Some((session, terminal)) => source.at(&session, &terminal),
        None => source,
    }
}

/// The record of the user of this name, under the policy's store.
fn find_record(policy: &Policy, name: &UserName) -> Result<Record, Denial> {
    let account = Account::resolve(name)?;
    let record = Store::new(policy).open(&account)?;
    record.ok_or(Denial::Unenrolled)
}

#[cfg(test)]
mod tests;
