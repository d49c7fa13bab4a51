//! The table.

use std::fmt::Write;

use super::{Report, goals, share};
use crate::measure::{Series, find};
use crate::quiet::Quiet;
use crate::statistics::Summary;
use crate::world::{Case, Module};

/// All of it, as text. Times are medians, and in brackets what half of all lie
/// between.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    quiet(&mut text, &report.quiet);
    times(&mut text, "In a fresh process", &report.times);
    times(
        &mut text,
        "In a process that goes on running",
        &report.loops,
    );
    files(&mut text, report);
    counts(&mut text, report);
    sizes(&mut text, report);
    crowds(&mut text, report);
    for goal in goals::of(report) {
        let word = if goal.is_met() { "met" } else { "NOT MET" };
        let bound = if goal.at_least { "at least" } else { "at most" };
        let _ = writeln!(
            text,
            "{:50} {:8.2}  {bound} {:4.2}  {word}",
            goal.name, goal.figure, goal.limit
        );
    }
    text
}

fn quiet(text: &mut String, quiet: &Quiet) {
    let word = if quiet.is_quiet() {
        "a quiet machine"
    } else {
        "A BUSY MACHINE: only ratios mean anything, and those of flushes little"
    };
    let _ = writeln!(
        text,
        "load {:.2}, one flush {} us: {word}\n",
        quiet.load,
        spread(quiet.flush)
    );
}

fn times(text: &mut String, title: &str, series: &[Series]) {
    let _ = writeln!(
        text,
        "{title}, microseconds: a whole transaction, and its share beyond pam_permit"
    );
    for case in Case::ALL {
        for module in Module::ALL {
            let of = find(series, module, case);
            let _ = writeln!(
                text,
                "{:11} {:16} {}  {}  {:4} of {} in",
                case.name(),
                module.name(),
                spread(Summary::of(of.whole())),
                spread(share(series, module, case)),
                of.entered(),
                of.logins.len()
            );
        }
    }
    text.push('\n');
}

fn files(text: &mut String, report: &Report) {
    let _ = writeln!(
        text,
        "{:16} {:>10} {:>24} {:>24}  libraries",
        "module", "bytes", "loading, us", "memory, KiB"
    );
    for counted in &report.modules {
        let _ = writeln!(
            text,
            "{:16} {:>10} {} {}  {}",
            counted.module.name(),
            counted.size,
            spread(report.loading(counted.module)),
            spread(report.memory(counted.module)),
            counted.libraries.join(" ")
        );
    }
    text.push('\n');
}

fn counts(text: &mut String, report: &Report) {
    let _ = writeln!(
        text,
        "{:11} {:16} {:>12} {:>6} {:>6} {:>8} {:>8}",
        "case", "module", "instructions", "calls", "again", "bytes", "flushes"
    );
    for case in Case::ALL {
        for module in Module::ALL {
            let counts = report.counts(module, case);
            let _ = writeln!(
                text,
                "{:11} {:16} {:>12} {:>6} {:>6} {:>8} {:>8}",
                case.name(),
                module.name(),
                counts.instructions,
                counts.calls,
                counts.calls_again,
                counts.bytes,
                counts.flushes
            );
        }
    }
    let _ = writeln!(
        text,
        "again: of the same transaction once more in the same process, that alone\n"
    );
}

fn sizes(text: &mut String, report: &Report) {
    let _ = writeln!(
        text,
        "Share of a right code by the number of users, microseconds"
    );
    for (users, series) in &report.sizes {
        for module in Module::CHECKING {
            let share = spread(share(series, module, Case::Right));
            let _ = writeln!(text, "{users:>7} {:16} {share}", module.name());
        }
    }
    text.push('\n');
}

fn crowds(text: &mut String, report: &Report) {
    let _ = writeln!(
        text,
        "{:>7} {:10} {:16} {:>24} {:>9} {:>9} {:>9} {:>8} {:>9}",
        "at once",
        "users",
        "module",
        "logins/s",
        "50 %, us",
        "95 %, us",
        "99 %, us",
        "refused",
        "again"
    );
    for crowd in &report.crowds {
        let latency = Summary::of(crowd.latencies.iter().copied());
        let _ = writeln!(
            text,
            "{:>7} {:10} {:16} {} {:>9.0} {:>9.0} {:>9.0} {:>8} {:>9}",
            crowd.size,
            if crowd.one_user { "one" } else { "as many" },
            crowd.module.name(),
            spread(Summary::of(crowd.rates.iter().copied())),
            latency.median,
            latency.p95,
            latency.p99,
            crowd.refused,
            crowd.accepted_again
        );
    }
    let _ = writeln!(
        text,
        "logins/s: of as many users, those let in; refused: right codes that did not open; \
         again: times that a used code was accepted\n"
    );
}

fn spread(summary: Summary) -> String {
    let Summary {
        median,
        lower,
        upper,
        ..
    } = summary;
    format!("{median:>8.0} [{lower:>6.0} {upper:>6.0}]")
}
