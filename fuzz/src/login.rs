//! One PAM transaction, played by the bytes of an input.
//!
//! Each byte is an event; those that mean nothing are passed over. Before the
//! first `:` they set the scene ([`Play::set_scene`]); then they are lines of
//! the stack, a `:` after each line's arguments ([`Play::line`]). Whenever the
//! flow asks its host for something, the next byte says what it gets
//! ([`Player::ask`]). So an input reads like a play: `aN:f:p` is alice, under
//! `unenrolled = "allow"`, at a line with `forward_pass`, which she answers with
//! her password and code.
//!
//! What must hold, whatever happens: a success needs a right and unused code
//! from somebody who has a record, and spends it; an ignore needs the policy's
//! words, or a split line; all else denies, and spends nothing; each call logs
//! one line, and nothing that was typed is in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use pam_otp_core::answer::Answer;
use pam_otp_core::state::State;
use pam_otp_core::time::{Period, UnixTime};
use pam_otp_core::verify::Means;
use zeroize::Zeroizing;

use crate::event::Event;
use crate::flow::authenticate;
use crate::host::{Host, HostError};
use crate::outcome::Outcome;
use crate::world::{SECRET, World};

thread_local! {
    static WORLD: World = World::new();
}

const PASSWORD: &str = "hunter2";

/// Plays an input.
///
/// # Panics
///
/// If something happens that must not: that is a finding.
pub fn login(input: &[u8]) {
    WORLD.with(|world| {
        let mut play = Play {
            world,
            player: Player::new(world, input),
            allows: false,
        };
        play.set_scene();
        // No stack has more lines; an input that goes on tells no more.
        for _ in 0..8 {
            if play.player.events.borrow().as_slice().is_empty() {
                break;
            }
            play.line();
        }
    });
}

struct Play<'w> {
    world: &'w World,
    player: Player<'w>,
    /// Whether the policy file allows users without a record.
    allows: bool,
}

impl Play<'_> {
    fn set_scene(&mut self) {
        let mut rules = String::new();
        let mut faults = Vec::new();
        while let Some(event) = self.player.next() {
            match event {
                b':' => break,
                b'a' => self.player.user = Ok("alice".to_owned()),
                b'b' => self.player.user = Ok("bob".to_owned()),
                b'!' => self.player.user = Err(HostError::NoUser),
                b'"' => {
                    let name = self.player.quoted();
                    self.player.user = Ok(String::from_utf8_lossy(&name).into_owned());
                }
                b'N' if !self.allows => {
                    self.allows = true;
                    rules.push_str("unenrolled = \"allow\"\n");
                }
                b'Z' => rules.push_str("nonsense = 1\n"),
                // What an earlier module asked for.
                b'P' => *self.player.authtok.get_mut() = Some(PASSWORD.into()),
                b'C' => {
                    let field = self.player.typed(b'p');
                    *self.player.authtok.get_mut() = Some(field);
                }
                b'0'..=b'9' => faults.push(event),
                _ => {}
            }
        }
        self.world.reset(&rules);
        for fault in faults {
            self.world.damage(fault);
        }
    }

    /// One line of the stack: its arguments, a `:`, and the call.
    fn line(&mut self) {
        let arguments = self.arguments();
        let allows = arguments
            .iter()
            .fold(self.allows, |allows, argument| match &**argument {
                "nullok" | "unenrolled=allow" => true,
                "unenrolled=deny" => false,
                _ => allows,
            });
        let bytes: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
        let before = self.world.state();
        let may_skip = allows && !self.is_enrolled();
        self.player.undisturbed = true;
        self.player.log.clear();

        let clock = Rc::clone(&self.player.now);
        let outcome = authenticate(&mut self.player, &bytes, || UnixTime(clock.get()));

        let code = format!("{:?}", outcome.pam_code());
        match &outcome {
            Outcome::Granted(accepted) => {
                assert_eq!(code, "PAM_SUCCESS");
                self.player.check_granted(accepted.means(), before.as_ref());
            }
            Outcome::Skipped(_) => {
                assert_eq!(code, "PAM_IGNORE");
                assert!(may_skip, "skipped against the policy, or with a record");
            }
            Outcome::Held => {
                assert_eq!(code, "PAM_IGNORE");
                assert!(bytes.contains(&&b"split"[..]), "held without a split line");
            }
            Outcome::Confirmed(_) | Outcome::Enrolled | Outcome::NotEnrolled(_) => {
                panic!("enrolled, by no policy that says so")
            }
            Outcome::Denied(_) => assert!(!["PAM_SUCCESS", "PAM_IGNORE"].contains(&&*code)),
        }
        if !matches!(outcome, Outcome::Granted(_)) && self.player.undisturbed {
            let spent = |state: Option<State>| state.map(|state| self.world.used(&state));
            // A record without a state may get an empty one.
            let (before, after) = (spent(before), spent(self.world.state()));
            assert!(
                before == after || before.is_none(),
                "spent by a login that was not let in"
            );
        }
        self.player.check_log(&arguments);
    }

    fn arguments(&mut self) -> Vec<String> {
        let mut arguments = vec![format!("policy={}", self.world.policy_file().display())];
        while let Some(event) = self.player.next() {
            let argument = match event {
                b':' => break,
                b's' => "split",
                b't' => "try_first_pass",
                b'u' => "use_first_pass",
                b'f' => "forward_pass",
                b'n' => "nullok",
                b'd' => "unenrolled=deny",
                b'e' => "echo_verification_code",
                b'w' => "window=2",
                b'v' => "window=0",
                b'z' => "nonsense",
                b'"' => {
                    let text = String::from_utf8_lossy(&self.player.quoted()).into_owned();
                    // Another policy or store would be another world; a wider
                    // window, an exception and a memory other rules.
                    let ours = [
                        "policy", "store", "system_store", "window", "exempt", "require",
                        "remember",
                    ];
                    if !ours.iter().any(|name| text.starts_with(name)) {
                        arguments.push(text);
                    }
                    continue;
                }
                _ => continue,
            };
            arguments.push(argument.to_owned());
        }
        arguments
    }

    /// Whether there is anything that could be a record: then "not enrolled"
    /// would be a lie, whatever is wrong with it.
    fn is_enrolled(&self) -> bool {
        let is_there = self.world.has_token_file() || !self.world.records().is_dir();
        self.player.user.as_deref() == Ok("alice") && is_there
    }
}

/// The application, its user, and what happens in the meantime.
struct Player<'w> {
    world: &'w World,
    events: RefCell<std::slice::Iter<'w, u8>>,
    now: Rc<Cell<u64>>,
    user: Result<String, HostError>,
    authtok: RefCell<Option<Vec<u8>>>,
    held: Option<Answer>,
    /// All that was typed in this transaction.
    answers: RefCell<Vec<Vec<u8>>>,
    /// What no log and no message may show.
    discreet: RefCell<Vec<String>>,
    log: Vec<String>,
    /// Nobody else changed the record during this call.
    undisturbed: bool,
}

impl<'w> Player<'w> {
    fn new(world: &'w World, events: &'w [u8]) -> Self {
        Self {
            world,
            events: RefCell::new(events.iter()),
            now: Rc::new(Cell::new(1_000 * 30)),
            user: Ok("alice".to_owned()),
            authtok: RefCell::default(),
            held: None,
            answers: RefCell::default(),
            discreet: RefCell::new(vec![SECRET.to_owned()]),
            log: Vec::new(),
            undisturbed: true,
        }
    }

    fn next(&self) -> Option<u8> {
        self.events.borrow_mut().next().copied()
    }

    /// All up to the next quote.
    fn quoted(&self) -> Vec<u8> {
        let mut events = self.events.borrow_mut();
        let quoted = events.by_ref().take_while(|event| **event != b'"');
        quoted.copied().collect()
    }

    /// Whether the next event is that a part of libpam fails.
    fn fails(&self) -> Result<(), HostError> {
        let fails = self.events.borrow().as_slice().first() == Some(&b'E');
        if fails {
            self.next();
            return Err(HostError::Libpam);
        }
        Ok(())
    }

    /// What is typed at this event.
    fn typed(&self, event: u8) -> Vec<u8> {
        let step = Period::DEFAULT.step_at(UnixTime(self.now.get()));
        let recovery = || {
            let number = usize::from(self.next().unwrap_or(0)) % self.world.recovery.len();
            self.world.recovery[number].to_text().to_string()
        };
        let (password, code) = match event {
            b'c' => ("", self.world.code(step)),
            b'+' => ("", self.world.code(step + 1)),
            b'-' => ("", self.world.code(step - 1)),
            b'w' => ("", self.world.wrong.clone()),
            b'r' => ("", recovery()),
            b'p' => (PASSWORD, self.world.code(step)),
            b'q' => (PASSWORD, self.world.code(step + 1)),
            b'W' => (PASSWORD, self.world.wrong.clone()),
            b'R' => (PASSWORD, recovery()),
            b'h' => (PASSWORD, String::new()),
            b'"' => return self.keep(self.quoted()),
            other => return self.keep(vec![other]),
        };
        let secrets = [password.to_owned(), code.clone()];
        let secrets = secrets.into_iter().filter(|text| !text.is_empty());
        self.discreet.borrow_mut().extend(secrets);
        self.keep(format!("{password}{code}").into_bytes())
    }

    fn keep(&self, answer: Vec<u8>) -> Vec<u8> {
        self.answers.borrow_mut().push(answer.clone());
        answer
    }

    /// Another login of alice's, from start to end.
    fn another_login(&mut self) {
        self.undisturbed = false;
        let mut other = Player::new(self.world, b"c");
        other.now = Rc::clone(&self.now);
        let before = self.world.state();
        let policy = format!("policy={}", self.world.policy_file().display());
        let now = UnixTime(self.now.get());
        if let Outcome::Granted(accepted) = authenticate(&mut other, &[policy.as_bytes()], || now) {
            other.check_granted(accepted.means(), before.as_ref());
        }
    }

    /// It was right, it was typed, it was unused, and it is spent now.
    fn check_granted(&self, means: &Means, before: Option<&State>) {
        assert_eq!(self.user.as_deref(), Ok("alice"), "only alice has a record");
        let state = self.world.state().expect("a state, as a code was spent");
        let id = self.world.token.id();
        let none = State::default();
        let before = before.unwrap_or(&none);
        match means {
            Means::Token(_) => {
                let step = state.next(id) - 1;
                assert!(
                    step >= before.next(id) || !self.undisturbed,
                    "a used code opened"
                );
                assert!(
                    self.was_typed(&self.world.code(step)),
                    "nobody typed this code"
                );
                let now = Period::DEFAULT.step_at(UnixTime(self.now.get()));
                assert!(step.abs_diff(now) <= 4, "{step} at {now}");
            }
            Means::Recovery { left } => {
                let (before, after) = (self.world.used(before), self.world.used(&state));
                let codes = &self.world.recovery;
                let spent = (0..codes.len()).filter(|number| after.1[*number]);
                assert_eq!(codes.len() - spent.clone().count(), *left);
                let new = spent.into_iter().find(|number| {
                    let typed = self.was_typed(&codes[*number].to_text());
                    typed && (!before.1[*number] || !self.undisturbed)
                });
                assert!(new.is_some(), "no unused recovery code was typed");
            }
            #[allow(unreachable_patterns, reason = "other means may come")]
            other => panic!("means that this target does not know: {other:?}"),
        }
    }

    /// Whether an answer has this code in it, spaces and hyphens aside.
    fn was_typed(&self, code: &str) -> bool {
        let bare = |text: &[u8]| -> Vec<u8> {
            let kept = text.iter().filter(|byte| !b" \t-".contains(byte));
            kept.map(u8::to_ascii_lowercase).map(crockford).collect()
        };
        let code = bare(code.as_bytes());
        let answers = self.answers.borrow();
        answers
            .iter()
            .any(|answer| bare(answer).windows(code.len()).any(|part| part == code))
    }

    fn check_log(&self, arguments: &[String]) {
        let [line] = &self.log[..] else {
            panic!("not one line: {:?}", self.log)
        };
        let fine = |c: char| (' '..='~').contains(&c) || c.is_alphanumeric();
        assert!(line.chars().all(fine), "{line:?}");
        let user = self.user.as_deref().unwrap_or_default();
        self.check_discreet(line, |typed| {
            user.contains(typed) || arguments.iter().any(|argument| argument.contains(typed))
        });
        let pairs = ["outcome=", " reason=", " user=", " service=", " rhost="];
        assert!(pairs.iter().all(|pair| line.contains(pair)), "{line}");
        let rhosts = unquoted(line).matches(" rhost=").count();
        assert_eq!(rhosts, 1, "a forged pair: {line}");
    }

    /// No secret in a text, unless its owner put it where it is shown.
    fn check_discreet(&self, text: &str, shown: impl Fn(&str) -> bool) {
        let text = text.replace(&*self.world.records().to_string_lossy(), "");
        let text = text.replace(&*self.world.policy_file().to_string_lossy(), "");
        for typed in self.discreet.borrow().iter().filter(|typed| !shown(typed)) {
            assert!(!text.contains(&**typed), "{typed} in {text}");
        }
    }
}

/// The letters that a recovery code may be typed with instead of digits.
fn crockford(letter: u8) -> u8 {
    match letter {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    }
}

/// A log line without its quoted values.
fn unquoted(line: &str) -> String {
    let mut bare = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if !quoted => bare.push(c),
            _ => {}
        }
    }
    assert!(!quoted && !escaped, "an open quote: {line}");
    bare
}

impl Host for Player<'_> {
    fn user(&mut self) -> Result<String, HostError> {
        self.user.clone()
    }

    fn service(&self) -> String {
        "door".to_owned()
    }

    fn rhost(&self) -> Option<String> {
        Some("192.0.2.7".to_owned())
    }

    fn ruser(&self) -> Option<String> {
        None
    }

    fn tty(&self) -> Option<String> {
        None
    }

    fn ask(&mut self, _question: &str, _echo: bool) -> Result<Zeroizing<Vec<u8>>, HostError> {
        while let Some(event) = self.next() {
            match event {
                b'!' => return Err(HostError::Conversation),
                b'?' => return Err(HostError::NoAnswer),
                b'>' => self.now.set(self.now.get() + 30),
                b'<' => self.now.set(self.now.get() - 30),
                b'$' => self.another_login(),
                b'@' => {
                    self.undisturbed = false;
                    self.world.remove();
                }
                b'0'..=b'9' => {
                    self.undisturbed = false;
                    self.world.damage(event);
                }
                event => return Ok(Zeroizing::new(self.typed(event))),
            }
        }
        Err(HostError::Conversation)
    }

    // No policy here has logins that enrol.
    fn tell(&mut self, text: &str) -> Result<(), HostError> {
        panic!("told: {text}")
    }

    fn mark(&mut self, _: &str) -> Result<(), HostError> {
        panic!("marked")
    }

    fn take_mark(&mut self) -> Option<Zeroizing<String>> {
        None
    }

    fn random(&mut self, _: &mut [u8]) -> Result<(), HostError> {
        panic!("asked for randomness")
    }

    fn host_name(&self) -> String {
        "door".to_owned()
    }

    fn tell_later(&mut self, text: String) {
        self.check_discreet(&text, |_| false);
    }

    fn authtok(&self) -> Result<Option<Zeroizing<Vec<u8>>>, HostError> {
        self.fails()?;
        Ok(self.authtok.borrow().clone().map(Zeroizing::new))
    }

    fn set_authtok(&mut self, password: &[u8]) -> Result<(), HostError> {
        self.fails()?;
        let answers = self.answers.borrow();
        let earlier = self.authtok.borrow();
        let mut given = answers.iter().chain(earlier.as_ref());
        assert!(
            given.any(|answer| answer.starts_with(password)),
            "another password"
        );
        drop(earlier);
        *self.authtok.borrow_mut() = Some(password.to_vec());
        Ok(())
    }

    fn hold(&mut self, answer: Answer) -> Result<(), HostError> {
        self.fails()?;
        self.held = Some(answer);
        Ok(())
    }

    fn take_held(&mut self) -> Option<Answer> {
        self.held.take()
    }

    fn delay_failure(&mut self, delay: Duration) {
        assert!(delay <= Duration::from_mins(1));
    }

    fn log(&mut self, event: &Event) {
        self.log.push(event.to_string());
    }
}
