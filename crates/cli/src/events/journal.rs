//! The journal, by `journalctl`: it knows who wrote a line.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use pam_otp_core::time::UnixTime;
use serde_json::Value;

use super::line::Entry;
use super::{End, Event, Found, MOST, Stopped, Wanted};

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
    if let Some(until) = wanted.until {
        // To the end of that second.
        command.arg(format!("--until=@{}", until.0.saturating_add(1)));
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
    let gathered = stdout.map_or(Ok(End::Enough), |stdout| {
        gather(&mut BufReader::new(stdout), wanted, MOST, &mut events)
    });
    if !matches!(gathered, Ok(End::Reached)) {
        // Of a long journal the rest is of no use.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    let end = gathered.map_err(failed)?;
    if end == End::Reached && !status.success() && events.is_empty() {
        return Err(format!("{program}: {status}"));
    }
    Ok(Found::new("journal".to_owned(), events, end))
}

/// Takes entries until there are enough, and looks at no more than `most`.
fn gather(
    reader: &mut impl std::io::BufRead,
    wanted: &Wanted,
    most: usize,
    events: &mut Vec<Event>,
) -> std::io::Result<End> {
    let mut line = Vec::new();
    let (mut looked, mut back_to) = (0, None);
    loop {
        if events.len() >= wanted.lines {
            return Ok(End::Enough);
        }
        line.clear();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(End::Reached);
        }
        if looked >= most {
            return Ok(End::Stopped(Stopped { back_to }));
        }
        looked = looked.saturating_add(1);
        let Some((time, fields)) = fields(&line) else {
            continue;
        };
        back_to = Some(time);
        let event = event(time, &fields).filter(|event| wanted.has(&event.entry));
        events.extend(event.filter(|event| !wanted.is_after(event.time)));
    }
}

/// An entry, and when the journal took it in.
fn fields(line: &[u8]) -> Option<(UnixTime, Value)> {
    let fields: Value = serde_json::from_slice(line).ok()?;
    let time: u64 = text(fields.get("__REALTIME_TIMESTAMP")?)?.parse().ok()?;
    Some((UnixTime(time / 1_000_000), fields))
}

fn event(time: UnixTime, fields: &Value) -> Option<Event> {
    let text = |name: &str| text(fields.get(name)?);
    let program = text("SYSLOG_IDENTIFIER").unwrap_or_default();
    Some(Event {
        time,
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
            until: None,
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
        let end = gather(&mut said.concat().as_bytes(), &all(), 10, &mut events);
        assert_eq!(end.unwrap(), End::Enough);
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
    fn where_looking_was_stopped_is_told_and_only_where_there_is_more() {
        let lines = ["3500000", "2500000", "nonsense", "1500000"]
            .map(|time| format!("{{\"__REALTIME_TIMESTAMP\":\"{time}\",\"MESSAGE\":\"x\"}}\n"));
        let stopped = |back_to| End::Stopped(Stopped { back_to });
        for (most, end) in [
            (0, stopped(None)),
            (2, stopped(Some(UnixTime(2)))),
            (3, stopped(Some(UnixTime(2)))),
            (4, End::Reached),
        ] {
            let mut events = Vec::new();
            let all = gather(&mut lines.concat().as_bytes(), &all(), most, &mut events);
            assert_eq!(all.unwrap(), end, "{most}");
        }
    }

    #[test]
    fn a_message_that_is_no_utf_8_comes_as_bytes() {
        let bytes = *b"pam_otp(su:auth): outcome=denied user=\"\xff\"";
        let line =
            serde_json::json!({"__REALTIME_TIMESTAMP": "1000000", "MESSAGE": bytes.as_slice()});
        let (time, fields) = fields(line.to_string().as_bytes()).unwrap();
        let event = event(time, &fields).unwrap();
        assert_eq!(event.entry.value("user"), Some("\u{fffd}"));
        assert_eq!((event.time.0, event.writer), (1, None));
    }
}
