//! A change that undoes itself.
//!
//! What a trial is stands on disk before anything is changed ([`super::kept`]). Four
//! look after it, each of which alone is enough: a watcher, which is a process in a
//! session of its own, so that it outlives the command, its terminal and its
//! connection; where there is systemd, a timer, and what packages have it start with
//! the machine; and every later run of `pam-otp setup` by root.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::SetupError;
use super::kept::{Change, Kept, Shelf, Standing};
use super::sshd;
use crate::session::Session;
use crate::syslog;

/// How often the watcher looks.
const PERIOD: Duration = Duration::from_millis(500);

/// Starts the watcher and, where there is systemd, the timer. Back when the watcher
/// is in its own session.
pub(crate) fn start_watchers(service: &str, seconds: u64) -> Result<(), SetupError> {
    let fail = |error: std::io::Error| SetupError::Watcher(error.to_string());
    let own = std::env::current_exe().map_err(fail)?;
    if Path::new("/run/systemd/system").is_dir() {
        let mut timer = sshd::command("systemd-run");
        timer.args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"]);
        let after = seconds.saturating_add(5);
        timer.arg(format!("--on-active={after}"));
        timer.arg(&own).args(["setup", "--yes"]);
        timer
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // The watcher is there without it.
        let _ = timer.status();
    }
    let mut watcher = Command::new(own);
    watcher.args(["setup", "--watch", "--", service]);
    watcher.current_dir("/");
    watcher
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut watcher = watcher.spawn().map_err(fail)?;
    let mut said = String::new();
    if let Some(stdout) = watcher.stdout.take() {
        BufReader::new(stdout).read_line(&mut said).map_err(fail)?;
    }
    if said == READY {
        Ok(())
    } else {
        Err(SetupError::Watcher("it ends at once".into()))
    }
}

/// What the watcher says once nothing ends it any more.
pub(crate) const READY: &str = "watching\n";

/// The watcher: waits until the trial is over, and puts back what was there.
pub(crate) fn watch(shelf: &Shelf, service: &str) -> Result<(), SetupError> {
    let mut left = None;
    loop {
        let Some(kept) = trial(shelf, service)? else {
            return Ok(());
        };
        let deadline = kept.deadline.unwrap_or(0);
        // Two clocks: one that may be set, and one that may stop with the machine.
        // Whichever is first.
        let now = Session::now().0;
        let left = left.get_or_insert(Duration::from_secs(deadline.saturating_sub(now)));
        if now >= deadline || left.is_zero() {
            // A disk may be full, and be so no more later.
            if end(shelf, service, deadline).is_ok() {
                return Ok(());
            }
        }
        pause();
        *left = left.saturating_sub(PERIOD);
    }
}

/// Ends this trial, unless it was confirmed while we waited for the lock.
fn end(shelf: &Shelf, service: &str, deadline: u64) -> Result<(), SetupError> {
    let _lock = shelf.lock()?;
    let kept = shelf.find(service)?;
    match kept.filter(|it| it.deadline == Some(deadline)) {
        Some(kept) => undo(shelf, &kept, "trial"),
        None => Ok(()),
    }
}

/// Waits until no trial is left, and ends those whose time is over: for the start of
/// the machine, after which they have no watcher.
pub(crate) fn watch_all(shelf: &Shelf) -> Result<(), SetupError> {
    loop {
        // A disk may be full, and be so no more later.
        let _ = undo_overdue(shelf);
        // Another run may be between two names.
        let lock = shelf.lock()?;
        if all(shelf)?.is_empty() {
            return Ok(());
        }
        drop(lock);
        pause();
    }
}

/// All services with a trial, and when its time is over: seconds since the epoch.
pub(crate) fn all(shelf: &Shelf) -> Result<Vec<(String, u64)>, SetupError> {
    let mut all = Vec::new();
    for service in shelf.services()? {
        if let Some(deadline) = shelf.find(&service)?.and_then(|kept| kept.deadline) {
            all.push((service, deadline));
        }
    }
    Ok(all)
}

/// The trial that runs, if one does.
fn trial(shelf: &Shelf, service: &str) -> Result<Option<Kept>, SetupError> {
    if let Some(kept) = shelf.find(service)? {
        return Ok(Some(kept).filter(|kept| kept.deadline.is_some()));
    }
    // Another run may be between two names.
    let _lock = shelf.lock()?;
    let kept = shelf.find(service)?;
    Ok(kept.filter(|kept| kept.deadline.is_some()))
}

/// Waits a moment.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub(crate) fn pause() {
    std::thread::sleep(PERIOD);
}

/// Ends a trial. A file that somebody has changed meanwhile is put back too, for
/// nobody may be able to get in; what was in it is kept.
pub(crate) fn undo(shelf: &Shelf, kept: &Kept, by: &str) -> Result<(), SetupError> {
    let (mut failed, mut sshd_moved) = (None, false);
    for change in kept.changes.iter().rev() {
        // One that fails keeps the other from nothing.
        match undo_one(shelf, &kept.service, change, by) {
            Ok(moved) => sshd_moved |= moved && change.name == sshd::SERVICE,
            Err(error) => failed = Some(error),
        }
    }
    let has_sshd = kept.changes.iter().any(|it| it.name == sshd::SERVICE);
    if sshd_moved || (has_sshd && failed.is_none()) {
        // A server that has read the drop-in file still goes by it.
        let _ = sshd::reload();
    }
    match failed {
        None => shelf.forget(&kept.service),
        Some(error) => Err(error),
    }
}

/// Whether the file was not as it was before.
fn undo_one(shelf: &Shelf, service: &str, change: &Change, by: &str) -> Result<bool, SetupError> {
    let standing = change.standing()?;
    if standing == Standing::Before {
        return Ok(false);
    }
    if standing == Standing::Changed {
        shelf.set_aside(service, change)?;
    }
    change.put_back()?;
    syslog::done("setup-undo", "root", by, &change.path);
    Ok(true)
}

/// Ends the trials that should be over: their watchers were killed, or the machine
/// was started anew. Which services.
pub(crate) fn undo_overdue(shelf: &Shelf) -> Result<Vec<String>, SetupError> {
    let services = shelf.services()?;
    if services.is_empty() {
        return Ok(services);
    }
    let _lock = shelf.lock()?;
    let (mut undone, mut failed) = (Vec::new(), None);
    for service in services {
        let Some(kept) = shelf.find(&service)? else {
            continue;
        };
        if kept.deadline.is_some_and(|it| it <= Session::now().0) {
            // One that fails keeps no other on trial.
            match undo(shelf, &kept, "trial") {
                Ok(()) => undone.push(service),
                Err(error) => failed = Some(error),
            }
        }
    }
    failed.map_or(Ok(undone), Err)
}

/// Refuses if a trial of this service runs.
pub(crate) fn require_none(kept: Option<&Kept>) -> Result<(), SetupError> {
    let Some((kept, deadline)) = kept.and_then(|kept| Some((kept, kept.deadline?))) else {
        return Ok(());
    };
    Err(SetupError::TrialRuns {
        service: kept.service.clone(),
        seconds: deadline.saturating_sub(Session::now().0),
    })
}

/// Keeps what a trial has changed, for good. Who has logged in.
pub(crate) fn confirm(shelf: &Shelf, service: &str) -> Result<Vec<String>, SetupError> {
    let _lock = shelf.lock()?;
    let kept = shelf.find(service)?;
    let Some(kept) = kept.filter(|kept| kept.deadline.is_some()) else {
        return Err(SetupError::NoTrial(service.to_owned()));
    };
    let witnesses = shelf.witnesses(service);
    if witnesses.is_empty() {
        return Err(SetupError::NotProven(service.to_owned()));
    }
    for change in &kept.changes {
        change.require_unchanged()?;
    }
    let mut kept = kept;
    kept.deadline = None;
    for change in &mut kept.changes {
        change.trial = None;
        change.make()?;
    }
    shelf.keep(&kept)?;
    Ok(witnesses)
}
