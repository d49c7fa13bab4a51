//! The journal, by `journalctl`: it knows who wrote a line.

use std::io::{self, BufRead, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use pam_otp_core::time::UnixTime;
use serde_json::Value;

use super::deadline::{Deadline, Patient};
use super::line::Entry;
use super::{End, Event, Found, Limit, MOST, Stopped, Wanted};

/// By these names alone: what stands in PATH is the caller's.
const PROGRAMS: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
/// There while journald runs.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Most bytes of an entry: three fields, whose values it cuts at 4096.
const LONGEST: u64 = 64 * 1024;

/// What reads the journal, if there is one.
pub(super) fn program() -> Result<&'static str, String> {
    if !Path::new(SOCKET).exists() {
        return Err("no journald runs".to_owned());
    }
    let program = PROGRAMS.into_iter().find(|path| Path::new(path).is_file());
    program.ok_or_else(|| "no journalctl is installed".to_owned())
}

/// Our lines, the newest first.
pub(super) fn read(program: &str, wanted: &Wanted, deadline: Deadline) -> Result<Found, String> {
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
    ask(command.env_clear(), wanted, deadline).map_err(|error| format!("{program}: {error}"))
}

/// Takes what the program prints; ends it where that is enough, or lasts too long.
fn ask(command: &mut Command, wanted: &Wanted, deadline: Deadline) -> io::Result<Found> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut events = Vec::new();
    let stdout = child.stdout.take();
    let gathered = stdout.map_or(Ok(End::Enough), |pipe| {
        let mut reader = BufReader::new(Patient { pipe, deadline });
        gather(&mut reader, wanted, MOST, &mut events)
    });
    if !matches!(gathered, Ok(End::Reached)) {
        // Of a long journal the rest is of no use.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let end = gathered?;
    let mut unread = Vec::new();
    if end == End::Reached && !status.success() {
        if events.is_empty() {
            return Err(io::Error::other(status.to_string()));
        }
        unread.push(format!("journalctl: {status}"));
    }
    Ok(Found::new("journal".to_owned(), events, end, unread))
}

/// Takes entries until there are enough, and looks at no more than `most`.
fn gather(
    reader: &mut impl BufRead,
    wanted: &Wanted,
    most: usize,
    events: &mut Vec<Event>,
) -> io::Result<End> {
    let mut line = Vec::new();
    let (mut looked, mut back_to) = (0, None);
    let stopped = |limit, back_to| Ok(End::Stopped(Stopped { limit, back_to }));
    loop {
        if wanted.are_enough(events) {
            return Ok(End::Enough);
        }
        match read_line(reader, &mut line) {
            Ok(()) if line.is_empty() => return Ok(End::Reached),
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return stopped(Limit::Time, back_to);
            }
            Err(error) => return Err(error),
        }
        if looked >= most {
            return stopped(Limit::Lines, back_to);
        }
        looked = looked.saturating_add(1);
        let Some((time, fields)) = fields(&line) else {
            continue;
        };
        back_to = Some(time);
        let event = event(time, &fields).filter(|event| wanted.has(&event.entry));
        if let Some(event) = event.filter(|event| !wanted.is_after(event.time)) {
            if let Err(stopped) = wanted.add(events, event) {
                return Ok(End::Stopped(stopped));
            }
        }
    }
}

/// Reads one line; of one that is too long to be ours, the beginning.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    reader.by_ref().take(LONGEST).read_until(b'\n', line)?;
    if !line.is_empty() && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
    }
    Ok(())
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
    use std::time::Duration;

    use super::*;

    fn all() -> Wanted {
        Wanted {
            user: None,
            service: None,
            since: None,
            until: None,
            lines: Some(2),
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
        let stopped = |back_to| {
            let limit = Limit::Lines;
            End::Stopped(Stopped { limit, back_to })
        };
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
    fn an_entry_without_measure_is_counted_once() {
        let entry = |time: u64, message: &str| {
            let time = (time * 1_000_000).to_string();
            let entry = serde_json::json!({"__REALTIME_TIMESTAMP": time, "MESSAGE": message});
            format!("{entry}\n")
        };
        let ours = "pam_otp(su:auth): outcome=denied";
        let lines = [
            entry(3, ours),
            entry(2, &"y".repeat(200_000)),
            entry(1, ours),
        ]
        .concat();
        let mut events = Vec::new();
        let wanted = Wanted {
            lines: None,
            ..all()
        };
        let end = gather(&mut lines.as_bytes(), &wanted, 3, &mut events);
        assert_eq!(end.unwrap(), End::Reached);
        assert_eq!(events.len(), 2);
    }

    #[test]
    fn a_program_that_never_ends_is_ended() {
        for script in [
            "exec /bin/sleep 100000",
            "exec /usr/bin/yes nonsense",
            "exec /bin/cat /dev/zero",
        ] {
            let mut command = Command::new("/bin/sh");
            let deadline = Deadline::after(Duration::from_millis(100));
            let found = ask(command.args(["-c", script]), &all(), deadline).unwrap();
            let stopped = found.stopped.unwrap();
            assert!(
                stopped.limit == Limit::Time || script.ends_with("nonsense"),
                "{script}: {stopped:?}"
            );
        }
    }

    #[test]
    fn that_the_journal_cannot_be_read_to_its_end_is_told_with_what_was_read() {
        let ask = |script: &str| {
            let mut command = Command::new("/bin/sh");
            let deadline = Deadline::after(Duration::from_secs(600));
            ask(command.args(["-c", script]), &all(), deadline)
        };
        let entry = "echo '{\"__REALTIME_TIMESTAMP\":\"1000000\",\
                     \"MESSAGE\":\"pam_otp(su:auth): outcome=denied\"}'";
        let found = ask(&format!("{entry}; exit 1")).unwrap();
        assert_eq!((found.events.len(), found.stopped), (1, None));
        assert_eq!(found.unread, ["journalctl: exit status: 1"]);
        assert!(ask(entry).unwrap().unread.is_empty());
        assert!(ask("exit 1").is_err());
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
