//! How long transactions take. Module after module within each round, beginning
//! with another one each time: what else the machine does meets all alike.

use crate::application::Login;
use crate::effort::Effort;
use crate::world::{Case, Module, World};

/// The logins of one module and case, one for each round.
pub(crate) struct Series {
    pub(crate) module: Module,
    pub(crate) case: Case,
    pub(crate) logins: Vec<Login>,
}

impl Series {
    pub(crate) fn of(module: Module, case: Case) -> Self {
        let logins = Vec::new();
        Self {
            module,
            case,
            logins,
        }
    }

    pub(crate) fn whole(&self) -> Vec<f64> {
        self.logins.iter().map(|login| login.whole).collect()
    }

    pub(crate) fn loading(&self) -> Vec<f64> {
        self.logins.iter().map(|login| login.loading).collect()
    }

    pub(crate) fn memory(&self) -> Vec<f64> {
        self.logins.iter().map(|login| login.memory).collect()
    }

    pub(crate) fn entered(&self) -> usize {
        self.logins.iter().filter(|login| login.entered).count()
    }
}

/// The series of one module and case.
pub(crate) fn find(series: &[Series], module: Module, case: Case) -> &Series {
    let mut all = series.iter();
    all.find(|series| series.module == module && series.case == case)
        .expect("every module and case is measured")
}

/// Each transaction in a fresh process.
pub(crate) fn times(world: &World, rounds: usize) -> Vec<Series> {
    rounds_of(world, rounds, &Case::ALL, |_, order| {
        world.start().login(order)
    })
}

/// Each module's transactions in one process of its own, which goes on running.
pub(crate) fn loops(world: &World, rounds: usize) -> Vec<Series> {
    let mut running: Vec<_> = Module::ALL.map(|_| world.start()).into();
    rounds_of(world, rounds, &Case::ALL, move |module, order| {
        let place = Module::ALL.iter().position(|other| *other == module);
        running[place.expect("one of all")].login(order)
    })
}

/// Right codes with so many users enrolled, each in a fresh process.
pub(crate) fn sizes(world: &World, effort: &Effort) -> Vec<(usize, Vec<Series>)> {
    let measure = |users: &usize| {
        world.enrol(*users);
        let series = rounds_of(world, effort.size_rounds, &[Case::Right], |_, order| {
            world.start().login(order)
        });
        (*users, series)
    };
    effort.users.iter().map(measure).collect()
}

fn rounds_of(
    world: &World,
    rounds: usize,
    cases: &[Case],
    mut login: impl FnMut(Module, &str) -> Login,
) -> Vec<Series> {
    let series = |module| cases.iter().map(move |case| Series::of(module, *case));
    let mut all: Vec<Series> = Module::ALL.into_iter().flat_map(series).collect();
    let mut keeper = world.start();
    // The first rounds warm caches up.
    for round in 0..rounds + 2 {
        for turn in 0..Module::ALL.len() {
            let module = Module::ALL[(round + turn) % Module::ALL.len()];
            let mut last = String::new();
            for series in all.iter_mut().filter(|series| series.module == module) {
                if series.case != Case::Used {
                    keeper.restore(&world.put_back(module, 1));
                    last = world.login(module, series.case);
                }
                let result = login(module, &last);
                if round >= 2 {
                    series.logins.push(result);
                }
            }
            keeper.restore(&world.put_back(module, 1));
        }
    }
    all
}
