//! What the administrator gets to read about this command.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::plain::plain;

/// Facility authpriv (10), severity notice (5): RFC 3164, section 4.1.1.
const PRIORITY: u8 = 10 * 8 + 5;

/// One line in the system's log: what was done for whom, and by whom. A system
/// without a log keeps nobody from enrolling.
pub(crate) fn done(action: &str, user: &str, by: &str, path: &Path) {
    send(&line(action, &[("user", user)], by, path));
}

/// The same of a change of the policy: what was changed, and by whom.
pub(crate) fn changed(action: &str, what: &[(&str, String)], by: &str, path: &Path) {
    let what: Vec<_> = what.iter().map(|(key, value)| (*key, &**value)).collect();
    send(&line(action, &what, by, path));
}

fn send(line: &str) {
    // What syslog(3) sends, but for the time: the log has its own clock.
    let message = format!("<{PRIORITY}>pam-otp[{}]: {line}", std::process::id());
    if let Ok(socket) = UnixDatagram::unbound() {
        // A log that is stuck is none.
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(message.as_bytes(), "/dev/log");
    }
}

fn line(action: &str, what: &[(&str, &str)], by: &str, path: &Path) -> String {
    let path = path.display().to_string();
    let pairs = [("by", by), ("outcome", "done"), ("path", &path)];
    what.iter()
        .chain(&pairs)
        .fold(format!("action={action}"), |line, (key, value)| {
            format!("{line} {key}={}", quoted(value))
        })
}

/// Bare where it is plain, else in quotes with escapes, as the module does it.
fn quoted(value: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-._@:/+%,".contains(c);
    if !value.is_empty() && value.chars().all(bare) {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", plain(escaped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_forge_a_pair_or_a_line() {
        let path = Path::new("/home/alice/.pam-otp");
        for (user, expected) in [
            ("alice", "alice"),
            ("a b", "\"a b\""),
            ("a\" by=root", "\"a\\\" by=root\""),
            ("EXAMPLE\\a", "\"EXAMPLE\\\\a\""),
            ("a\nb\u{202e}", "\"a\\nb\\u{202e}\""),
        ] {
            assert_eq!(
                line("disable", &[("user", user)], "root", path),
                format!(
                    "action=disable user={expected} by=root outcome=done path=/home/alice/.pam-otp"
                )
            );
        }
    }
}
