use super::*;
use crate::code::{Algorithm, Digits, Secret};
use crate::policy::Policy;
use crate::time::Period;
use crate::token::{Kind as TokenKind, TokenName};

const START: u64 = 1_700_000_000;
const HOUR: u64 = 3600;

fn place(kind: Kind, number: u64) -> PlaceId {
    PlaceId {
        kind,
        id: number.to_le_bytes(),
    }
}

fn success(places: &Places, place: PlaceId, remember: u64, now: u64) -> Option<u64> {
    let success = places.success(place, remember, UnixTime(now));
    success.map(|time| time.0)
}

#[test]
fn a_success_lasts_for_the_policy_s_time_from_itself_and_not_from_later_looks() {
    let home = place(Kind::Network, 1);
    let mut places = Places::default();
    places.succeeded(home, UnixTime(START));
    for (remember, now, expected) in [
        (0, START, false),
        (1, START, true),
        (HOUR, START, true),
        (HOUR, START + HOUR - 1, true),
        (HOUR, START + HOUR, false),
        (HOUR, u64::MAX, false),
        (u64::MAX, START + 30 * 24 * HOUR, true),
        // The clock was set back, or was wrong then.
        (HOUR, START - 1, false),
        (HOUR, 0, false),
    ] {
        let said = success(&places, home, remember, now).is_some();
        assert_eq!(said, expected, "{remember} {now}");
    }
    assert_eq!(success(&places, place(Kind::Network, 2), HOUR, START), None);
    assert_eq!(success(&places, place(Kind::Session, 1), HOUR, START), None);
}

#[test]
fn a_wrong_code_ends_it_until_the_next_success_and_notes_no_strangers() {
    let (home, away) = (place(Kind::Network, 1), place(Kind::Network, 2));
    let mut places = Places::default();
    places.succeeded(home, UnixTime(START));
    places.failed(away);
    assert_eq!(success(&places, home, HOUR, START), Some(START));
    assert_eq!(places.0.len(), 1);
    places.failed(home);
    assert_eq!(success(&places, home, HOUR, START), None);
    places.succeeded(home, UnixTime(START + 60));
    assert_eq!(success(&places, home, HOUR, START + 60), Some(START + 60));
}

#[test]
fn neither_copy_of_a_merge_brings_back_what_a_wrong_code_ended() {
    let home = place(Kind::Network, 1);
    let mut before = Places::default();
    before.succeeded(home, UnixTime(START));
    let mut ended = before.clone();
    ended.failed(home);
    let mut later = ended.clone();
    later.succeeded(home, UnixTime(START + 1));
    for (one, other, expected) in [
        (&before, &before, &before),
        (&before, &ended, &ended),
        (&before, &later, &later),
        (&ended, &later, &later),
        (&Places::default(), &ended, &ended),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let mut merged = one.clone();
            merged.merge(other);
            assert_eq!(&merged, expected);
        }
    }
}

#[test]
fn terminals_displace_terminals_and_addresses_addresses_the_oldest_first() {
    let mut places = Places::default();
    let most = u64::try_from(MAX_PLACES).unwrap();
    for number in 0..most + 3 {
        places.succeeded(place(Kind::Network, number), UnixTime(START + number));
        places.trim();
    }
    for number in 0..1000 {
        places.succeeded(
            place(Kind::Session, number),
            UnixTime(START + HOUR + number),
        );
        places.trim();
    }
    let numbers = |kind| {
        let ids = places
            .of(kind)
            .map(|(place, _)| u64::from_le_bytes(place.id));
        let mut numbers: Vec<_> = ids.collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers(Kind::Network), (3..most + 3).collect::<Vec<_>>());
    assert_eq!(
        numbers(Kind::Session),
        (1000 - most..1000).collect::<Vec<_>>()
    );
}

fn token(name: &str, byte: u8) -> Token {
    Token {
        name: TokenName::new(name).unwrap(),
        label: crate::label::Label::default(),
        kind: TokenKind::Totp {
            period: Period::DEFAULT,
        },
        secret: Secret::new(&[byte; 20]).unwrap(),
        algorithm: Algorithm::Sha1,
        digits: Digits::DEFAULT,
        added: None,
    }
}

#[test]
fn the_id_depends_on_every_token_and_on_nothing_else_of_them() {
    let record = |tokens: &[Token]| TokenFile::new(tokens.to_vec(), None).unwrap();
    let home = Place::network("192.0.2.7");
    let usual = home.id(&record(&[token("phone", 1), token("card", 2)]));
    let renamed = home.id(&record(&[token("mine", 1), token("card", 2)]));
    assert_eq!(usual, renamed);
    for tokens in [
        &[token("phone", 1)][..],
        &[token("phone", 1), token("card", 3)],
        &[token("phone", 3), token("card", 2)],
        &[token("card", 2), token("phone", 1)],
        &[token("phone", 1), token("card", 2), token("key", 3)],
    ] {
        assert_ne!(usual, home.id(&record(tokens)), "{tokens:?}");
    }
}

#[test]
fn a_session_s_place_is_its_leader_s_the_terminal_s_and_the_person_s() {
    let record = TokenFile::new(vec![token("phone", 1)], None).unwrap();
    let id = |boot, leader, started, terminal, who| {
        let session = Session::new(boot, leader, started).unwrap();
        Place::session(&session, terminal, who).id(&record)
    };
    let usual = id("boot", 7, 1, "pts/0", "local alice");
    assert_eq!(usual, id("boot", 7, 1, "/dev/pts/0", "local alice"));
    for other in [
        id("later boot", 7, 1, "pts/0", "local alice"),
        id("boot", 8, 1, "pts/0", "local alice"),
        // The same number, used again.
        id("boot", 7, 2, "pts/0", "local alice"),
        id("boot", 7, 1, "pts/1", "local alice"),
        id("boot", 7, 1, "pts/0", "local bob"),
    ] {
        assert_ne!(usual, other);
    }
    assert_eq!(Session::new("", 7, 1), None, "which start of the machine?");
}

#[test]
fn only_addresses_and_terminals_of_sessions_are_places() {
    let session = Session::new("boot", 7, 1).unwrap();
    for (source, expected) in [
        (Source::remote("192.0.2.7"), true),
        (Source::remote("2001:db8::1"), true),
        (Source::remote("host.example.org"), false),
        (Source::remote("192.0.2.7:22"), false),
        (Source::local("alice"), false),
        (Source::local("alice").at(&session, "pts/0"), true),
    ] {
        assert_eq!(source.place().is_some(), expected, "{source}");
    }
}

#[test]
fn guesses_at_a_terminal_are_counted_as_before() {
    let record = TokenFile::new(vec![token("phone", 1)], None).unwrap();
    let session = Session::new("boot", 7, 1).unwrap();
    let alice = Source::local("alice");
    assert_eq!(
        alice.id(&record),
        alice.clone().at(&session, "pts/0").id(&record)
    );
}

#[test]
fn a_password_loses_a_code_that_was_used_then_and_nothing_else() {
    let mut card = token("card", 2);
    card.digits = Digits::new(8).unwrap();
    let phone = token("phone", 1);
    let (phone_codes, card_codes) = (phone.generator(), card.generator());
    let record = TokenFile::new(vec![phone, card], None).unwrap();
    let rules = Rules {
        remember: 8 * HOUR,
        ..Policy::default().rules
    };
    let home = Source::remote("192.0.2.7");
    let id = home.place().unwrap().id(&record);
    let spent = record
        .tokens()
        .iter()
        .fold(State::default(), |state, token| {
            state.spend(token.id(), START / 30).unwrap()
        });
    let state = spent.remembering(id, UnixTime(START));
    let now = START + 4 * HOUR;
    let found = remembered(&record, &state, &home, rules, UnixTime(now)).unwrap();
    let six = |time| phone_codes.code(time / 30).to_text().to_string();
    let eight = |time| card_codes.code(time / 30).to_text().to_string();
    for (code, expected) in [
        (six(START), true),
        (six(START - 30), true),
        (eight(START), true),
        // Whoever guesses one of these is told nothing.
        (six(START + 30), false),
        (six(now), false),
        (six(now + 30), false),
        (eight(now), false),
        (six(START + HOUR), false),
        (six(now - HOUR), false),
        (String::new(), false),
    ] {
        let field = format!("hunter2{code}");
        let password = found.password(&record, field.as_bytes());
        assert_eq!(
            password == b"hunter2",
            expected || code.is_empty(),
            "{code}"
        );
        assert_eq!(password == field.as_bytes(), !expected, "{code}");
    }
}
