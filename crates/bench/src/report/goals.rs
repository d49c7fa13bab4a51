//! What pam-otp wants to be, as ratios within one run.

use super::{Report, share};
use crate::statistics::Summary;
use crate::world::{Case, Module};

/// One goal.
pub(super) struct Goal {
    pub(super) name: &'static str,
    /// What was measured.
    pub(super) figure: f64,
    /// What it is to be.
    pub(super) limit: f64,
    /// Whether the figure may not be below the limit; else not above it.
    pub(super) at_least: bool,
}

impl Goal {
    pub(super) fn is_met(&self) -> bool {
        if self.at_least {
            self.figure >= self.limit
        } else {
            self.figure <= self.limit
        }
    }
}

/// All of them. Peers that leave right codes undone on disk would not count.
pub(super) fn of(report: &Report) -> Vec<Goal> {
    let at_most = |name, figure, limit| Goal {
        name,
        figure,
        limit,
        at_least: false,
    };
    let best = |figure: &dyn Fn(Module) -> f64| {
        Module::PEERS
            .into_iter()
            .map(figure)
            .fold(f64::INFINITY, f64::min)
    };
    let (right, wrong) = (Case::Right, Case::Wrong);
    let share_of = |module, case| report.share(module, case).median;
    let whole = |module, case| report.whole(module, case).median;
    let instructions = |module, case| as_f64(report.counts(module, case).instructions);
    let calls = |module, case| as_f64(report.counts(module, case).calls as u64);

    let calls_again = |module| as_f64(report.counts(module, right).calls_again as u64);

    let mut goals = vec![
        at_most(
            "right code, share, to the better peer's",
            share_of(Module::Ours, right) / best(&|peer| share_of(peer, right)),
            0.5,
        ),
        at_most(
            "right code, share, to the floor's",
            share_of(Module::Ours, right) / share_of(Module::Floor, right),
            1.5,
        ),
        at_most(
            "wrong code, whole, to the better peer's",
            whole(Module::Ours, wrong) / best(&|peer| whole(peer, wrong)),
            1.05,
        ),
        at_most(
            "wrong code, share, to google's default",
            share_of(Module::Ours, wrong) / share_of(Module::Google, wrong),
            0.2,
        ),
        at_most(
            "instructions, right code, to the better peer's",
            instructions(Module::Ours, right) / best(&|peer| instructions(peer, right)),
            1.0,
        ),
        at_most(
            "instructions, wrong code, to the better peer's",
            instructions(Module::Ours, wrong) / best(&|peer| instructions(peer, wrong)),
            1.0,
        ),
        at_most(
            "system calls, right code, to the fewest",
            calls(Module::Ours, right) / best(&|peer| calls(peer, right)),
            1.0,
        ),
        at_most(
            "the same, once more in one process",
            calls_again(Module::Ours) / best(&calls_again),
            1.0,
        ),
    ];
    if let (Some((_, one)), Some((_, many))) = (report.sizes.first(), report.sizes.last()) {
        // To the floor of its own rounds: the disk was another's meanwhile.
        let ratio = |series| {
            let median = |module| share(series, module, right).median;
            median(Module::Ours) / median(Module::Floor)
        };
        goals.push(at_most(
            "right code, to the floor, most users to one",
            ratio(many) / ratio(one),
            1.1,
        ));
    }
    let largest = report.crowd_sizes().last().copied().unwrap_or(1);
    let rate = |module| {
        let crowd = report.crowd(module, largest, false);
        Summary::of(crowd.rates.iter().copied()).median
    };
    // The faster peer has the smaller inverse.
    let fastest = 1.0 / best(&|peer| 1.0 / rate(peer));
    goals.push(Goal {
        name: "logins per second at once, to the faster peer's",
        figure: rate(Module::Ours) / fastest,
        limit: 2.0,
        at_least: true,
    });
    let ours = report
        .crowds
        .iter()
        .filter(|crowd| crowd.module == Module::Ours);
    let faults: usize = ours.map(|crowd| crowd.refused + crowd.accepted_again).sum();
    goals.push(at_most(
        "refused or accepted that should not be",
        as_f64(faults as u64),
        0.0,
    ));
    goals
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
