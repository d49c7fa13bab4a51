//! The system store in a directory of the test's own; what needs other users
//! and real homes is tested through the module.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::code::{Algorithm, Digits, Secret};
use crate::recovery::RecoverySet;
use crate::state::slots::FILE;
use crate::throttle::Throttle;
use crate::time::Period;
use crate::token::{Kind, Token, TokenName};
use crate::user::UserName;
use crate::verify::Refusal;

mod change;
mod damage;
mod list;

/// A directory that goes when the test ends.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("pam-otp-core-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const NOW: UnixTime = UnixTime(1_700_000_010);
const RULES: Rules = Rules {
    window: 1,
    look_ahead: 10,
    drift: 2,
    throttle: Throttle {
        tries: 3,
        first_wait: 30,
    },
    remember: 0,
};

/// A system store with nobody in it.
struct World {
    directory: TempDir,
    store: Store,
    account: Account,
}

impl World {
    fn new() -> Self {
        let directory = TempDir::new();
        let store = Store {
            kind: StoreKind::System,
            system: directory.path().to_owned(),
            memory: directory.path().join("memory"),
            may_be_unwritable: false,
            legacy: None,
            drift: 2,
        };
        // A name that no system has: the system store needs no system user.
        let name = UserName::new("panel user@example.org").unwrap();
        let account = Account::resolve(&name).unwrap();
        Self {
            directory,
            store,
            account,
        }
    }

    fn enrolled() -> Self {
        let world = Self::new();
        world
            .store
            .enrol(&world.account, &tokens(1), &State::default())
            .unwrap();
        world
    }

    fn record(&self) -> PathBuf {
        self.directory.path().join("panel user@example.org")
    }

    fn open(&self) -> Record {
        self.store.open(&self.account).unwrap().unwrap()
    }

    fn refused(&self) -> String {
        match self.store.open(&self.account) {
            Err(error) => error.to_string(),
            Ok(Some(mut record)) => record.state().unwrap_err().to_string(),
            Ok(None) => "unenrolled".to_owned(),
        }
    }
}

fn phone(byte: u8) -> Token {
    Token {
        name: TokenName::new("phone").unwrap(),
        label: crate::label::Label::default(),
        kind: Kind::Totp {
            period: Period::DEFAULT,
        },
        secret: Secret::new(&[byte; 20]).unwrap(),
        algorithm: Algorithm::Sha1,
        digits: Digits::DEFAULT,
        added: None,
    }
}

fn tokens(byte: u8) -> TokenFile {
    let (recovery, _) = RecoverySet::generate(&[byte; RecoverySet::ENTROPY]);
    TokenFile::new(vec![phone(byte)], Some(recovery)).unwrap()
}

fn code(byte: u8, step_offset: i64) -> Answer {
    let step = Period::DEFAULT
        .step_at(NOW)
        .checked_add_signed(step_offset)
        .unwrap();
    Answer::Code(phone(byte).generator().code(step))
}

fn word(record: &mut Record, answer: &Answer) -> &'static str {
    match record.decide(answer, &Source::local("alice"), RULES, NOW) {
        Ok(Verdict::Accepted(_)) => "accepted",
        Ok(Verdict::Refused(refusal)) => refusal.word(),
        Err(error) => error.word(),
    }
}

#[test]
fn a_record_is_private_and_of_fixed_size() {
    let world = World::enrolled();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&world.record()), 0o700);
    assert_eq!(mode(&world.record().join(TOKEN_FILE)), 0o600);
    assert_eq!(mode(&world.record().join(STATE_FILE)), 0o600);
    assert_eq!(
        fs::metadata(world.record().join(STATE_FILE)).unwrap().len(),
        FILE as u64
    );
    assert_eq!(
        fs::read_dir(world.record()).unwrap().count(),
        2,
        "nothing left behind"
    );
}

#[test]
fn logins_change_the_state_in_place_and_nothing_else() {
    let world = World::enrolled();
    let seen = |name| {
        let meta = fs::metadata(world.record().join(name)).unwrap();
        (meta.ino(), meta.len(), meta.mode())
    };
    let token_text = fs::read(world.record().join(TOKEN_FILE)).unwrap();
    let (token, state) = (seen(TOKEN_FILE), seen(STATE_FILE));
    for (offset, expected) in [
        (0, "accepted"),
        (0, "used_code"),
        (50, "wrong_code"),
        (1, "accepted"),
    ] {
        assert_eq!(word(&mut world.open(), &code(1, offset)), expected);
    }
    assert_eq!((seen(TOKEN_FILE), seen(STATE_FILE)), (token, state));
    assert_eq!(
        fs::read(world.record().join(TOKEN_FILE)).unwrap(),
        token_text
    );
    assert_eq!(
        fs::read_dir(world.record()).unwrap().count(),
        2,
        "nothing left behind"
    );
}

#[test]
fn two_logins_that_were_open_at_once_cannot_both_use_a_code() {
    let world = World::enrolled();
    let (mut one, mut other) = (world.open(), world.open());
    assert_eq!(word(&mut one, &code(1, 0)), "accepted");
    assert_eq!(word(&mut other, &code(1, 0)), Refusal::Used.word());
}

#[test]
fn a_login_is_not_refused_because_another_one_came_between() {
    let world = World::enrolled();
    let mut slow = world.open();
    assert_eq!(word(&mut world.open(), &code(1, 70)), "wrong_code");
    assert_eq!(word(&mut world.open(), &code(1, -1)), "accepted");
    assert_eq!(word(&mut slow, &code(1, 0)), "accepted");
    assert_eq!(slow.state().unwrap().history().failures, 0);
}

#[test]
fn a_token_deployed_without_a_state_gets_one_at_its_first_login() {
    let world = World::enrolled();
    fs::remove_file(world.record().join(STATE_FILE)).unwrap();
    let (mut one, mut other) = (world.open(), world.open());
    assert_eq!(word(&mut one, &code(1, 0)), "accepted");
    assert_eq!(word(&mut other, &code(1, 0)), "used_code");
    let meta = fs::metadata(world.record().join(STATE_FILE)).unwrap();
    assert_eq!((meta.len(), meta.mode() & 0o7777), (FILE as u64, 0o600));
    assert_eq!(
        fs::read_dir(world.record()).unwrap().count(),
        2,
        "nothing left behind"
    );
}

#[test]
fn a_record_removed_while_the_user_types_opens_nothing() {
    let world = World::enrolled();
    let mut login = world.open();
    assert_eq!(
        world.store.remove(&world.account).unwrap(),
        Removal::Removed
    );
    assert_eq!(word(&mut login, &code(1, 0)), "changed_record");
}

#[test]
fn a_record_made_anew_while_the_user_types_counts_as_it_is_now() {
    let world = World::enrolled();
    let mut login = world.open();
    world.store.remove(&world.account).unwrap();
    world
        .store
        .enrol(&world.account, &tokens(2), &State::default())
        .unwrap();
    assert_eq!(word(&mut login, &code(1, 0)), "wrong_code");
    assert_eq!(word(&mut login, &code(2, 0)), "accepted");
}

#[test]
fn enrolling_twice_leaves_the_first_record_as_it_is() {
    let world = World::enrolled();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    let error = world
        .store
        .enrol(&world.account, &tokens(2), &State::default())
        .unwrap_err();
    assert!(matches!(error, StoreError::Enrolled(_)), "{error}");
    assert_eq!(word(&mut world.open(), &code(1, 0)), "used_code");
}

#[test]
fn removing_takes_leftovers_along_and_nothing_of_the_user_s_own() {
    let world = World::enrolled();
    fs::write(world.record().join("state.new.1.0"), "half").unwrap();
    fs::write(world.record().join("notes"), "mine").unwrap();
    assert_eq!(
        world.store.remove(&world.account).unwrap(),
        Removal::Removed
    );
    assert_eq!(world.store.remove(&world.account).unwrap(), Removal::None);
    let left: Vec<_> = fs::read_dir(world.record())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["notes"]);
    fs::remove_file(world.record().join("notes")).unwrap();
    world.store.remove(&world.account).unwrap();
    assert!(!world.record().exists());
}

#[test]
fn whoever_has_no_record_is_unenrolled() {
    let world = World::new();
    assert!(world.store.open(&world.account).unwrap().is_none());
    fs::create_dir(world.record()).unwrap();
    fs::set_permissions(world.record(), PermissionsExt::from_mode(0o700)).unwrap();
    assert!(world.store.open(&world.account).unwrap().is_none());
}

#[test]
fn a_store_that_is_not_there_is_no_unenrolled_user() {
    let world = World::new();
    let store = Store {
        kind: StoreKind::System,
        system: world.directory.path().join("no/store"),
        memory: PathBuf::new(),
        may_be_unwritable: false,
        legacy: None,
        drift: 2,
    };
    let error = store.open(&world.account).unwrap_err();
    assert!(matches!(error, StoreError::Missing(_)), "{error}");
}

#[test]
fn a_lock_held_by_another_ends_in_a_refusal_not_in_a_hang() {
    let world = World::enrolled();
    let mut login = world.open();
    let other = fs::File::open(world.record().join(STATE_FILE)).unwrap();
    rustix::fs::flock(&other, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert_eq!(word(&mut login, &code(1, 0)), "locked_record");
    drop(other);
    assert_eq!(word(&mut login, &code(1, 0)), "accepted");
}

#[test]
fn a_token_that_is_taken_out_and_put_back_finds_its_used_codes_used() {
    let world = World::enrolled();
    let path = world.record().join(TOKEN_FILE);
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    let text = fs::read(&path).unwrap();
    fs::write(&path, tokens(2).to_toml().as_bytes()).unwrap();
    assert_eq!(word(&mut world.open(), &code(2, 0)), "accepted");
    fs::write(&path, text).unwrap();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "used_code");
}

#[test]
fn a_state_that_has_seen_many_tokens_makes_room() {
    let world = World::enrolled();
    let path = world.record().join(TOKEN_FILE);
    for byte in 1..40 {
        fs::write(&path, tokens(byte).to_toml().as_bytes()).unwrap();
        assert_eq!(
            word(&mut world.open(), &code(byte, 0)),
            "accepted",
            "{byte}"
        );
        assert_eq!(
            word(&mut world.open(), &code(byte, 0)),
            "used_code",
            "{byte}"
        );
    }
}

#[test]
fn looking_at_a_record_creates_nothing() {
    let world = World::enrolled();
    fs::remove_file(world.record().join(STATE_FILE)).unwrap();
    assert_eq!(world.open().state().unwrap(), State::default());
    assert!(!world.record().join(STATE_FILE).exists());
}

#[test]
fn a_record_that_cannot_be_removed_in_order_is_set_aside_as_a_whole() {
    let damages: [fn(&Path); 3] = [
        |record| {
            fs::remove_file(record.join(TOKEN_FILE)).unwrap();
            fs::create_dir(record.join(TOKEN_FILE)).unwrap();
        },
        |record| {
            fs::remove_file(record.join(STATE_FILE)).unwrap();
            fs::create_dir(record.join(STATE_FILE)).unwrap();
        },
        |record| {
            fs::remove_dir_all(record).unwrap();
            symlink("/", record).unwrap();
        },
    ];
    for damage in damages {
        let world = World::enrolled();
        damage(&world.record());
        let aside = world
            .directory
            .path()
            .join("panel user@example.org.broken.0");
        assert_eq!(
            world.store.remove(&world.account).unwrap(),
            Removal::SetAside(aside)
        );
        assert!(world.store.open(&world.account).unwrap().is_none());
    }
}

#[test]
fn a_record_that_a_stopped_process_keeps_locked_is_set_aside_as_a_whole() {
    let world = World::enrolled();
    // As a login does: the directory first.
    let holder = fs::File::open(world.record()).unwrap();
    rustix::fs::flock(&holder, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let aside = world
        .directory
        .path()
        .join("panel user@example.org.broken.0");
    assert_eq!(
        world.store.remove(&world.account).unwrap(),
        Removal::SetAside(aside)
    );
    assert!(world.store.open(&world.account).unwrap().is_none());
    // Whoever held it keeps nobody from the new one.
    world
        .store
        .enrol(&world.account, &tokens(2), &State::default())
        .unwrap();
    assert_eq!(word(&mut world.open(), &code(2, 0)), "accepted");
}

#[test]
fn a_state_without_a_token_file_is_a_broken_record_and_can_be_enrolled_anew() {
    let world = World::enrolled();
    fs::remove_file(world.record().join(TOKEN_FILE)).unwrap();
    let error = world.store.open(&world.account).unwrap_err();
    assert!(matches!(error, StoreError::NoToken(_)), "{error}");
    world
        .store
        .enrol(&world.account, &tokens(2), &State::default())
        .unwrap();
    assert_eq!(word(&mut world.open(), &code(2, 0)), "accepted");
}

#[test]
fn in_the_home_store_a_user_whom_the_system_does_not_know_is_no_unenrolled_user() {
    let world = World::new();
    let store = Store {
        kind: StoreKind::Home,
        system: PathBuf::new(),
        memory: PathBuf::new(),
        may_be_unwritable: false,
        legacy: None,
        drift: 2,
    };
    let error = store.open(&world.account).unwrap_err();
    assert!(matches!(error, StoreError::UnknownUser { .. }), "{error}");
}
