//! `pam-otp list`: who has two-factor login, and how it stands.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use pam_otp_core::store::{Account, Store, StoreError};
use pam_otp_core::time::UnixTime;
use pam_otp_core::user::UserName;
use pam_otp_core::verify::Rules;

use crate::columns::aligned;
use crate::commands::status::{day, no_place, throttled_until, when};
use crate::error::Error;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;

use accounts::People;

mod accounts;
mod patience;
mod users;

/// Longer than a record's lock is waited for. A home on a server that is gone
/// does not answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whom to list.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Users without two-factor login too
    #[arg(long)]
    all: bool,
}

/// One line for each user. Changes nothing, and shows no secret. One user's
/// record, whatever is wrong with it, keeps nobody else from being listed.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    session.require_charge()?;
    let mut reply = Reply::new();
    let names = names(session, &mut reply)?;
    let (store, rules, now) = (session.store.clone(), session.policy.rules, Session::now());
    let people = People::of_system();
    let looked = patience::each(names.clone(), PATIENCE, move |name: &String| {
        look(&store, name, people, rules, now)
    });
    let mut seen = BTreeSet::new();
    let mut rows: Vec<Row> = Vec::new();
    for (name, row) in names.into_iter().zip(looked) {
        let row = row.unwrap_or_else(|| Row {
            standing: Standing::Broken {
                word: "no_answer",
                why: format!("no answer in {} seconds", PATIENCE.as_secs()),
            },
            ..Row::off(name)
        });
        // A directory server may know one user by two names.
        if (options.all || session.administrator || !row.is_off()) && seen.insert(row.name.clone())
        {
            // Of all the system's users many have no home to speak of.
            if let (true, true, Some(warning)) =
                (session.administrator, row.is_off(), &row.no_place) {
                reply.warn(warning.clone());
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        reply.line("Nobody has two-factor login.");
    } else {
        for line in table(&rows) {
            reply.line(&line);
        }
    }
    reply.field("users", rows.iter().map(Row::object).collect::<List>());
    Ok(reply)
}

/// Whose records there may be; with `--user`, that one alone.
fn names(session: &Session, reply: &mut Reply) -> Result<Vec<String>, Error> {
    let entries = session.store.entries()?;
    if session.administrator {
        return Ok(vec![session.user().to_owned()]);
    }
    let Some(entries) = entries else {
        let (names, warning) = users::all()?;
        if let Some(warning) = warning {
            reply.warn(warning);
        }
        return Ok(names);
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = session.policy.system_store.join(&entry);
        match entry.into_string() {
            Ok(name) if is_set_aside(&name) => {
                reply.warn(format!("{}: a record that was set aside", path.display()));
            }
            Ok(name) if UserName::new(&name).is_ok() => names.push(name),
            _ => reply.warn(format!("{}: not a user's name", path.display())),
        }
    }
    Ok(names)
}

/// Is it called as a broken record is that was removed?
fn is_set_aside(name: &str) -> bool {
    let number = name.rsplit_once(".broken.").map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// One user.
#[derive(Clone, Debug)]
struct Row {
    name: String,
    /// The account is the system's own, and no person's.
    system_account: bool,
    standing: Standing,
    /// An enrolment that was begun waits for its first code.
    pending: bool,
    /// Since when, if that is known.
    since: Option<UnixTime>,
    tokens: usize,
    recovery_codes_left: usize,
    /// Seconds since the epoch; 0 for never.
    last_right_code: u64,
    /// Seconds since the epoch; 0 for not.
    throttled_until: u64,
    /// Why there could be no record of a user who has none.
    no_place: Option<String>,
}

#[derive(Clone, Debug)]
enum Standing {
    On,
    Off,
    Pending,
    Broken { word: &'static str, why: String },
}

impl Row {
    fn off(name: String) -> Self {
        Self {
            name,
            system_account: false,
            standing: Standing::Off,
            pending: false,
            since: None,
            tokens: 0,
            recovery_codes_left: 0,
            last_right_code: 0,
            throttled_until: 0,
            no_place: None,
        }
    }

    fn is_off(&self) -> bool {
        matches!(self.standing, Standing::Off)
    }

    fn word(&self) -> &'static str {
        match self.standing {
            Standing::On => "on",
            Standing::Off => "off",
            Standing::Pending => "pending",
            Standing::Broken { .. } => "broken",
        }
    }

    fn why(&self) -> Option<&str> {
        match &self.standing {
            Standing::Broken { why, .. } => Some(why),
            Standing::On | Standing::Off | Standing::Pending => None,
        }
    }

    fn object(&self) -> Object {
        let ever = |seconds: u64| Some(seconds).filter(|seconds| *seconds > 0);
        let mut object = Object::new();
        object.push("name", self.name.as_str());
        object.push("system_account", self.system_account);
        object.push("state", self.word());
        object.push(
            "reason",
            match self.standing {
                Standing::Broken { word, .. } => Some(word),
                _ => None,
            },
        );
        object.push("message", self.why());
        object.push("pending", self.pending);
        object.push("since", self.since.map(|time| time.0));
        object.push("tokens", self.tokens);
        object.push("recovery_codes_left", self.recovery_codes_left);
        object.push("last_right_code", ever(self.last_right_code));
        object.push("throttled_until", ever(self.throttled_until));
        object
    }
}

/// How one user's record stands.
fn look(store: &Store, name: &str, people: People, rules: Rules, now: UnixTime) -> Row {
    let row = Row::off(name.to_owned());
    let account = match UserName::new(name).map_err(Error::from) {
        Ok(name) => Account::resolve(&name).map_err(Error::from),
        Err(error) => Err(error),
    };
    let account = match account {
        Ok(account) => account,
        Err(error) => {
            return Row {
                standing: broken(&error),
                ..row
            };
        }
    };
    let row = Row {
        name: account.name().to_string(),
        system_account: account.uid().is_some_and(|uid| people.lack(uid)),
        ..row
    };
    // What a first login has begun or confirmed is that login's, or was a stranger's.
    let pending = store.pending(&account);
    let pending = pending.map(|it| it.filter(|it| it.login.is_none()));
    let opened = store.open(&account).and_then(|record| {
        let Some(record) = record else {
            return Ok(None);
        };
        // Without a lock: whoever holds one of their own keeps the list of all waiting.
        let state = record.glance()?;
        Ok(Some((record, state)))
    });
    let standing = match (opened, pending) {
        (Ok(Some((record, state))), pending) => {
            let tokens = record.tokens();
            return Row {
                standing: Standing::On,
                pending: matches!(pending, Ok(Some(pending)) if !pending.is_over(now)),
                since: tokens.since(),
                tokens: tokens.tokens().len(),
                recovery_codes_left: tokens.recovery_left(&state),
                last_right_code: state.history().success,
                throttled_until: throttled_until(rules, tokens, &state, now),
                ..row
            };
        }
        (Ok(None), Ok(Some(pending))) if !pending.is_over(now) => Standing::Pending,
        (Ok(None), Ok(_)) => Standing::Off,
        (Ok(None), Err(error)) => broken(&error.into()),
        (Err(error), _) => {
            return Row {
                no_place: Some(no_place(&error)),
                standing: not_opened(store, &account, error),
                ..row
            };
        }
    };
    Row {
        pending: matches!(standing, Standing::Pending),
        standing,
        ..row
    }
}

/// Many users of a system have no home, or one that is no place for a record.
/// They have none; but who has one there cannot log in with it.
fn not_opened(store: &Store, account: &Account, error: StoreError) -> Standing {
    match store.has_entry(account) {
        Ok(false) | Err(StoreError::Missing(_)) => Standing::Off,
        Ok(true) | Err(_) => broken(&error.into()),
    }
}

fn broken(error: &Error) -> Standing {
    Standing::Broken {
        word: error.code(),
        why: error.to_string(),
    }
}

/// Aligned columns; what has no bound stands last.
fn table(rows: &[Row]) -> Vec<String> {
    const HEADINGS: [&str; 8] = [
        "USER",
        "STATE",
        "SINCE",
        "TOKENS",
        "RECOVERY CODES",
        "LAST RIGHT CODE",
        "THROTTLED UNTIL",
        "WHAT IS WRONG",
    ];
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    aligned(&lines)
}

fn cells(row: &Row) -> [String; 8] {
    let on = matches!(row.standing, Standing::On);
    let shown = |text: String| if on { text } else { "-".to_owned() };
    [
        plain(&row.name),
        match (on, row.pending) {
            (true, true) => "on, pending".to_owned(),
            _ => row.word().to_owned(),
        },
        row.since.map_or_else(|| "-".to_owned(), day),
        shown(row.tokens.to_string()),
        shown(row.recovery_codes_left.to_string()),
        shown(when(row.last_right_code)),
        match row.throttled_until {
            0 => "-".to_owned(),
            until => when(until),
        },
        row.why().map(plain).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_names_cannot_break_them() {
        let rows = [
            Row {
                standing: Standing::On,
                since: Some(UnixTime(1_600_000_000)),
                tokens: 2,
                recovery_codes_left: 10,
                last_right_code: 1_700_000_000,
                throttled_until: 1_700_000_060,
                ..Row::off("alice".to_owned())
            },
            Row {
                standing: Standing::Broken {
                    word: "bad_token_file",
                    why: "a\nb".to_owned(),
                },
                ..Row::off("EXAMPLE\\b\u{202e}".to_owned())
            },
        ];
        let expected = [
            "USER               STATE   SINCE       TOKENS  RECOVERY CODES  LAST RIGHT CODE       THROTTLED UNTIL       WHAT IS WRONG",
            "alice              on      2020-09-13  2       10              2023-11-14T22:13:20Z  2023-11-14T22:14:20Z",
            "EXAMPLE\\b\\u{202e}  broken  -           -       -               -                     -                     a\\nb",
        ];
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn what_was_set_aside_is_told_from_users() {
        for (name, aside) in [
            ("alice.broken.0", true),
            (".pam-otp.broken.17", true),
            ("alice.broken.", false),
            ("alice.broken.x", false),
            ("alice", false),
        ] {
            assert_eq!(is_set_aside(name), aside, "{name}");
        }
    }
}
