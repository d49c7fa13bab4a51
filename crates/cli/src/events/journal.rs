//! The journal, by `journalctl`: it knows who wrote a line.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use pam_otp_core::time::UnixTime;
use serde_json::Value;

use super::line::Entry;
use super::{Event, Found, MOST, Wanted};

/// By these names alone: what stands in PATH is the caller's.
const PROGRAMS: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
/// There while journald runs.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Most bytes of an entry: three fields, whose values it cuts at 4096.
const LONGEST: u64 = 64 * 1024;

/// Our lines, the newest first.
pub(super) fn read(wanted: &Wanted) -> Result<Found, String> {
    if !Path::new(SOCKET).exists() {
        return Err("no journald runs".to_owned());
    }
    let program = PROGRAMS.into_iter().find(|path| Path::new(path).is_file());
    let program = program.ok_or_else(|| "no journalctl is installed".to_owned())?;
    let mut command = Command::new(program);
    command
        .args(["--no-pager", "--quiet", "--reverse", "--output=json"])
        .arg("--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_UID")
        // authpriv, as the module and the command write.
        .arg("SYSLOG_FACILITY=10");
    if let Some(since) = wanted.since {
        command.arg(format!("--since=@{}", since.0));
    }
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut events = Vec::new();
    let stdout = child.stdout.take();
    let gathered = stdout.map_or(Ok(false), |stdout| {
        gather(&mut BufReader::new(stdout), wanted, &mut events)
    });
    if !matches!(gathered, Ok(true)) {
        // Of a long journal the rest is of no use.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    let read_to_its_end = gathered.map_err(failed)?;
    if read_to_its_end && !status.success() && events.is_empty() {
        return Err(format!("{program}: {status}"));
    }
    let log = "journal".to_owned();
    Ok(Found { log, events })
}

/// Takes entries until there are enough; whether all were read.
fn gather(
    reader: &mut impl std::io::BufRead,
    wanted: &Wanted,
    events: &mut Vec<Event>,
) -> std::io::Result<bool> {
    let mut line = Vec::new();
    for _ in 0..MOST {
        if events.len() >= wanted.lines {
            return Ok(false);
        }
        line.clear();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(true);
        }
        events.extend(event(&line).filter(|event| wanted.has(&event.entry)));
    }
    Ok(false)
}

fn event(line: &[u8]) -> Option<Event> {
    let fields: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| text(fields.get(name)?);
    let time: u64 = text("__REALTIME_TIMESTAMP")?.parse().ok()?;
    let program = text("SYSLOG_IDENTIFIER").unwrap_or_default();
    Some(Event {
        time: UnixTime(time / 1_000_000),
        writer: text("_UID").and_then(|uid| uid.parse().ok()),
        entry: Entry::parse(&program, &text("MESSAGE")?)?,
    })
}

/// A field: a string, or its bytes one by one where it is none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let byte = |byte: &Value| u8::try_from(byte.as_u64()?).ok();
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Wanted {
        Wanted {
            user: None,
            service: None,
            since: None,
            lines: 2,
        }
    }

    #[test]
    fn entries_are_taken_until_there_are_enough() {
        let entry = |user: &str, uid: &str| {
            format!(
                "{{\"__REALTIME_TIMESTAMP\":\"1795329647123456\",\"_UID\":\"{uid}\",\
                 \"SYSLOG_IDENTIFIER\":\"sshd\",\
                 \"MESSAGE\":\"pam_otp(sshd:auth): outcome=denied user={user}\"}}\n"
            )
        };
        let others =
            "{\"MESSAGE\":null,\"__REALTIME_TIMESTAMP\":\"1\"}\n{\"MESSAGE\":\"x\"}\nnonsense\n";
        let said = [
            &entry("alice", "0"),
            others,
            &entry("bob", "1000"),
            &entry("carol", "0"),
        ];
        let mut events = Vec::new();
        let whole = gather(&mut said.concat().as_bytes(), &all(), &mut events).unwrap();
        assert!(!whole);
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.time.0, event.writer, event.entry.value("user")))
            .collect();
        assert_eq!(
            told,
            [
                (1_795_329_647, Some(0), Some("alice")),
                (1_795_329_647, Some(1000), Some("bob")),
            ]
        );
    }

    #[test]
    fn a_message_that_is_no_utf_8_comes_as_bytes() {
        let bytes = *b"pam_otp(su:auth): outcome=denied user=\"\xff\"";
        let line =
            serde_json::json!({"__REALTIME_TIMESTAMP": "1000000", "MESSAGE": bytes.as_slice()});
        let event = event(line.to_string().as_bytes()).unwrap();
        assert_eq!(event.entry.value("user"), Some("\u{fffd}"));
        assert_eq!((event.time.0, event.writer), (1, None));
    }
}
