//! usage: `syslog-listen PATH`: stands in for a syslog daemon at a socket and
//! prints each message as a line, without priority and time.

use pam_otp_testkit::syslog;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("syslog-listen: error: no path of a socket");
        return ExitCode::from(2);
    };
    let socket = syslog::bind(Path::new(&path));
    let mut buffer = vec![0; syslog::LONGEST];
    let mut output = std::io::stdout();
    while let Ok(length) = socket.recv(&mut buffer) {
        let message = syslog::text(&buffer[..length]);
        let written = writeln!(output, "{}", syslog::strip(&message));
        if written.and_then(|()| output.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}
