//! How libpam goes through a stack: its dispatcher, line by line.

use crate::control::{Action, Return};
use crate::stack::{Module, Part, Stack};

/// One way through a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// What the application is told.
    pub result: Return,
    /// Which modules were called, in order.
    pub steps: Vec<Step>,
}

/// A module that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which line: an index into [`Stack::entries`].
    pub entry: usize,
    /// What it returned.
    pub returned: Return,
    /// What followed.
    pub action: Action,
}

/// What libpam thinks of the login so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Impression {
    Undecided,
    Positive,
    Negative,
}

/// libpam's memory between two lines. Two equal ones at the same place go the
/// same way: all ways through a stack can be looked at without trying each
/// combination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    next: usize,
    level: usize,
    now: (Impression, Return),
    /// What it was when each substack began; the first is the stack itself.
    before: Vec<(Impression, Return)>,
}

impl State {
    /// The beginning.
    #[must_use]
    pub fn start() -> Self {
        let nothing = (Impression::Undecided, Return::PERM_DENIED);
        Self {
            next: 0,
            level: 0,
            now: nothing,
            before: vec![nothing],
        }
    }

    /// The module that is called next: an index into [`Stack::entries`]. None at
    /// the end.
    pub fn next_module(&mut self, stack: &Stack) -> Option<usize> {
        loop {
            let entry = stack.entries().get(self.next)?;
            if self.level < entry.level {
                self.before.truncate(entry.level);
                // One line cannot begin two substacks without a line between.
                self.before.resize(entry.level.saturating_add(1), self.now);
            }
            self.level = entry.level;
            match &entry.part {
                Part::Module(_) => return Some(self.next),
                Part::Substack { .. } => self.next = self.next.saturating_add(1),
            }
        }
    }

    /// What the stack returns if it ends here.
    #[must_use]
    pub fn result(&self) -> Return {
        match self.now {
            (Impression::Undecided | Impression::Negative, Return::SUCCESS) => Return::PERM_DENIED,
            (_, status) => status,
        }
    }

    /// The next module has returned this.
    pub fn step(&mut self, stack: &Stack, module: &Module, returned: Return) -> Action {
        let action = module.control.action(returned);
        match action {
            Action::Ignore => {}
            Action::Reset => {
                let before = self.before.get(self.level).copied();
                self.now = before.unwrap_or((Impression::Undecided, Return::PERM_DENIED));
            }
            Action::Ok | Action::Done => {
                if matches!(
                    self.now,
                    (Impression::Undecided, _) | (Impression::Positive, Return::SUCCESS)
                ) {
                    self.now = (Impression::Positive, returned);
                }
                if action == Action::Done && self.now.0 == Impression::Positive {
                    self.leave(stack);
                    return action;
                }
            }
            Action::Bad | Action::Die => {
                if self.now.0 != Impression::Negative {
                    let status = match returned {
                        Return::IGNORE => Return::PERM_DENIED,
                        returned => returned,
                    };
                    self.now = (Impression::Negative, status);
                }
                if action == Action::Die {
                    self.leave(stack);
                    return action;
                }
            }
            Action::Jump(lines) => {
                if !self.jump(stack, lines) {
                    self.now = (Impression::Negative, Return::PERM_DENIED);
                }
            }
        }
        self.next = self.next.saturating_add(1);
        action
    }

    /// The level of the line after this one.
    fn following(&self, stack: &Stack) -> Option<usize> {
        let entry = stack.entries().get(self.next.saturating_add(1));
        entry.map(|entry| entry.level)
    }

    /// Passes over lines; whether there were enough.
    fn jump(&mut self, stack: &Stack, mut lines: usize) -> bool {
        while lines > 0 && self.following(stack).is_some_and(|it| it >= self.level) {
            loop {
                self.next = self.next.saturating_add(1);
                // A substack goes with the line that begins it.
                if self.following(stack).is_none_or(|it| it <= self.level) {
                    break;
                }
            }
            lines = lines.saturating_sub(1);
        }
        lines == 0
    }

    /// Goes behind the stack or substack.
    fn leave(&mut self, stack: &Stack) {
        while self.following(stack).is_some_and(|it| it >= self.level) {
            self.next = self.next.saturating_add(1);
        }
        self.next = self.next.saturating_add(1);
    }
}

impl Stack {
    /// Walks as libpam does, each module returning what `outcome` says.
    /// [`Return::INCOMPLETE`] ends it at once.
    ///
    /// A stack without a line refuses.
    pub fn walk(&self, mut outcome: impl FnMut(&Module) -> Return) -> Walk {
        self.walk_by(|_, module| outcome(module))
    }

    /// The same, by the line: an index into [`Stack::entries`].
    pub fn walk_by(&self, mut outcome: impl FnMut(usize, &Module) -> Return) -> Walk {
        let mut state = State::start();
        let mut steps = Vec::new();
        while let Some(entry) = state.next_module(self) {
            let Some(module) = self.entries().get(entry).and_then(|it| it.module()) else {
                break;
            };
            let returned = outcome(entry, module);
            if returned == Return::INCOMPLETE {
                return Walk {
                    result: returned,
                    steps,
                };
            }
            let action = state.step(self, module, returned);
            steps.push(Step {
                entry,
                returned,
                action,
            });
        }
        Walk {
            result: state.result(),
            steps,
        }
    }
}
