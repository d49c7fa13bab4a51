//! What the administrator gets to read: a stand-in for the syslog daemon.

use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// More than any message of the C library.
pub const LONGEST: usize = 64 * 1024;

/// Collects the messages sent to a socket such as `/dev/log`.
#[derive(Debug)]
pub struct Collector {
    socket: Arc<UnixDatagram>,
    messages: Arc<Messages>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Messages {
    raw: Mutex<Vec<String>>,
    arrived: Condvar,
}

impl Collector {
    /// Listens at `path`, where nothing may be yet, for every user.
    #[must_use]
    pub fn bind(path: &Path) -> Self {
        let socket = Arc::new(bind(path));
        let messages = Arc::new(Messages::default());
        let (listening, heard) = (Arc::clone(&socket), Arc::clone(&messages));
        let thread = std::thread::spawn(move || listen(&listening, &heard));
        Self {
            socket,
            messages,
            thread: Some(thread),
        }
    }

    /// All messages so far as `program[pid]: text`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.raw()
            .iter()
            .map(|message| strip(message).to_owned())
            .collect()
    }

    /// All messages so far as they came, `<priority>time program[pid]: text`.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.raw().clone()
    }

    /// The first line that is `wanted`, waiting for it if it must.
    ///
    /// # Panics
    /// After `timeout`, with the lines that did come.
    pub fn wait_for(&self, wanted: impl Fn(&str) -> bool, timeout: Duration) -> String {
        let end = Instant::now() + timeout;
        let mut raw = self.raw();
        loop {
            if let Some(line) = raw
                .iter()
                .map(|message| strip(message))
                .find(|line| wanted(line))
            {
                return line.to_owned();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the line did not come within {timeout:?}; came: {raw:#?}"
            );
            raw = self
                .messages
                .arrived
                .wait_timeout(raw, left)
                .expect("messages")
                .0;
        }
    }

    /// Forgets what came so far.
    pub fn clear(&self) {
        self.raw().clear();
    }

    fn raw(&self) -> MutexGuard<'_, Vec<String>> {
        self.messages.raw.lock().expect("messages")
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Wakes the thread: its recv returns nothing.
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A datagram socket at `path` that everybody may write to.
#[must_use]
pub fn bind(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path)
        .unwrap_or_else(|error| panic!("cannot listen at {}: {error}", path.display()));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
        .expect("open the socket to all");
    socket
}

/// A datagram as text. Line breaks inside stay: a test may look for them.
#[must_use]
pub fn text(datagram: &[u8]) -> String {
    String::from_utf8_lossy(datagram)
        .trim_end_matches(['\n', '\0'])
        .to_owned()
}

/// The message without `<priority>` and without the C library's time.
#[must_use]
pub fn strip(message: &str) -> &str {
    let rest = match message
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
    {
        Some((_, rest)) => rest,
        None => message,
    };
    // "Jan  2 03:04:05 "
    let is_time = matches!(
        rest.as_bytes(),
        [
            _,
            _,
            _,
            b' ',
            _,
            _,
            b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            b' ',
            ..
        ]
    );
    if is_time {
        rest.get(16..).unwrap_or(rest)
    } else {
        rest
    }
}

fn listen(socket: &UnixDatagram, messages: &Messages) {
    let mut buffer = vec![0; LONGEST];
    loop {
        match socket.recv(&mut buffer) {
            // After shutdown; an empty message says nothing either way.
            Ok(0) | Err(_) => return,
            Ok(length) => {
                messages
                    .raw
                    .lock()
                    .expect("messages")
                    .push(text(&buffer[..length]));
                messages.arrived.notify_all();
            }
        }
    }
}
