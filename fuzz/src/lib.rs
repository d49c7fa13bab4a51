//! What the fuzz targets share: the module's own flow, played to a host that
//! follows the fuzzer's bytes.
//!
//! The module is a cdylib, which nobody can link to. So its sources are modules
//! of this crate too, by symbolic link: `event.rs`, `flow.rs`, `host.rs`,
//! `outcome.rs` and the directory `host` are those of `../src`.

#![allow(dead_code, unreachable_pub, reason = "the module's sources, without its entry points")]

use std::path::PathBuf;

mod event;
mod flow;
mod host;
mod outcome;

mod login;
mod world;

pub use login::login;

/// A fresh directory of this process, in memory where there is such a place.
///
/// # Panics
///
/// If there can be none.
#[must_use]
pub fn directory(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let directory = base.join(format!("pam-otp-fuzz-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("make a directory");
    directory
}
