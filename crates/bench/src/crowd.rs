//! Many logins at once, each in a process of its own: of as many users, and of one
//! user with one code.

use std::time::Instant;

use crate::application::{Application, Login};
use crate::effort::Effort;
use crate::world::{Module, World, right};

/// One module and number of logins, over all rounds.
pub(crate) struct Crowd {
    pub(crate) module: Module,
    pub(crate) size: usize,
    /// Of one user, with one code.
    pub(crate) one_user: bool,
    /// Users let in per second; of one user, all logins. One for each round.
    pub(crate) rates: Vec<f64>,
    /// Microseconds of each transaction.
    pub(crate) latencies: Vec<f64>,
    /// Right codes that were refused.
    pub(crate) refused: usize,
    /// Codes that opened once more.
    pub(crate) accepted_again: usize,
}

pub(crate) fn crowds(world: &World, effort: &Effort) -> Vec<Crowd> {
    let largest = effort.crowds.iter().copied().max().unwrap_or(1);
    world.enrol(largest);
    let mut crowds: Vec<Crowd> = effort.crowds.iter().copied().flat_map(of_size).collect();
    for round in 0..effort.crowd_rounds {
        for turn in 0..crowds.len() {
            let place = (round + turn) % crowds.len();
            crowds[place].log_in(world);
        }
    }
    crowds
}

fn of_size(size: usize) -> impl Iterator<Item = Crowd> {
    let both = move |module| [false, true].map(|one_user| Crowd::new(module, size, one_user));
    Module::CHECKING.into_iter().flat_map(both)
}

impl Crowd {
    fn new(module: Module, size: usize, one_user: bool) -> Self {
        Self {
            module,
            size,
            one_user,
            rates: Vec::new(),
            latencies: Vec::new(),
            refused: 0,
            accepted_again: 0,
        }
    }

    fn log_in(&mut self, world: &World) {
        let users = if self.one_user { 1 } else { self.size };
        world.start().restore(&world.put_back(self.module, users));
        let mut crowd: Vec<Application> = (0..self.size).map(|_| world.start()).collect();
        // Logins are measured, and not how programs are started.
        crowd.iter_mut().for_each(Application::ready);
        let code = right();
        let begin = Instant::now();
        for (number, application) in crowd.iter_mut().enumerate() {
            let user = format!("u{}", number % users);
            application.order(&world.login_of(self.module, &user, &code));
        }
        let answers = crowd.iter_mut().map(Application::answer);
        let logins: Vec<Login> = answers.map(|line| Login::parse(&line)).collect();
        let seconds = begin.elapsed().as_secs_f64();

        let entered = logins.iter().filter(|login| login.entered).count();
        self.refused += users.saturating_sub(entered);
        self.accepted_again += entered.saturating_sub(users);
        let counted = if self.one_user { self.size } else { entered };
        #[expect(clippy::cast_precision_loss, reason = "a few dozen at most")]
        self.rates.push(counted as f64 / seconds);
        self.latencies
            .extend(logins.iter().map(|login| login.whole));
    }
}
