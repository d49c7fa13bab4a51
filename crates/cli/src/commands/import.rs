//! `pam-otp import`: takes over what another program has.
//!
//! What of each format is read, and what becomes of it, is in
//! `docs/legacy-formats.md`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use pam_otp_core::legacy::oath::Pins;
use pam_otp_core::policy::StoreKind;
use pam_otp_core::recovery::RecoveryCode;
use pam_otp_core::state::State;
use pam_otp_core::store::Account;
use pam_otp_core::token::{MAX_TOKENS, Token, TokenFile, TokenName};
use pam_otp_core::user::UserName;

use crate::commands::recovery::{new_codes, show};
use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::{List, Object, Reply};
use crate::session::Session;

mod content;
mod source;

use content::{Content, Entry, Format, Read};
use source::{read_file, read_stdin};

/// From where, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The file; - is standard input
    file: PathBuf,

    /// What it is; told from its first line if not given
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Option<Format>,

    /// Add to a record that is there already; asks for a code first
    #[arg(long)]
    add: bool,

    /// Take lines with a PIN without it
    #[arg(long)]
    drop_pins: bool,
}

/// Makes records, or adds to them; never overwrites one. Tells of each entry
/// what became of it. What was used stays used.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let stdin = options.file.as_os_str() == "-";
    if !stdin && looks_like_uri(&options.file) {
        return Err(Error::Usage(
            "give URIs by standard input: others can read arguments".into(),
        ));
    }
    let mut reply = Reply::new();
    let text = if stdin {
        None
    } else {
        Some(read_file(session, &options.file, &mut reply)?)
    };
    let format = |text: &[u8]| options.from.unwrap_or_else(|| Format::guess(text));
    let known = text.as_deref().map_or(options.from, |text| Some(format(text)));
    // All users' records, or those of one: what a code opens is one record.
    let bulk = known == Some(Format::Oath);
    if bulk {
        session.require_charge()?;
    }
    // A record that comes into being later is not added to.
    let mut may_add = options.add && (session.administrator || bulk);
    if options.add && !may_add {
        if let Some(mut record) = session.find_record()? {
            prove(session, &mut record)?;
            may_add = true;
        }
    }
    // Out of another program's file that opens already, a record with recovery
    // codes is made: not for whoever finds the terminal open.
    if !session.administrator && !bulk && !options.add {
        let record = session.find_record()?;
        if let Some(mut record) = record.filter(|record| record.foreign().is_some()) {
            prove(session, &mut record)?;
        }
    }
    let text = text.map_or_else(read_stdin, Ok)?;
    let format = format(&text);
    if format == Format::Oath {
        session.require_charge()?;
    }
    let pins = if options.drop_pins {
        Pins::Drop
    } else {
        Pins::Refuse
    };
    let now = Session::now();
    let mut content = Content::read(&text, format, pins, session.policy.rules, now)?;
    for warning in content.warnings.drain(..) {
        reply.warn(warning);
    }
    let mut imported = Import {
        may_add: may_add || (options.add && format == Format::Oath),
        codes: None,
        reports: Vec::new(),
        understood: false,
    };
    match (format, session.administrator) {
        (Format::Oath, false) => imported.everybody(session, content.entries, &mut reply),
        (Format::Oath, true) => {
            let user = session.account.name();
            content
                .entries
                .retain(|entry| entry.user.as_ref() == Some(user));
            imported.one(session, content.entries, true);
        }
        (Format::Google | Format::Uri, _) => imported.one(session, content.entries, true),
    }
    let guessed = options.from.is_none().then(|| format.describe());
    imported.report(session, format, guessed, &mut reply)?;
    Ok(reply)
}

fn looks_like_uri(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.get(..7)
        .is_some_and(|head| head.eq_ignore_ascii_case("otpauth"))
        && text.contains("://")
}

/// What became of an entry.
struct Report {
    place: content::Place,
    user: Option<String>,
    /// The name that its token has now, or why it was refused.
    result: Result<TokenName, String>,
}

struct Import {
    /// The caller wants that, and may.
    may_add: bool,
    /// New recovery codes, of a record that was made.
    codes: Option<Vec<RecoveryCode>>,
    reports: Vec<Report>,
    /// Something in the file is a token, so it is what it was taken for.
    understood: bool,
}

impl Import {
    /// Entries of all users of a file.
    fn everybody(&mut self, session: &Session, entries: Vec<Entry>, reply: &mut Reply) {
        let mut groups: Vec<(Option<UserName>, Vec<Entry>)> = Vec::new();
        for entry in entries {
            match groups.iter_mut().find(|(user, _)| *user == entry.user) {
                Some((_, group)) => group.push(entry),
                None => groups.push((entry.user.clone(), vec![entry])),
            }
        }
        for (user, group) in groups {
            let Some(user) = user else {
                self.refuse(None, group, "it is not known whose it is");
                continue;
            };
            let account = match Account::resolve(&user) {
                Ok(account) => account,
                Err(error) => {
                    self.refuse(Some(user.as_str()), group, &error.to_string());
                    continue;
                }
            };
            if account.uid().is_none() && session.store.kind() == StoreKind::System {
                reply.warn(format!("user {user} is not known to this system"));
            }
            let session = session.about(account);
            let before = self.imported();
            self.one(&session, group, false);
            if self.imported() > before {
                session.log_done();
            }
        }
        self.reports.sort_by_key(|report| report.place.line);
    }

    /// Entries of one user.
    fn one(&mut self, session: &Session, entries: Vec<Entry>, with_codes: bool) {
        let user = session.user().to_owned();
        let mut reads = Vec::new();
        for entry in entries {
            match entry.read {
                Ok(read) => reads.push((entry.place, read)),
                Err(why) => self.reports.push(Report {
                    place: entry.place,
                    user: entry.user.map(|user| user.to_string()),
                    result: Err(why),
                }),
            }
        }
        if reads.is_empty() {
            return;
        }
        self.understood = true;
        let results = match self.put(session, &reads, with_codes) {
            Ok(results) => results,
            Err(error) => {
                let error = error.to_string();
                reads.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for ((place, _), result) in reads.into_iter().zip(results) {
            self.reports.push(Report {
                place,
                user: Some(user.clone()),
                result,
            });
        }
        self.reports
            .sort_by_key(|report| (report.place.line, report.place.number));
    }

    fn refuse(&mut self, user: Option<&str>, entries: Vec<Entry>, why: &str) {
        for entry in entries {
            self.understood |= entry.read.is_ok();
            self.reports.push(Report {
                place: entry.place,
                user: user.map(str::to_owned),
                result: Err(entry.read.err().unwrap_or_else(|| why.to_owned())),
            });
        }
    }

    /// Makes the record, or adds to it.
    fn put(
        &mut self,
        session: &Session,
        reads: &[(content::Place, Read)],
        with_codes: bool,
    ) -> Result<Vec<Result<TokenName, String>>, Error> {
        let Some(mut record) = session.find_record()? else {
            let mut merged = Merged::default();
            let results = reads.iter().map(|(_, read)| merged.add(read)).collect();
            if merged.tokens.is_empty() {
                return Ok(results);
            }
            let (set, codes) = if with_codes {
                let (set, codes) = new_codes()?;
                (Some(set), Some(codes))
            } else {
                (None, None)
            };
            let tokens = TokenFile::new(merged.tokens, set)?;
            session
                .store
                .enrol(&session.account, &tokens, &merged.state)?;
            self.codes = codes;
            return Ok(results);
        };
        if let Some(file) = record.foreign() {
            let why = format!(
                "there is {} already, with another token; pam-otp disable puts it aside",
                plain(file.display())
            );
            let mut merged = Merged {
                tokens: Vec::new(),
                state: record.state()?,
            };
            let results: Vec<_> = reads.iter().map(|(_, read)| merged.add(read)).collect();
            let mut there = record.tokens().tokens().iter();
            if !there.all(|token| merged.tokens.iter().any(|new| new.id() == token.id())) {
                return Ok(reads.iter().map(|_| Err(why.clone())).collect());
            }
            let (set, codes) = new_codes()?;
            let tokens = TokenFile::new(merged.tokens, Some(set))?;
            session
                .store
                .enrol(&session.account, &tokens, &merged.state)?;
            self.codes = Some(codes);
            return Ok(results);
        }
        if !self.may_add {
            let why = "there is a record already; --add adds to it";
            return Ok(reads.iter().map(|_| Err(why.to_owned())).collect());
        }
        let mut results = Vec::new();
        record.change(Session::now(), |tokens, state| {
            let mut merged = Merged {
                tokens: tokens.tokens().to_vec(),
                state: state.clone(),
            };
            results = reads.iter().map(|(_, read)| merged.add(read)).collect();
            let tokens = TokenFile::new(merged.tokens, tokens.recovery().cloned())?;
            Ok::<_, Error>((tokens, merged.state))
        })?;
        Ok(results)
    }

    fn imported(&self) -> usize {
        let imported = self.reports.iter().filter(|report| report.result.is_ok());
        imported.count()
    }

    fn report(
        self,
        session: &Session,
        format: Format,
        guessed: Option<&'static str>,
        reply: &mut Reply,
    ) -> Result<(), Error> {
        let (all, imported) = (self.reports.len(), self.imported());
        if all == 0 {
            return Err(Error::NothingToImport);
        }
        for report in &self.reports {
            reply.line(&report.line());
        }
        let refused = all.saturating_sub(imported);
        reply.line(&format!("Imported: {imported}. Refused: {refused}."));
        let entries = self.reports.iter().map(Report::object);
        reply.field("entries", entries.collect::<List>());
        reply.field("imported", imported);
        reply.field("refused", refused);
        match (&self.codes, format, session.administrator) {
            (Some(codes), _, _) => {
                reply.line(&format!(
                    "Two-factor login is on for {}. Recovery codes, each good for one login without \
                     the phone:",
                    plain(session.user())
                ));
                // Logged when they are shown.
                show(codes, reply);
                reply.line("Keep them in a safe place; they are not shown again.");
            }
            (None, Format::Oath, false) if imported > 0 => {
                reply.line(
                    "No recovery codes were made: each user makes them with pam-otp recovery, or the \
                     administrator with --user.",
                );
                reply.field("recovery_codes", None::<List>);
            }
            (None, ..) => {
                if imported > 0 {
                    session.log_done();
                    reply.line("Its recovery codes are as they were.");
                }
                reply.field("recovery_codes", None::<List>);
            }
        }
        if refused > 0 {
            reply.partly(Error::EntriesRefused {
                refused,
                all,
                guessed: guessed.filter(|_| !self.understood),
            });
        }
        Ok(())
    }
}

impl Report {
    fn line(&self) -> String {
        let mut line = self.place.describe();
        if let Some(user) = &self.user {
            let _ = write!(line, ": {}", plain(user));
        }
        match &self.result {
            Ok(name) => format!("{line}: imported \"{}\"", plain(name)),
            Err(why) => format!("{line}: refused: {}", plain(why)),
        }
    }

    fn object(&self) -> Object {
        let mut object = Object::new();
        object.push("line", self.place.line);
        object.push("entry", self.place.number);
        object.push("user", self.user.as_deref());
        object.push("imported", self.result.is_ok());
        let (token, reason) = match &self.result {
            Ok(name) => (Some(name.to_string()), None),
            Err(why) => (None, Some(why.as_str())),
        };
        object.push("token", token);
        object.push("reason", reason);
        object
    }
}

/// A record to be.
#[derive(Default)]
struct Merged {
    tokens: Vec<Token>,
    state: State,
}

impl Merged {
    /// Adds a token under a name of its own, with what is known of its codes.
    fn add(&mut self, read: &Read) -> Result<TokenName, String> {
        let id = read.token.id();
        if let Some(same) = self.tokens.iter().find(|token| token.id() == id) {
            return Err(format!("the record has this token, as \"{}\"", same.name));
        }
        if self.tokens.len() >= MAX_TOKENS {
            return Err(format!("a record has at most {MAX_TOKENS} tokens"));
        }
        let name = self.free(&read.token.name)?;
        let mut known = State::default();
        if let Some(step) = read.spent {
            known = known
                .spend(id, step)
                .ok_or("its last used step is at the end of all numbers")?;
        }
        if read.drift != 0 {
            known = known.follow(id, read.drift.into());
        }
        // What this record knows of it from before counts too.
        self.state = std::mem::take(&mut self.state).adopt(&known, id);
        self.tokens.push(Token {
            name: name.clone(),
            added: Some(Session::now()),
            ..read.token.clone()
        });
        Ok(name)
    }

    /// The name, with a number behind it if another token has it.
    fn free(&self, name: &TokenName) -> Result<TokenName, String> {
        let mut free = name.clone();
        let mut number = 1_u32;
        while self.tokens.iter().any(|token| token.name == free) {
            number = number.saturating_add(1);
            free = TokenName::new(&format!("{name} {number}")).map_err(|error| error.to_string())?;
        }
        Ok(free)
    }
}
