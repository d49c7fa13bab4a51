//! A person at a terminal.

use crate::process::{Guard, check, readable};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long [`Pty::wait`] waits.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A program on a pseudo-terminal of its own, killed and reaped on drop.
#[derive(Debug)]
pub struct Pty {
    process: Guard,
    terminal: File,
    seen: Vec<u8>,
    /// How much of `seen` was expected already.
    matched: usize,
}

impl Pty {
    /// Starts the program in a new session, with the terminal as its
    /// controlling one and as its standard input, output and error.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let terminal = open_terminal();
        let line = || OwnedFd::from(open_line(&terminal));
        command.stdin(line()).stdout(line()).stderr(line());
        // SAFETY: signal, setsid and ioctl are async-signal-safe; descriptor 0 is
        // the terminal by now.
        unsafe {
            command.pre_exec(|| {
                // Whoever runs the tests in the background ignores them.
                for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
                    libc::signal(signal, libc::SIG_DFL);
                }
                check(libc::setsid())?;
                check(libc::ioctl(0, libc::TIOCSCTTY, 0))
            });
        }
        let process = Guard(command.spawn().expect("start a program on a terminal"));
        // `command` still holds our copies of the line; without them, the end
        // of the program is the end of its output.
        drop(command);
        Self {
            process,
            terminal,
            seen: Vec::new(),
            matched: 0,
        }
    }

    /// Waits until `text` appears after what was expected before; returns
    /// all output from there to the end of `text`.
    ///
    /// # Panics
    /// When it does not within `timeout`, or the program ends before it.
    pub fn expect(&mut self, text: &str, timeout: Duration) -> String {
        let end = Instant::now() + timeout;
        loop {
            // Asked before reading, so that the last words are not missed.
            let ended = self
                .process
                .try_wait()
                .expect("wait for the program")
                .is_some();
            self.read_available();
            if let Some(found) = self.find(text) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            let why = if ended {
                "the program ended"
            } else {
                "time is over"
            };
            if ended || left.is_zero() {
                panic!("{why} before {text:?}; seen so far:\n{}", self.output());
            }
            self.pause(left);
        }
    }

    /// Types a line and presses Enter.
    pub fn send_line(&mut self, line: &str) {
        self.terminal
            .write_all(format!("{line}\n").as_bytes())
            .expect("type on the terminal");
    }

    /// Types raw bytes, such as `b"\x04"` for Ctrl-D.
    pub fn send(&mut self, bytes: &[u8]) {
        self.terminal
            .write_all(bytes)
            .expect("type on the terminal");
    }

    /// Waits for the program's end (at most 30 s).
    ///
    /// # Panics
    /// When it does not end, with what was seen.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + TIMEOUT;
        loop {
            let status = self.process.try_wait().expect("wait for the program");
            self.read_available();
            if let Some(status) = status {
                return status;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the program does not end; seen so far:\n{}",
                self.output()
            );
            self.pause(left);
        }
    }

    /// All output so far.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// The program's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn find(&mut self, text: &str) -> Option<String> {
        let new = self.seen.get(self.matched..)?;
        let at = new
            .windows(text.len().max(1))
            .position(|window| window == text.as_bytes())?;
        let found = new.get(..at + text.len())?;
        let found = String::from_utf8_lossy(found).into_owned();
        self.matched += at + text.len();
        Some(found)
    }

    fn read_available(&mut self) {
        let mut buffer = [0; 4096];
        loop {
            match self.terminal.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => self.seen.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing there yet, or (EIO) nobody holds the line. The
                // latter need not be the end: login hangs up and reopens it.
                Err(_) => return,
            }
        }
    }

    /// Waits for output, and looks at the process now and then.
    fn pause(&self, at_most: Duration) {
        let moment = at_most.min(Duration::from_millis(20));
        if readable(self.terminal.as_fd(), moment) {
            // A line that nobody holds is always readable: do not spin on it.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The person's end of a new pseudo-terminal; reading does not block.
fn open_terminal() -> File {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: no memory is passed; the results are checked.
    let fd = unsafe { libc::posix_openpt(flags) };
    check(fd).expect("open a pseudo-terminal");
    // SAFETY: just opened and owned by nobody else.
    let terminal = unsafe { File::from_raw_fd(fd) };
    // Wide enough that nothing wraps.
    let size = libc::winsize {
        ws_row: 50,
        ws_col: 200,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the descriptor is open; TIOCSWINSZ reads one winsize.
    unsafe {
        check(libc::grantpt(fd)).expect("grantpt");
        check(libc::unlockpt(fd)).expect("unlockpt");
        check(libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size)).expect("TIOCSWINSZ");
    }
    terminal
}

/// The program's end.
fn open_line(terminal: &File) -> File {
    let mut name = [0; 64];
    // SAFETY: `name` has the length that is passed; ptsname_r ends it by NUL.
    let name = unsafe {
        let result = libc::ptsname_r(terminal.as_raw_fd(), name.as_mut_ptr(), name.len());
        assert_eq!(result, 0, "ptsname_r");
        std::ffi::CStr::from_ptr(name.as_ptr())
    };
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(name.to_str().expect("the name of a terminal"))
        .expect("open the line")
}
