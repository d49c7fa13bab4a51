//! A mount namespace held by descriptors: it ends when the last of them and
//! the last process inside are gone, however that comes about.

use crate::process::{check, pids, poll_until, signal};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A mount namespace, and the directory that is `/` in it.
#[derive(Debug)]
pub(super) struct Namespace {
    namespace: File,
    root: File,
}

impl Namespace {
    /// Makes a namespace from a copy of this one's mounts and runs `setup`
    /// (a shell script) in it.
    pub(super) fn new(setup: &str) -> Result<Self, String> {
        std::thread::scope(|scope| {
            // A namespace belongs to a thread; this one ends with its own.
            scope
                .spawn(|| Self::on_this_thread(setup))
                .join()
                .expect("set up a namespace")
        })
    }

    fn on_this_thread(setup: &str) -> Result<Self, String> {
        let namespace = unshare().map_err(|error| format!("a mount namespace: {error}"))?;
        let output = Command::new("sh")
            .args(["-c", setup])
            .env("PATH", super::PATH)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .map_err(|error| format!("sh: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "setup.sh: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(namespace)
    }

    /// Lets the command run inside. It starts in `/`, as root.
    pub(super) fn enter_before_exec(&self, command: &mut Command) {
        let (namespace, root) = (self.namespace.as_raw_fd(), self.root.as_raw_fd());
        // SAFETY: `enter` makes system calls only, with descriptors that it does
        // not own: a command started after its sandbox fails, no more.
        unsafe { command.pre_exec(move || enter(namespace, root)) };
    }

    /// Runs `work` on a thread that is inside.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let (namespace, root) = (self.namespace.as_raw_fd(), self.root.as_raw_fd());
        let work = || {
            // SAFETY: unshare touches no memory; it gives this thread a root
            // and working directory of its own, without which setns refuses.
            check(unsafe { libc::unshare(libc::CLONE_FS) }).expect("unshare");
            enter(namespace, root).expect("enter the sandbox");
            // So that syslog connects to the /dev/log of this place.
            // SAFETY: closelog takes nothing and locks what it touches.
            unsafe { libc::closelog() };
            work()
        };
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(result) => result,
            // The test's own failure, as if it had happened outside.
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Kills every process that is inside.
    pub(super) fn end_processes(&self) {
        let own = link(format!("/proc/self/fd/{}", self.namespace.as_raw_fd()));
        let ended = poll_until(Duration::from_secs(5), || {
            let inside: Vec<u32> = pids()
                .filter(|pid| own.is_some() && link(format!("/proc/{pid}/ns/mnt")) == own)
                .collect();
            inside.iter().for_each(|pid| signal(*pid, libc::SIGKILL));
            inside.is_empty()
        });
        if !ended {
            eprintln!("testkit: some process of a sandbox does not end");
        }
    }
}

/// Gives this thread a mount namespace of its own, cut off from the others.
fn unshare() -> io::Result<Namespace> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let namespace = File::open("/proc/thread-self/ns/mnt")?;
    let root = File::open("/")?;
    // Cutting off needs the namespace's very root, which is not ours in a
    // chroot; entering a namespace leaves the chroot.
    // SAFETY: descriptors are open, strings are NUL-terminated.
    unsafe {
        check(libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS))?;
        let (nothing, flags) = (std::ptr::null(), libc::MS_REC | libc::MS_PRIVATE);
        check(libc::mount(
            nothing,
            c"/".as_ptr(),
            nothing,
            flags,
            nothing.cast(),
        ))?;
    }
    let namespace = Namespace { namespace, root };
    enter(namespace.namespace.as_raw_fd(), namespace.root.as_raw_fd())?;
    Ok(namespace)
}

/// Async-signal-safe.
fn enter(namespace: i32, root: i32) -> io::Result<()> {
    // SAFETY: descriptors and static strings only.
    unsafe {
        check(libc::setns(namespace, libc::CLONE_NEWNS))?;
        check(libc::fchdir(root))?;
        check(libc::chroot(c".".as_ptr()))?;
        check(libc::chdir(c"/".as_ptr()))
    }
}

fn link(path: String) -> Option<PathBuf> {
    std::fs::read_link(path).ok()
}
