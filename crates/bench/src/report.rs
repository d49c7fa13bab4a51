//! What it comes to: a table for people, JSON for programs, a picture for the docs.

use std::fs;
use std::path::Path;

use crate::count::{Counted, Counts};
use crate::crowd::Crowd;
use crate::measure::{Series, find};
use crate::quiet::Quiet;
use crate::statistics::Summary;
use crate::world::{Case, Module};

mod goals;
mod json;
mod plot;
mod table;

/// All that was measured.
pub(crate) struct Report {
    pub(crate) quick: bool,
    pub(crate) quiet: Quiet,
    pub(crate) modules: Vec<Counted>,
    /// In fresh processes.
    pub(crate) times: Vec<Series>,
    /// In one process.
    pub(crate) loops: Vec<Series>,
    /// Right codes, by the number of users.
    pub(crate) sizes: Vec<(usize, Vec<Series>)>,
    pub(crate) crowds: Vec<Crowd>,
}

impl Report {
    /// Prints the table; writes `bench.json` and `bench.svg`.
    pub(crate) fn publish(&self, directory: &Path) {
        print!("{}", table::of(self));
        let json = format!("{:#}\n", json::of(self));
        fs::write(directory.join("bench.json"), json).expect("write bench.json");
        fs::write(directory.join("bench.svg"), plot::of(self)).expect("write bench.svg");
    }

    fn counts(&self, module: Module, case: Case) -> &Counts {
        let counted = self.counted(module).cases.iter();
        let mut counted = counted.filter(|counts| counts.case == case);
        counted.next().expect("every case is counted")
    }

    fn counted(&self, module: Module) -> &Counted {
        let mut modules = self.modules.iter();
        let counted = modules.find(|counted| counted.module == module);
        counted.expect("every module is counted")
    }

    /// Microseconds of a transaction in a fresh process.
    fn whole(&self, module: Module, case: Case) -> Summary {
        Summary::of(find(&self.times, module, case).whole())
    }

    /// What a transaction costs beyond the same with `pam_permit`.
    fn share(&self, module: Module, case: Case) -> Summary {
        share(&self.times, module, case)
    }

    /// Microseconds beyond `pam_permit` until the module is loaded.
    fn loading(&self, module: Module) -> Summary {
        let of = |module| find(&self.times, module, Case::Right).loading();
        Summary::beyond(&of(module), &of(Module::Permit))
    }

    /// KiB of resident memory beyond `pam_permit`.
    fn memory(&self, module: Module) -> Summary {
        let of = |module| find(&self.times, module, Case::Right).memory();
        Summary::beyond(&of(module), &of(Module::Permit))
    }

    fn crowd(&self, module: Module, size: usize, one_user: bool) -> &Crowd {
        let mut crowds = self.crowds.iter();
        let wanted =
            |crowd: &&Crowd| (crowd.module, crowd.size, crowd.one_user) == (module, size, one_user);
        crowds.find(wanted).expect("every crowd is measured")
    }

    /// How many logged in at once, in ascending order.
    fn crowd_sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.crowds.iter().map(|crowd| crowd.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

fn share(series: &[Series], module: Module, case: Case) -> Summary {
    let of = |module| find(series, module, case).whole();
    Summary::beyond(&of(module), &of(Module::Permit))
}
