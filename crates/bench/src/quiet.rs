//! Whether the machine was left alone meanwhile: only then are figures of two runs
//! alike.

use std::fs;

use crate::measure::{Series, find};
use crate::statistics::Summary;
use crate::world::{Case, Module};

/// How many times as long as the lower quartile of the floor's flushes the upper one
/// may take, and how many programs may want to run, on a machine that is left alone.
/// One of them is what is measured.
const SPREAD: f64 = 2.0;
const RUNNING: f64 = 1.5;

/// What else the machine did.
pub(crate) struct Quiet {
    /// Programs that wanted to run or waited for the disk, over the last minute.
    pub(crate) load: f64,
    /// Microseconds that one flush takes: the floor's share of all cases.
    pub(crate) flush: Summary,
}

impl Quiet {
    /// To be asked when logins one after the other have been measured, and not yet
    /// those at once.
    pub(crate) fn of(times: &[Series]) -> Self {
        let text = fs::read_to_string("/proc/loadavg").expect("/proc/loadavg");
        let load = text.split(' ').next().and_then(|word| word.parse().ok());
        let shares = Case::ALL.into_iter().flat_map(|case| {
            let of = |module| find(times, module, case).whole();
            let pairs = of(Module::Floor).into_iter().zip(of(Module::Permit));
            pairs.map(|(floor, permit)| floor - permit)
        });
        Self {
            load: load.expect("a load"),
            flush: Summary::of(shares),
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.load <= RUNNING && self.flush.upper <= SPREAD * self.flush.lower
    }
}
