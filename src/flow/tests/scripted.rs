//! A host that expects certain requests in a certain order, and nothing else.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use pam_otp_core::answer::Answer;
use pam_otp_core::session::Session;
use zeroize::Zeroizing;

use super::world::SECRET;
use crate::event::{Event, Level};
use crate::host::{Host, HostError};

/// What the flow is expected to ask for next, and what it gets.
enum Expected {
    Delay(Duration),
    Ask(Question),
    TellLater(String),
    Authtok(Result<Option<Vec<u8>>, HostError>),
    SetAuthtok(Vec<u8>, Result<(), HostError>),
    Hold(String, Result<(), HostError>),
    Log(Level, String),
    /// Any line of this level: the test looks at it afterwards.
    LogSomething(Level),
}

struct Question {
    text: String,
    echo: bool,
    reply: Result<Vec<u8>, HostError>,
    meanwhile: Box<dyn FnOnce()>,
}

/// The script. Dropped, it asserts that all of it was played, and that no
/// answer is left held.
pub(super) struct Scripted {
    user: Result<String, HostError>,
    expected: RefCell<VecDeque<Expected>>,
    held: Option<Answer>,
    last_line: String,
    /// Whether the application shows messages, if they are expected at all.
    shows: Option<bool>,
    /// What it was told to show, so far.
    told: String,
    /// What was left in PAM's environment.
    pub(super) marked: Option<String>,
    /// What nobody may read in a log or on a screen.
    typed: RefCell<Vec<Vec<u8>>>,
    /// The host's clock. It goes on while people type.
    pub(super) clock: std::rc::Rc<Cell<u64>>,
    /// What the application says of where it is called from.
    pub(super) rhost: Option<&'static str>,
    pub(super) ruser: Option<&'static str>,
    pub(super) tty: Option<&'static str>,
    pub(super) session: Option<Session>,
}

impl Scripted {
    /// A login as `user` in step 5 of the test's clock, after which a failure
    /// waits the two seconds of the default policy.
    pub(super) fn login(user: &str) -> Self {
        Self::refused_early(Ok(user)).then(Expected::Delay(Duration::from_secs(2)))
    }

    /// A login that is refused before the policy is known.
    pub(super) fn refused_early(user: Result<&str, HostError>) -> Self {
        Self {
            user: user.map(str::to_owned),
            expected: RefCell::default(),
            held: None,
            last_line: String::new(),
            shows: None,
            told: String::new(),
            marked: None,
            typed: RefCell::new(vec![SECRET.into()]),
            clock: std::rc::Rc::new(Cell::new(5 * 30)),
            rhost: Some("192.0.2.7"),
            ruser: None,
            tty: None,
            session: None,
        }
    }

    /// The same, from this address or name.
    pub(super) fn from(mut self, rhost: &'static str) -> Self {
        self.rhost = Some(rhost);
        self
    }

    /// The same, by somebody at a terminal of this machine.
    pub(super) fn at(mut self, session: u64, tty: &'static str, ruser: &'static str) -> Self {
        self.rhost = None;
        self.session = Session::new("boot", session, 1);
        self.tty = Some(tty).filter(|tty| !tty.is_empty());
        self.ruser = Some(ruser);
        self
    }

    /// The same, so many seconds after the test began.
    pub(super) fn after(self, seconds: u64) -> Self {
        self.clock.set(self.clock.get().saturating_add(seconds));
        self
    }

    /// The next line of the same stack: its script goes on here.
    pub(super) fn next_line(self) -> Self {
        self.then(Expected::Delay(Duration::from_secs(2)))
    }

    /// A question of our own, answered.
    pub(super) fn asks(self, question: &str, reply: impl AsRef<[u8]>) -> Self {
        self.question(question, false, Ok(reply.as_ref().to_vec()))
    }

    /// The same, with the answer shown on the screen.
    pub(super) fn asks_with_echo(self, question: &str, reply: &str) -> Self {
        self.question(question, true, Ok(reply.into()))
    }

    /// A question that the application cannot ask, or gets no answer to.
    pub(super) fn asks_in_vain(self, question: &str, error: HostError) -> Self {
        self.question(question, false, Err(error))
    }

    /// The same for one whose answer would be shown.
    pub(super) fn asks_with_echo_in_vain(self, question: &str, error: HostError) -> Self {
        self.question(question, true, Err(error))
    }

    /// What happens while the user answers the last question.
    pub(super) fn meanwhile(self, event: impl FnOnce() + 'static) -> Self {
        match self.expected.borrow_mut().back_mut() {
            Some(Expected::Ask(question)) => question.meanwhile = Box::new(event),
            _ => panic!("meanwhile stands after a question"),
        }
        self
    }

    /// The user is to be shown texts: [`Scripted::told`] says which. Or the
    /// application shows none.
    pub(super) fn shows(mut self, shows: bool) -> Self {
        self.shows = Some(shows);
        self
    }

    /// All that was shown.
    pub(super) fn told(&self) -> &str {
        &self.told
    }

    /// The user is to be told something once the login has succeeded.
    pub(super) fn tells_later(self, text: &str) -> Self {
        self.then(Expected::TellLater(text.to_owned()))
    }

    /// The password of an earlier module is looked at.
    pub(super) fn offers(self, password: Option<&str>) -> Self {
        let password = password.map(|text| text.as_bytes().to_vec());
        self.typed.borrow_mut().extend(password.clone());
        self.then(Expected::Authtok(Ok(password)))
    }

    /// The same, and libpam fails.
    pub(super) fn offers_nothing(self, error: HostError) -> Self {
        self.then(Expected::Authtok(Err(error)))
    }

    /// A password is handed on.
    pub(super) fn hands_on(self, password: impl AsRef<[u8]>) -> Self {
        self.then(Expected::SetAuthtok(password.as_ref().to_vec(), Ok(())))
    }

    /// The same, and libpam fails.
    pub(super) fn hands_on_in_vain(self, password: &str) -> Self {
        let failed = Err(HostError::Libpam);
        self.then(Expected::SetAuthtok(password.into(), failed))
    }

    /// An answer is held: a code, `empty` or `malformed`.
    pub(super) fn holds(self, answer: &str) -> Self {
        self.then(Expected::Hold(answer.to_owned(), Ok(())))
    }

    /// The same, and libpam fails.
    pub(super) fn holds_in_vain(self, answer: &str) -> Self {
        self.then(Expected::Hold(answer.to_owned(), Err(HostError::Libpam)))
    }

    /// The line in the log, from `outcome` to the end, without who and where.
    pub(super) fn logs(self, level: Level, outcome: &str, reason: &str, details: &str) -> Self {
        let user = self.user.clone().unwrap_or_else(|_| "\"\"".to_owned());
        self.logs_user(level, outcome, reason, &user, details)
    }

    /// The same, with the user's name as the log quotes it.
    pub(super) fn logs_user(
        self,
        level: Level,
        outcome: &str,
        reason: &str,
        user: &str,
        details: &str,
    ) -> Self {
        let rhost = self.rhost.unwrap_or("\"\"");
        let mut line =
            format!("outcome={outcome} reason={reason} user={user} service=door rhost={rhost}");
        if !details.is_empty() {
            line = format!("{line} {details}");
        }
        self.then(Expected::Log(level, line))
    }

    /// A line that only [`Scripted::last_line`] tells.
    pub(super) fn logs_something(self, level: Level) -> Self {
        self.then(Expected::LogSomething(level))
    }

    /// The last line in the log.
    pub(super) fn last_line(&self) -> &str {
        &self.last_line
    }

    /// Forgets what is held, as libpam does at the end of a transaction.
    pub(super) fn end(mut self) {
        assert!(self.held.take().is_some(), "nothing is held");
    }

    fn question(self, text: &str, echo: bool, reply: Result<Vec<u8>, HostError>) -> Self {
        self.then(Expected::Ask(Question {
            text: text.to_owned(),
            echo,
            reply,
            meanwhile: Box::new(|| {}),
        }))
    }

    fn then(self, expected: Expected) -> Self {
        self.expected.borrow_mut().push_back(expected);
        self
    }

    fn next(&self, request: &str) -> Expected {
        let next = self.expected.borrow_mut().pop_front();
        next.unwrap_or_else(|| panic!("unexpected: {request}"))
    }

    /// Asserts that a text betrays nothing that was typed.
    fn check_discreet(&self, text: &str) {
        for typed in self.typed.borrow().iter().filter(|typed| typed.len() >= 4) {
            let said = text.as_bytes().windows(typed.len());
            assert!(said.into_iter().all(|part| part != &**typed), "{text}");
        }
    }
}

impl Host for Scripted {
    fn user(&mut self) -> Result<String, HostError> {
        self.user.clone()
    }

    fn service(&self) -> String {
        "door".to_owned()
    }

    fn rhost(&self) -> Option<String> {
        self.rhost.map(str::to_owned)
    }

    fn ruser(&self) -> Option<String> {
        self.ruser.map(str::to_owned)
    }

    fn tty(&self) -> Option<String> {
        self.tty.map(str::to_owned)
    }

    fn session(&self, _: &str) -> Option<Session> {
        self.session.clone()
    }

    fn ask(&mut self, question: &str, echo: bool) -> Result<Zeroizing<Vec<u8>>, HostError> {
        let Expected::Ask(expected) = self.next(question) else {
            panic!("unexpected question: {question}")
        };
        assert_eq!((question, echo), (&*expected.text, expected.echo));
        self.check_discreet(question);
        (expected.meanwhile)();
        let reply = expected.reply?;
        self.typed.borrow_mut().push(reply.clone());
        Ok(Zeroizing::new(reply))
    }

    fn tell(&mut self, text: &str) -> Result<(), HostError> {
        match self.shows {
            None => panic!("unexpected message: {text}"),
            Some(true) => {
                self.told.push_str(text);
                self.told.push('\n');
                Ok(())
            }
            Some(false) => Err(HostError::Conversation),
        }
    }

    fn mark(&mut self, text: &str) -> Result<(), HostError> {
        assert!(self.shows.is_some(), "unexpected mark");
        let (ticket, _) = text.split_once(':').unwrap();
        self.typed.borrow_mut().push(ticket.into());
        self.marked = Some(text.to_owned());
        Ok(())
    }

    fn take_mark(&mut self) -> Option<Zeroizing<String>> {
        self.marked.take().map(Zeroizing::new)
    }

    /// The secret of the vectors; else always the same bytes.
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), HostError> {
        assert!(self.shows.is_some(), "unexpected randomness");
        let secret = b"12345678901234567890";
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = place.to_le_bytes()[0];
        }
        if bytes.len() == secret.len() {
            bytes.copy_from_slice(secret);
        }
        Ok(())
    }

    fn host_name(&self) -> String {
        "door.example.org".to_owned()
    }

    fn tell_later(&mut self, text: String) {
        let Expected::TellLater(expected) = self.next(&text) else {
            panic!("unexpected message: {text}")
        };
        assert_eq!(text, expected);
        self.check_discreet(&text);
    }

    fn authtok(&self) -> Result<Option<Zeroizing<Vec<u8>>>, HostError> {
        let Expected::Authtok(given) = self.next("a look at the password") else {
            panic!("unexpected look at the password")
        };
        given.map(|password| password.map(Zeroizing::new))
    }

    fn set_authtok(&mut self, password: &[u8]) -> Result<(), HostError> {
        let Expected::SetAuthtok(expected, result) = self.next("a password handed on") else {
            panic!("unexpected password handed on: {password:?}")
        };
        assert_eq!(password, expected);
        result
    }

    fn hold(&mut self, answer: Answer) -> Result<(), HostError> {
        let text = shown(&answer);
        let Expected::Hold(expected, result) = self.next(&text) else {
            panic!("unexpectedly held: {text}")
        };
        assert_eq!(text, expected);
        self.typed.borrow_mut().push(text.into_bytes());
        result.map(|()| self.held = Some(answer))
    }

    fn take_held(&mut self) -> Option<Answer> {
        self.held.take()
    }

    fn delay_failure(&mut self, delay: Duration) {
        let Expected::Delay(expected) = self.next("a delay") else {
            panic!("unexpected delay")
        };
        assert_eq!(delay, expected);
    }

    fn log(&mut self, event: &Event) {
        let line = event.to_string();
        match self.next(&line) {
            Expected::Log(level, expected) => {
                assert_eq!((&line, event.level()), (&expected, level));
            }
            Expected::LogSomething(level) => assert_eq!(event.level(), level, "{line}"),
            _ => panic!("unexpected line: {line}"),
        }
        self.check_discreet(&line);
        self.last_line = line;
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let left = self.expected.borrow().len();
        assert_eq!(left, 0, "requests that never came");
        assert!(self.held.is_none(), "an answer is still held");
    }
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Code(code) => code.to_text().to_string(),
        Answer::Recovery(code) => code.to_text().to_string(),
        Answer::Empty => "empty".to_owned(),
        Answer::Malformed => "malformed".to_owned(),
    }
}
