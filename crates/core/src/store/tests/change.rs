//! Enrolments in two steps, and tokens that come and go.

use super::*;
use crate::enrolment::{LIFETIME, LOGIN_LIFETIME, NotThis, Pending, Ticket};
use crate::token::TokenError;

#[derive(Debug)]
#[expect(dead_code, reason = "a failing test shows what is inside")]
enum Error {
    Store(StoreError),
    Token(TokenError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn named(name: &str, byte: u8) -> Token {
    Token {
        name: TokenName::new(name).unwrap(),
        ..phone(byte)
    }
}

fn pending(name: &str, byte: u8, replaces: Option<&str>) -> Pending {
    Pending {
        token: named(name, byte),
        replaces: replaces.map(|name| TokenName::new(name).unwrap()),
        first: byte == 1,
        expires: UnixTime(NOW.0 + LIFETIME),
        login: None,
    }
}

#[test]
fn what_a_login_has_confirmed_is_made_effective_by_its_ticket_alone_and_in_time() {
    let world = World::new();
    let begun = pending("phone", 2, None);
    let confirmed = begun.confirm(&code(2, 0), RULES, NOW).unwrap();
    let (recovery, codes) = RecoverySet::generate(&[7; RecoverySet::ENTROPY]);
    let ticket = Ticket::new([9; Ticket::BYTES]);
    let waiting = confirmed.waiting(recovery, &ticket, NOW);
    world.store.begin(&world.account, &waiting).unwrap();
    let read = world.store.pending(&world.account).unwrap().unwrap();
    assert_eq!(read.to_toml(), waiting.to_toml());
    assert!(!read.to_toml().contains(ticket.to_text().as_str()));

    // No other way makes it effective.
    assert!(world.store.open(&world.account).unwrap().is_none());
    assert!(read.confirm(&code(2, 1), RULES, NOW).is_err());
    let other = Ticket::new([8; Ticket::BYTES]);
    assert_eq!(read.redeem(&other, NOW).unwrap_err(), NotThis);
    assert_eq!(begun.redeem(&ticket, NOW).unwrap_err(), NotThis);
    for seconds in [LOGIN_LIFETIME, LIFETIME, u64::MAX - NOW.0] {
        let late = UnixTime(NOW.0 + seconds);
        assert_eq!(read.redeem(&ticket, late).unwrap_err(), NotThis);
    }

    let again = Ticket::parse(&ticket.to_text()).unwrap();
    let late = UnixTime(NOW.0 + LOGIN_LIFETIME - 1);
    let (tokens, state) = read.redeem(&again, late).unwrap();
    assert_eq!(state, confirmed.state(&State::default()));
    world.store.enrol(&world.account, &tokens, &state).unwrap();
    assert!(!world.record().join(PENDING_FILE).exists());
    assert_eq!(word(&mut world.open(), &code(2, 0)), "used_code");
    assert_eq!(word(&mut world.open(), &code(2, 1)), "accepted");
    let paper = Answer::parse(codes[3].to_text().as_bytes());
    assert_eq!(word(&mut world.open(), &paper), "accepted");
}

#[test]
fn a_ticket_is_read_in_its_own_form_only() {
    for text in ["", "00", &"0".repeat(63), &"0".repeat(66), &"G".repeat(64)] {
        assert!(Ticket::parse(text).is_none(), "{text}");
    }
}

/// Confirms what was begun, for a user with a record.
fn confirm(world: &World, answer: &Answer) -> Result<(), Error> {
    let pending = world.store.pending(&world.account).unwrap().unwrap();
    let confirmed = pending.confirm(answer, RULES, NOW).unwrap();
    world.open().change(NOW, |tokens, state| {
        let tokens = confirmed.tokens(tokens).map_err(Error::Token)?;
        Ok((tokens, confirmed.state(state)))
    })
}

#[test]
fn what_was_begun_is_read_as_it_was_written_and_changes_no_login() {
    let world = World::enrolled();
    let begun = pending("tablet", 2, Some("phone"));
    world.store.begin(&world.account, &begun).unwrap();
    let read = world.store.pending(&world.account).unwrap().unwrap();
    assert_eq!(read.to_toml(), begun.to_toml());
    assert_eq!(word(&mut world.open(), &code(2, 0)), "wrong_code");
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    let mode = fs::metadata(world.record().join(PENDING_FILE))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn whoever_has_only_begun_is_unenrolled() {
    let world = World::new();
    let begun = pending("phone", 1, None);
    world.store.begin(&world.account, &begun).unwrap();
    assert!(world.store.open(&world.account).unwrap().is_none());
    assert!(world.store.forget_pending(&world.account).unwrap());
    assert!(!world.store.forget_pending(&world.account).unwrap());
    assert!(world.store.pending(&world.account).unwrap().is_none());
}

#[test]
fn the_later_of_two_that_were_begun_counts() {
    let world = World::new();
    for byte in [1, 2] {
        let begun = pending("phone", byte, None);
        world.store.begin(&world.account, &begun).unwrap();
    }
    let read = world.store.pending(&world.account).unwrap().unwrap();
    assert!(read.confirm(&code(1, 0), RULES, NOW).is_err());
    assert!(read.confirm(&code(2, 0), RULES, NOW).is_ok());
}

#[test]
fn what_was_begun_is_over_after_half_an_hour_and_on_a_clock_that_was_set_back() {
    let begun = pending("phone", 1, None);
    for (now, over) in [
        (NOW.0, false),
        (NOW.0 + LIFETIME - 1, false),
        (NOW.0 + LIFETIME, true),
        (NOW.0 - 1, true),
        (0, true),
        (u64::MAX, true),
    ] {
        assert_eq!(begun.is_over(UnixTime(now)), over, "{now}");
    }
}

#[test]
fn nothing_but_a_code_of_the_new_token_confirms() {
    let begun = pending("phone", 1, None);
    let (_, codes) = RecoverySet::generate(&[1; RecoverySet::ENTROPY]);
    for answer in [
        code(2, 0),
        code(1, 50),
        Answer::Empty,
        Answer::Malformed,
        Answer::Recovery(codes[0].clone()),
    ] {
        assert!(begun.confirm(&answer, RULES, NOW).is_err(), "{answer:?}");
    }
}

#[test]
fn a_second_token_opens_beside_the_first_and_the_code_that_confirmed_it_does_not() {
    let world = World::enrolled();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    let begun = pending("tablet", 2, None);
    world.store.begin(&world.account, &begun).unwrap();
    confirm(&world, &code(2, 0)).unwrap();
    for (byte, offset, expected) in [
        (1, 0, "used_code"),
        (2, 0, "used_code"),
        (2, 1, "accepted"),
        (1, 1, "accepted"),
    ] {
        assert_eq!(word(&mut world.open(), &code(byte, offset)), expected);
    }
    let recovery = world.open().tokens().recovery().is_some();
    assert!(recovery, "the recovery codes are as they were");
}

#[test]
fn a_token_that_was_replaced_opens_no_more() {
    let world = World::enrolled();
    let begun = pending("new phone", 2, Some("phone"));
    world.store.begin(&world.account, &begun).unwrap();
    confirm(&world, &code(2, 0)).unwrap();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "wrong_code");
    assert_eq!(word(&mut world.open(), &code(2, 1)), "accepted");
}

#[test]
fn two_tokens_of_one_name_are_refused_and_nothing_is_changed() {
    let world = World::enrolled();
    let begun = pending("phone", 2, None);
    world.store.begin(&world.account, &begun).unwrap();
    let before = fs::read(world.record().join(TOKEN_FILE)).unwrap();
    let error = confirm(&world, &code(2, 0)).unwrap_err();
    assert!(
        matches!(error, Error::Token(TokenError::Twice(_))),
        "{error:?}"
    );
    assert_eq!(fs::read(world.record().join(TOKEN_FILE)).unwrap(), before);
}

#[test]
fn tokens_are_renamed_and_removed_and_the_last_one_stays() {
    let world = World::enrolled();
    let name = |name| TokenName::new(name).unwrap();
    let mut record = world.open();
    let mut change = |change: &dyn Fn(&TokenFile) -> Result<TokenFile, TokenError>| {
        record.change(NOW, |tokens, state| {
            let tokens = change(tokens).map_err(Error::Token)?;
            Ok::<_, Error>((tokens, state.clone()))
        })
    };
    change(&|tokens| tokens.with(named("tablet", 2))).unwrap();
    change(&|tokens| tokens.renamed(&name("phone"), name("old phone"))).unwrap();
    assert!(change(&|tokens| tokens.renamed(&name("old phone"), name("tablet"))).is_err());
    assert!(change(&|tokens| tokens.without(&name("phone"))).is_err());
    change(&|tokens| tokens.without(&name("old phone"))).unwrap();
    assert!(change(&|tokens| tokens.without(&name("tablet"))).is_err());
    assert_eq!(word(&mut world.open(), &code(1, 0)), "wrong_code");
    assert_eq!(word(&mut world.open(), &code(2, 0)), "accepted");
}

#[test]
fn a_login_between_reading_and_changing_is_not_forgotten() {
    let world = World::enrolled();
    let mut slow = world.open();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    slow.change(NOW, |tokens, state| {
        let (recovery, _) = RecoverySet::generate(&[9; RecoverySet::ENTROPY]);
        Ok::<_, StoreError>((tokens.with_recovery(recovery), state.clone()))
    })
    .unwrap();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "used_code");
    assert_eq!(world.open().state().unwrap().history().success, NOW.0);
}

#[test]
fn who_is_unlocked_waits_no_more_and_is_known_as_before() {
    let world = World::enrolled();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "accepted");
    for _ in 0..3 {
        assert_eq!(word(&mut world.open(), &code(1, 50)), "wrong_code");
    }
    assert_eq!(word(&mut world.open(), &code(1, 1)), "throttled");
    let mut record = world.open();
    let unlock = |tokens: &TokenFile, state: &State| {
        Ok::<_, StoreError>((tokens.clone(), state.clone().unlocked()))
    };
    record.change(NOW, unlock).unwrap();
    assert_eq!(word(&mut world.open(), &code(1, 0)), "used_code");
    assert_eq!(word(&mut world.open(), &code(1, 1)), "accepted");
}

#[test]
fn what_was_begun_goes_with_the_record() {
    let world = World::enrolled();
    let begun = pending("tablet", 2, None);
    world.store.begin(&world.account, &begun).unwrap();
    world.store.remove(&world.account).unwrap();
    assert!(!world.record().exists());
}

#[test]
fn another_program_s_file_is_never_changed() {
    let world = World::new();
    let path = world.directory.path().join("file");
    fs::write(&path, "JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n12345678\n").unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let owner = nix::unistd::User::from_uid(uid.into()).unwrap().unwrap();
    let pattern = crate::policy::legacy::Pattern::parse(path.to_str().unwrap()).unwrap();
    let store = Store {
        legacy: Some(LegacyFile {
            path: Some(pattern),
            user: Some(UserName::new(&owner.name).unwrap()),
            ..LegacyFile::default()
        }),
        ..world.store.clone()
    };
    let mut record = store.open(&world.account).unwrap().unwrap();
    assert_eq!(record.path(), path);
    for _ in 0..2 {
        let error = record
            .change::<StoreError>(NOW, |tokens, state| Ok((tokens.clone(), state.clone())))
            .unwrap_err();
        assert!(matches!(error, StoreError::Foreign(_)), "{error}");
        // The second time there is a state.
        let answer = Answer::parse(b"12345678");
        let source = Source::local("alice");
        record.decide(&answer, &source, RULES, NOW).unwrap();
    }
    assert!(!world.record().join(TOKEN_FILE).exists());
    // A record that is made since counts, also for who has the file open; and
    // it knows what was used.
    world
        .store
        .enrol(&world.account, &tokens(1), &State::default())
        .unwrap();
    assert_eq!(record.state().unwrap().history().success, NOW.0);
    assert_eq!(record.path(), world.record());
}

#[test]
fn only_the_very_record_that_was_made_is_taken_back() {
    let world = World::enrolled();
    let made = world.open().tokens().clone();
    let take_back = || world.store.take_back(&world.account, &made).unwrap();
    let rename = |tokens: &TokenFile, state: &State| {
        let name = |name| TokenName::new(name).unwrap();
        let tokens = tokens.renamed(&name("phone"), name("mine"));
        Ok::<_, StoreError>((tokens.unwrap(), state.clone()))
    };
    world.open().change(NOW, rename).unwrap();
    assert!(!take_back(), "changed since");
    world.store.remove(&world.account).unwrap();
    assert!(!take_back(), "gone");
    world
        .store
        .enrol(&world.account, &tokens(2), &State::default())
        .unwrap();
    assert!(!take_back(), "made anew");
    world.store.remove(&world.account).unwrap();
    world
        .store
        .enrol(&world.account, &made, &State::default())
        .unwrap();
    assert!(take_back());
    assert!(!world.record().exists());
}

#[test]
fn an_enrolment_that_was_cut_off_before_its_tokens_is_cleared_and_nothing_else_is() {
    let world = World::new();
    let clear = || world.store.clear_cut_off(&world.account).unwrap();
    let state = || world.record().join(STATE_FILE);
    assert!(!clear(), "nothing is there");
    let begun = pending("phone", 1, None);
    world.store.begin(&world.account, &begun).unwrap();
    assert!(!clear(), "it was begun only");

    // As a process leaves it that is killed between state and tokens.
    let confirmed = begun.confirm(&code(1, 0), RULES, NOW).unwrap();
    let spent = confirmed.state(&State::default());
    let enrol = |byte, state: &State| {
        let enrolled = world.store.enrol(&world.account, &tokens(byte), state);
        enrolled.unwrap();
    };
    enrol(1, &spent);
    world.store.begin(&world.account, &begun).unwrap();
    assert!(!clear(), "it is whole");
    fs::remove_file(world.record().join(TOKEN_FILE)).unwrap();
    assert!(clear());
    assert!(!state().exists());
    assert!(world.store.open(&world.account).unwrap().is_none());

    // A record that has lost its tokens is another thing.
    enrol(2, &State::default());
    assert_eq!(word(&mut world.open(), &code(2, 0)), "accepted");
    fs::remove_file(world.record().join(TOKEN_FILE)).unwrap();
    assert!(!clear(), "nothing was begun");
    world.store.begin(&world.account, &begun).unwrap();
    assert!(!clear(), "another token's");
    assert!(state().exists());
}
