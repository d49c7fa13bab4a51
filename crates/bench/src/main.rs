//! pam-otp and its peers on the same work, in one run, interleaved.
//!
//! usage: `pam-otp-bench PEERS DIRECTORY REPORTS`, by `scripts/bench.sh`, as root
//! in a mount namespace of its own. PEERS holds the other modules, DIRECTORY is on
//! the disk to be measured, REPORTS gets `bench.json` and `bench.svg`.
//!
//! - [`world`]: who is enrolled where, and how what a login changed is put back;
//! - [`application`]: the program that people log in to;
//! - [`measure`], [`crowd`]: times; [`count`]: instructions, calls and bytes;
//! - [`quiet`]: what else the machine did;
//! - [`statistics`], [`report`]: what it comes to.

mod application;
mod count;
mod crowd;
mod effort;
mod measure;
mod quiet;
mod report;
mod statistics;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use effort::Effort;
use quiet::Quiet;
use report::Report;
use world::World;

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [peers, directory, reports] = &paths[..] else {
        eprintln!("pam-otp-bench: error: three directories are needed");
        eprintln!("pam-otp-bench: hint: make bench");
        return ExitCode::from(2);
    };
    let effort = Effort::of_environment();
    let application = application::build(directory);
    let world = World::new(directory, peers, &application);

    let modules = count::modules(&world);
    let times = measure::times(&world, effort.rounds);
    let loops = measure::loops(&world, effort.rounds);
    let report = Report {
        quiet: Quiet::of(&times),
        quick: effort == Effort::QUICK,
        modules,
        times,
        loops,
        sizes: measure::sizes(&world, &effort),
        crowds: crowd::crowds(&world, &effort),
    };
    report.publish(reports);
    ExitCode::SUCCESS
}
