//! The report for programs.

use serde_json::{Value, json};

use super::{Report, goals, share};
use crate::measure::{Series, find};
use crate::statistics::Summary;
use crate::world::{Case, Module};

pub(super) fn of(report: &Report) -> Value {
    let goals = goals::of(report);
    let goals = goals.iter().map(|goal| {
        json!({
            "name": goal.name, "figure": goal.figure, "limit": goal.limit,
            "at_least": goal.at_least, "met": goal.is_met(),
        })
    });
    let sizes = report.sizes.iter().flat_map(|(users, series)| {
        Module::CHECKING.map(|module| {
            json!({
                "users": users, "module": module.name(),
                "share_us": summary(share(series, module, Case::Right)),
            })
        })
    });
    json!({
        "quick": report.quick,
        "quiet": report.quiet.is_quiet(),
        "load": report.quiet.load,
        "flush_us": summary(report.quiet.flush),
        "fresh": times(&report.times),
        "loop": times(&report.loops),
        "modules": modules(report),
        "users": sizes.collect::<Vec<_>>(),
        "at_once": crowds(report),
        "goals": goals.collect::<Vec<_>>(),
    })
}

fn times(series: &[Series]) -> Vec<Value> {
    let one = |series_of: &Series| {
        let (module, case) = (series_of.module, series_of.case);
        json!({
            "module": module.name(), "case": case.name(),
            "whole_us": summary(Summary::of(find(series, module, case).whole())),
            "share_us": summary(share(series, module, case)),
            "entered": series_of.entered(), "logins": series_of.logins.len(),
        })
    };
    series.iter().map(one).collect()
}

fn modules(report: &Report) -> Vec<Value> {
    let one = |counted: &crate::count::Counted| {
        let counts = counted.cases.iter().map(|counts| {
            json!({
                "case": counts.case.name(), "instructions": counts.instructions,
                "calls": counts.calls, "calls_again": counts.calls_again,
                "bytes": counts.bytes, "flushes": counts.flushes,
            })
        });
        json!({
            "module": counted.module.name(), "bytes": counted.size,
            "libraries": counted.libraries,
            "loading_us": summary(report.loading(counted.module)),
            "memory_kib": summary(report.memory(counted.module)),
            "counts": counts.collect::<Vec<_>>(),
        })
    };
    report.modules.iter().map(one).collect()
}

fn crowds(report: &Report) -> Vec<Value> {
    let one = |crowd: &crate::crowd::Crowd| {
        json!({
            "module": crowd.module.name(), "at_once": crowd.size, "one_user": crowd.one_user,
            "logins_per_second": summary(Summary::of(crowd.rates.iter().copied())),
            "latency_us": summary(Summary::of(crowd.latencies.iter().copied())),
            "refused": crowd.refused, "accepted_again": crowd.accepted_again,
        })
    };
    report.crowds.iter().map(one).collect()
}

fn summary(summary: Summary) -> Value {
    json!({
        "median": summary.median, "lower": summary.lower, "upper": summary.upper,
        "p95": summary.p95, "p99": summary.p99,
    })
}
