//! The stand-in for the syslog daemon.

use pam_otp_testkit::artifacts::helper;
use pam_otp_testkit::pty::Pty;
use pam_otp_testkit::syslog::Collector;
use pam_otp_testkit::temp::TempDir;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);
const MESSAGE: &[u8] = b"<85>Nov 21 20:35:00 sshd[42]: pam_otp: denied\n";

#[test]
fn messages_are_collected_without_priority_and_time() {
    let directory = TempDir::new();
    let path = directory.path().join("log");
    let collector = Collector::bind(&path);
    UnixDatagram::unbound()
        .expect("socket")
        .send_to(MESSAGE, &path)
        .expect("send");
    let line = collector.wait_for(|line| line.contains("denied"), SOON);
    assert_eq!(line, "sshd[42]: pam_otp: denied");
    assert_eq!(
        collector.messages(),
        ["<85>Nov 21 20:35:00 sshd[42]: pam_otp: denied"]
    );
    collector.clear();
    assert!(collector.lines().is_empty());
}

#[test]
fn the_listener_prints_a_line_for_each_message() {
    let directory = TempDir::new();
    let path = directory.path().join("log");
    let mut command = Command::new(helper("syslog-listen"));
    command.arg(&path);
    let mut listener = Pty::spawn(command);
    let socket = UnixDatagram::unbound().expect("socket");
    // The listener is there when the first message goes through.
    while socket.send_to(MESSAGE, &path).is_err() {
        std::thread::yield_now();
    }
    listener.expect("sshd[42]: pam_otp: denied\r\n", SOON);
}
