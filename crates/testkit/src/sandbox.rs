//! A private world for real programs: sshd, sudo, su and login run as root
//! and as users that exist nowhere else, and the machine stays as it is.
//!
//! Own copies inside: `/etc`, `/home`, `/root`, `/run`, `/var`, `/dev`. Of the
//! machine's users only the system's own are in that `/etc`, so that a test's
//! users can have any name.
//! Shared with the machine: programs, `/tmp`, `/proc`, the network, and the
//! numbers of processes and terminals.

mod namespace;

use crate::artifacts;
use crate::pam::Stack;
use crate::race::{Finish, race_with};
use crate::syslog::Collector;
use namespace::Namespace;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where the module, the command and the helpers are inside.
const OWN: &str = "/run/pam-otp-test";
/// What programs inside find by name.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The private world. It ends on drop, and all processes in it.
#[derive(Debug)]
pub struct Sandbox {
    // Before the namespace: it listens inside.
    syslog: Collector,
    namespace: Namespace,
    module: OnceLock<PathBuf>,
    program: OnceLock<PathBuf>,
    pam_try: OnceLock<PathBuf>,
}

impl Sandbox {
    /// Makes a sandbox. Needs root, `/proc` and mount namespaces; says what
    /// is missing.
    pub fn new() -> Result<Self, String> {
        // SAFETY: geteuid cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            return Err("a sandbox needs root".to_owned());
        }
        // Homes are others' inside, and cargo may lie in one.
        artifacts::build_all();
        let namespace = Namespace::new(concat!(
            include_str!("sandbox/people.sh"),
            include_str!("sandbox/setup.sh")
        ))?;
        let syslog = namespace.inside(|| Collector::bind(Path::new("/dev/log")));
        let (module, program, pam_try) = Default::default();
        Ok(Self {
            syslog,
            namespace,
            module,
            program,
            pam_try,
        })
    }

    /// A sandbox, or None and a word on standard error when not root, so
    /// that a test can end early.
    ///
    /// # Panics
    /// When root cannot have one either.
    #[must_use]
    pub fn or_skip() -> Option<Self> {
        // SAFETY: geteuid cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            eprintln!("SKIPPED: this test needs root");
            return None;
        }
        Some(Self::new().expect("a sandbox"))
    }

    /// A command that runs inside, as root, in `/`, with a clean environment.
    /// (Its `current_dir` and `uid` would apply outside: leave them.)
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", PATH).env("HOME", "/root");
        command.env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
        self.namespace.enter_before_exec(&mut command);
        command
    }

    /// A command that runs inside as `user`, in `/`; PAM is not asked.
    #[must_use]
    pub fn command_as(&self, user: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.command("setpriv");
        command
            .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
            .arg(program);
        command
            .env("HOME", format!("/home/{user}"))
            .env("USER", user)
            .env("LOGNAME", user);
        command
    }

    /// Runs `work` on a thread that is inside: files, users and
    /// [`Application`](crate::pam::Application) are then the sandbox's.
    ///
    /// What such an application logs may reach another sandbox's log: the C
    /// library keeps one connection for the whole process. To look at the log,
    /// let [`Sandbox::race`] start a process, if only one.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.inside(work)
    }

    /// Writes a file of root's, and the directories above it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) {
        let (path, content) = (path.as_ref(), content.as_ref());
        self.inside(|| {
            let result = path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(path, content))
                .and_then(|()| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)));
            result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        });
    }

    /// The content of a file.
    #[must_use]
    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = path.as_ref();
        self.inside(|| std::fs::read(path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Adds a user with a home in `/home` and a password.
    pub fn add_user(&self, name: &str, password: &str) {
        run(
            self.command("useradd")
                .args(["--create-home", "--shell", "/bin/sh", name]),
            "",
        );
        run(
            &mut self.command("chpasswd"),
            &format!("{name}:{password}\n"),
        );
    }

    /// Writes `/etc/pam.d/NAME`; `{module}` stands for the module.
    pub fn pam_service(&self, name: &str, lines: &str) {
        let lines = crate::pam::with_module(lines, || self.module());
        self.write(
            Path::new("/etc/pam.d").join(name),
            format!("{lines}\n"),
            0o644,
        );
    }

    /// A stack inside, for [`Sandbox::race`], and for applications that run
    /// [`Sandbox::inside`].
    #[must_use]
    pub fn stack(&self, service: &str, lines: &str) -> Stack {
        self.pam_service(service, lines);
        Stack::existing(service, None)
    }

    /// [`race`](crate::race::race) inside.
    #[must_use]
    pub fn race(&self, stack: &Stack, entrants: &[(&str, &str)]) -> Vec<Finish> {
        let program = self.pam_try();
        race_with(|| self.command(&program), stack, entrants)
    }

    /// The system's log, `/dev/log` inside.
    #[must_use]
    pub fn syslog(&self) -> &Collector {
        &self.syslog
    }

    /// The module's path inside.
    #[must_use]
    pub fn module(&self) -> PathBuf {
        self.install(&self.module, "pam_otp.so", artifacts::module)
    }

    /// Puts the module where libpam looks for one that is named without a path.
    pub fn install_module(&self) {
        let script = format!(
            "at=$(dirname \"$(find /lib /usr/lib /lib64 -name pam_unix.so 2>/dev/null | head -n 1)\") && \
             mkdir /run/modules && cp -a \"$at/.\" /run/modules/ && \
             cp {} /run/modules/pam_otp.so && mount --bind /run/modules \"$at\"",
            self.module().display()
        );
        run(self.command("sh").args(["-euc", &script]), "");
    }

    /// The path inside of the command `pam-otp`.
    #[must_use]
    pub fn pam_otp(&self) -> PathBuf {
        self.install(&self.program, "pam-otp", artifacts::command)
    }

    /// The path inside of the helper `pam-try`.
    #[must_use]
    pub fn pam_try(&self) -> PathBuf {
        self.install(&self.pam_try, "pam-try", || artifacts::helper("pam-try"))
    }

    /// A directory of the kit's own inside, readable by all.
    #[must_use]
    pub fn own(&self) -> &'static Path {
        Path::new(OWN)
    }

    // Copied, because a home directory on the way may be closed to users, and
    // /home, /root and /var are others' inside.
    fn install(
        &self,
        once: &OnceLock<PathBuf>,
        name: &str,
        built: impl FnOnce() -> PathBuf,
    ) -> PathBuf {
        let copy = || {
            // By a program of its own: if we wrote it, a process that another
            // thread forks meanwhile would hold it open for writing, and
            // starting it would fail ("Text file busy").
            let path = self.own().join(name);
            let built = std::fs::File::open(built()).expect("open what was built");
            let mut copy = self.command("sh");
            copy.args(["-euc", "cat >\"$1\"; chmod 755 \"$1\"", "sh"])
                .arg(&path);
            let copied = copy.stdin(built).status().expect("start sh in the sandbox");
            assert!(copied.success(), "copying {name} into the sandbox failed");
            path
        };
        once.get_or_init(copy).clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.namespace.end_processes();
    }
}

/// Runs a command to its end with `input`; returns what it printed.
///
/// # Panics
/// When it fails, with what it said.
pub fn run(command: &mut Command, input: &str) -> String {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = process.stdin.take().expect("a pipe");
    // A program that needs no input may be gone.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = process.wait_with_output().expect("run a command");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}: {said}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
