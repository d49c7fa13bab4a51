//! A program whose clock is wrong, by libfaketime (package faketime). The
//! machine's own clock, and every other program's, stays as it is.

use crate::authenticator::now;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions keep the library: Debian below the machine's name.
const DIRECTORIES: [&str; 4] = ["/usr/lib", "/usr/lib64", "/lib64", "/usr/local/lib"];
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// Lets a program believe that it is `time`, in seconds since 1970; negative is
/// before. No time passes for it, so that no step can end while a test tries;
/// before 1970 it does.
///
/// For the program itself, not for one that runs another in its place, such as
/// valgrind: libfaketime leaves shared memory behind at each `exec`.
///
/// # Panics
/// When there is no libfaketime.
pub fn set_clock(command: &mut Command, time: i64) {
    // libfaketime takes a number with a sign for a difference.
    let clock = if time < 0 {
        let now = i64::try_from(now()).expect("a time");
        (time - now).to_string()
    } else {
        time.to_string()
    };
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME", clock)
        .env("FAKETIME_FMT", "%s")
        .env("TZ", "UTC")
        // The times of files, and how long something takes, stay true.
        .env("NO_FAKE_STAT", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

fn library() -> PathBuf {
    let beside = DIRECTORIES.map(PathBuf::from).into_iter();
    let below = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let below = below.filter_map(|entry| Some(entry.ok()?.path()));
    beside
        .chain(below)
        .map(|directory| directory.join(LIBRARY))
        .find(|path| Path::exists(path))
        .expect("libfaketime.so.1 (package faketime)")
}
