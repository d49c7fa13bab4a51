//! What holds for every state, answer, name and argument, not just for those
//! that somebody thought of.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a property that panics has failed"
)]

use pam_otp_core::answer::{Answer, MAX_ANSWER};
use pam_otp_core::code::{Code, Digits};
use pam_otp_core::policy::arguments::Field;
use pam_otp_core::policy::{Arguments, Policy, Unenrolled};
use pam_otp_core::recovery::{RecoveryCode, RecoveryId};
use pam_otp_core::source::SourceId;
use pam_otp_core::state::State;
use pam_otp_core::state::slots::{Durability, FILE, SLOT, Slots};
use pam_otp_core::time::UnixTime;
use pam_otp_core::token::TokenId;
use pam_otp_core::user::UserName;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// As many cases as `PROPTEST_CASES` says, else 256; an interpreter has no time
/// for so many.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if cfg!(miri) {
        config.cases = 4;
    }
    // Files of past failures are found by asking for the working directory.
    config.failure_persistence = None;
    config
}

/// Few enough ids that histories meet, as those of one user do.
const TOKENS: u8 = 4;
const CODES: u8 = 8;
const SOURCES: u8 = 4;

fn token(number: u8) -> TokenId {
    TokenId([number; 8])
}

fn recovery(number: u8) -> RecoveryId {
    RecoveryId([number; 8])
}

fn source(number: u8) -> SourceId {
    SourceId([number; 8])
}

/// One thing that a login does to a state.
#[derive(Clone, Debug)]
enum Event {
    Spend(u8, u64),
    Learn(u8, i64, u16),
    Recover(u8),
    Succeed(u8, u64),
    Fail(Option<(u8, u64)>, u64),
}

impl Event {
    fn happen(&self, state: State) -> State {
        match *self {
            // Refused at the end of all numbers: then nothing happens.
            Self::Spend(number, factor) => {
                state.clone().spend(token(number), factor).unwrap_or(state)
            }
            // Learnt from a code that opens, which is spent.
            Self::Learn(number, shown, most) if state.next(token(number)) > 0 => {
                state.learn(token(number), shown.into(), most)
            }
            Self::Learn(..) => state,
            Self::Recover(number) => state.spend_recovery(recovery(number)),
            Self::Succeed(number, time) => state.succeeded(source(number), UnixTime(time)),
            Self::Fail(guess, time) => {
                let guess = guess.map(|(number, interval)| (source(number), interval));
                state.failed(guess, UnixTime(time))
            }
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let factor = prop_oneof![0..6_u64, Just(u64::MAX - 1), Just(u64::MAX), any::<u64>()];
    let guess = prop::option::of((0..SOURCES, prop_oneof![1..1_000_u64, any::<u64>()]));
    let time = || prop_oneof![0..6_u64, 1_700_000_000..1_700_000_100_u64, any::<u64>()];
    prop_oneof![
        (0..TOKENS, factor).prop_map(|(number, factor)| Event::Spend(number, factor)),
        (0..CODES).prop_map(Event::Recover),
        (0..TOKENS, -3..4_i64, 0..4_u16).prop_map(|(n, shown, most)| Event::Learn(n, shown, most)),
        (0..SOURCES, time()).prop_map(|(number, time)| Event::Succeed(number, time)),
        (guess, time()).prop_map(|(guess, time)| Event::Fail(guess, time)),
    ]
}

fn history() -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 0..12)
}

fn after(events: &[Event]) -> State {
    let start = State::default();
    events
        .iter()
        .fold(start, |state, event| event.happen(state))
}

fn state() -> impl Strategy<Value = State> {
    history().prop_map(|events| after(&events))
}

/// What must never be taken back.
fn used(state: &State) -> (Vec<u64>, Vec<bool>) {
    let next = (0..TOKENS).map(|number| state.next(token(number)));
    let spent = (0..CODES).map(|number| state.is_spent(recovery(number)));
    (next.collect(), spent.collect())
}

/// Whether all that `before` had used is used in `now`.
fn keeps(now: &State, before: &State) -> bool {
    let ((now_next, now_spent), (next, spent)) = (used(now), used(before));
    let steps = now_next
        .iter()
        .zip(&next)
        .all(|(now, before)| now >= before);
    let codes = now_spent
        .iter()
        .zip(&spent)
        .all(|(now, before)| now >= before);
    steps && codes
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn merge_is_commutative_associative_and_idempotent(a in state(), b in state(), c in state()) {
        let ab = a.clone().merge(&b);
        prop_assert_eq!(&ab, &b.clone().merge(&a));
        prop_assert_eq!(ab.clone().merge(&c), a.clone().merge(&b.clone().merge(&c)));
        prop_assert_eq!(ab.clone().merge(&a), ab.clone());
        prop_assert_eq!(ab.clone().merge(&ab), ab);
        prop_assert_eq!(a.clone().merge(&State::default()), a);
    }

    #[test]
    fn merge_is_the_most_that_either_has_used_and_no_more(a in state(), b in state()) {
        let merged = a.clone().merge(&b);
        let ((next, spent), (next_a, spent_a), (next_b, spent_b)) = (used(&merged), used(&a), used(&b));
        for number in 0..usize::from(TOKENS) {
            prop_assert_eq!(next[number], next_a[number].max(next_b[number]));
        }
        for number in 0..usize::from(CODES) {
            prop_assert_eq!(spent[number], spent_a[number] || spent_b[number]);
        }
    }

    #[test]
    fn nothing_that_a_login_does_gives_a_code_back(start in state(), events in history()) {
        let mut state = start;
        for event in &events {
            let next = event.happen(state.clone());
            prop_assert!(keeps(&next, &state), "{event:?}");
            state = next;
        }
    }

    #[test]
    fn a_spent_code_and_all_below_it_are_spent(start in state(), number in 0..TOKENS, factor: u64) {
        let id = token(number);
        let Some(state) = start.clone().spend(id, factor) else {
            prop_assert_eq!(factor, u64::MAX, "the one number that cannot be spent");
            return Ok(());
        };
        prop_assert!(state.next(id) > factor);
        prop_assert_eq!(state.next(id), start.next(id).max(factor + 1));
    }

    #[test]
    fn two_hosts_that_went_separate_ways_agree_and_forget_nothing(
        shared in history(), one in history(), other in history(),
    ) {
        let go_on = |events: &[Event]| events.iter().fold(after(&shared), |state, e| e.happen(state));
        let (one, other) = (go_on(&one), go_on(&other));
        let merged = one.clone().merge(&other);
        prop_assert!(keeps(&merged, &one) && keeps(&merged, &other));
        prop_assert_eq!(other.merge(&one), merged);
    }

    #[test]
    fn a_new_state_file_holds_the_state(state in state()) {
        let file = Slots::create(&state).unwrap();
        prop_assert_eq!(file.len(), FILE);
        prop_assert_eq!(Slots::decode(&file).unwrap().state(), state);
    }

    #[test]
    fn each_update_is_read_back_and_a_torn_one_leaves_the_old_or_the_new(
        start in state(),
        updates in vec((event(), any::<bool>(), any::<Index>()), 1..8),
    ) {
        let mut file = Slots::create(&start).unwrap();
        let mut state = start;
        for (event, flushed, torn) in updates {
            let slots = Slots::decode(&file).unwrap();
            prop_assert_eq!(slots.state(), state.clone());
            let new = event.happen(state.clone());
// As logins do it: what spends a code is flushed.
            let durability = if flushed || used(&new) != used(&state) {
                Durability::Flushed
            } else {
                Durability::Later
            };
            let write = slots.update(new.clone(), durability).unwrap();
            let offset = usize::try_from(write.offset).unwrap();
            prop_assert!(offset % SLOT == 0 && write.bytes.len() == SLOT);

            let mut half = file.clone();
            let end = torn.index(SLOT);
            half[offset..offset + end].copy_from_slice(&write.bytes[..end]);
            let survivor = Slots::decode(&half).unwrap().state();
            // What was flushed last stays; a guess that nobody flushed may go.
            prop_assert!(survivor == new || keeps(&survivor, &state), "{event:?} torn at {end}");

            file[offset..offset + SLOT].copy_from_slice(&write.bytes);
            state = new;
        }
        prop_assert_eq!(Slots::decode(&file).unwrap().state(), state);
    }

    #[test]
    fn a_state_file_with_one_byte_changed_is_read_as_it_was_or_not_at_all(
        state in state(), place: Index, change in 1..=255_u8,
    ) {
        let file = Slots::create(&state).unwrap();
        let slots = Slots::decode(&file).unwrap();
        let write = slots.update(state.clone().spend_recovery(recovery(9)), Durability::Flushed).unwrap();
        let mut file = file;
        let offset = usize::try_from(write.offset).unwrap();
        file[offset..offset + SLOT].copy_from_slice(&write.bytes);
        file[place.index(FILE)] ^= change;
        // A version that is not ours is refused: that denies, and opens nothing.
        if let Ok(slots) = Slots::decode(&file) {
            prop_assert!(keeps(&slots.state(), &state));
        }
    }

    #[test]
    fn any_bytes_are_a_state_file_or_an_error(bytes in vec(any::<u8>(), 0..64), length in 0..=2 * FILE) {
        let file: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
        prop_assert!(Slots::decode(&file).is_err(), "no checksum comes by chance");
    }
}

/// Bytes as people and hostile programs type them.
fn reply() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(select(b"0123456789 -\tabO\n\xff".to_vec()), 0..24),
        "[0-9]{5,9}".prop_map(String::into_bytes),
        "[ -]{0,3}[0-9]{3}[ -]?[0-9]{3,5}[ \t]{0,2}".prop_map(String::into_bytes),
        "[0-9a-zA-Z]{4}(-[0-9a-zA-Z]{4}){3}".prop_map(String::into_bytes),
        "\\PC{0,12}".prop_map(String::into_bytes),
        (500..600_usize).prop_map(|length| vec![b'1'; length]),
    ]
}

fn bare(reply: &[u8]) -> Vec<u8> {
    let kept = reply.iter().filter(|byte| !b" \t-".contains(byte));
    kept.copied().collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_answer_is_a_code_just_if_its_digits_are_one(reply in reply()) {
        let bare = bare(&reply);
        let digits = bare.iter().all(u8::is_ascii_digit);
        let is_code = reply.len() <= MAX_ANSWER && digits && (6..=8).contains(&bare.len());
        match Answer::parse(&reply) {
            Answer::Code(code) => {
                prop_assert!(is_code);
                let text = code.to_text();
                prop_assert_eq!(text.as_bytes(), &bare[..]);
            }
            Answer::Recovery(_) => prop_assert!(bare.len() == 16 && !is_code),
            Answer::Empty => prop_assert!(bare.is_empty() && reply.len() <= MAX_ANSWER),
            Answer::Malformed => prop_assert!(!is_code),
        }
    }

    #[test]
    fn a_field_is_split_without_losing_a_byte(field in reply(), six: bool, eight: bool, fits: bool) {
        let mut lengths = Vec::new();
        lengths.extend(six.then(|| Digits::new(6).unwrap()));
        lengths.extend(eight.then(|| Digits::new(8).unwrap()));
        let (password, answer) = Answer::split(&field, &lengths, |_| fits);
        prop_assert!(field.starts_with(password));
        let tail = &field[password.len()..];
        match answer {
            Answer::Code(code) => {
                let text = code.to_text();
                prop_assert_eq!(text.as_bytes(), tail);
                prop_assert!(lengths.contains(&code.digits()));
            }
            Answer::Recovery(_) => prop_assert_eq!(tail.len(), RecoveryCode::WRITTEN),
            Answer::Empty => prop_assert!(tail.is_empty()),
            Answer::Malformed => prop_assert!(tail.is_empty() && field.len() > MAX_ANSWER),
        }
    }

    #[test]
    fn a_password_and_a_code_are_parted_where_they_were_joined(
        password in vec(any::<u8>(), 0..40), number in 0..1_000_000_u32,
    ) {
        let code = format!("{number:06}");
        let field = [&password[..], code.as_bytes()].concat();
        let (left, answer) = Answer::split(&field, &[Digits::DEFAULT], |_| false);
        prop_assert!(matches!(answer, Answer::Code(_)));
        prop_assert_eq!(left, &password[..]);
    }

    #[test]
    fn a_code_is_written_as_it_was_read(text in "[0-9]{6,8}") {
        prop_assert_eq!(&**Code::parse(&text).unwrap().to_text(), &*text);
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed(
        letters in "[0-9abcdefghjkmnpqrstvwxyz]{16}", upper: bool, grouped: bool,
    ) {
        let code = RecoveryCode::parse(&letters).unwrap();
        let text = code.to_text();
        prop_assert_eq!(text.replace('-', ""), letters);
        let typed = if grouped { text.to_string() } else { text.replace('-', " ") };
        let typed = if upper { typed.to_uppercase() } else { typed };
        prop_assert_eq!(RecoveryCode::parse(&typed).unwrap().to_text(), text);
    }

    #[test]
    fn a_user_name_is_one_entry_of_a_directory_and_one_piece_of_a_line(name in any_name()) {
        if let Ok(user) = UserName::new(&name) {
            prop_assert_eq!(user.as_str(), &*name);
            prop_assert!(!name.contains(['/', '\n', '\r', '\0', '\x1b']));
            prop_assert!(name != "." && name != ".." && (1..=255).contains(&name.len()));
            let path = std::path::Path::new("/var/lib/pam-otp").join(&name);
            prop_assert_eq!(path.parent().unwrap(), std::path::Path::new("/var/lib/pam-otp"));
            prop_assert_eq!(path.file_name().unwrap(), &*name);
        }
    }

    #[test]
    fn arguments_mean_the_same_said_twice_and_allow_only_what_they_say(list in vec(argument(), 0..6)) {
        let bytes: Vec<&[u8]> = list.iter().map(String::as_bytes).collect();
        let Ok(arguments) = Arguments::parse(bytes.iter().copied()) else {
            return Ok(());
        };
        let twice: Vec<&[u8]> = bytes.iter().chain(&bytes).copied().collect();
        let twice = Arguments::parse(twice.iter().copied()).unwrap();
        prop_assert_eq!(twice.field, arguments.field);
        prop_assert_eq!(twice.forward_pass, arguments.forward_pass);
        prop_assert_eq!(&twice.policy, &arguments.policy);
        let says = |word: &str| list.iter().any(|argument| argument == word);
        prop_assert_eq!(arguments.field == Field::Split, says("split"));
        prop_assert!(list.iter().all(|argument| !argument.contains("nosuch")));
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        any::<String>(),
        "[a-z./\\\\@ -]{0,6}",
        (250..260_usize).prop_map(|length| "a".repeat(length)),
    ]
}

fn argument() -> impl Strategy<Value = String> {
    let words = [
        "split",
        "try_first_pass",
        "use_first_pass",
        "forward_pass",
        "nullok",
        "echo_verification_code",
        "window=1",
        "window=11",
        "look_ahead=100",
        "look_ahead=0",
        "unenrolled=allow",
        "unenrolled=deny",
        "unenrolled=maybe",
        "prompt=Code: ",
        "echo=true",
        "fail_delay=0",
        "store=system",
        "system_store=/srv",
        "system_store=srv",
        "policy=/etc/policy",
        "nosuch",
        "nosuch=1",
        "",
    ];
    select(words.map(str::to_owned).to_vec())
}

#[test]
#[cfg_attr(miri, ignore = "reads a file")]
fn the_default_policy_allows_nobody_in_without_a_code() {
    let arguments = Arguments::parse([&b"policy=/dev/null"[..]]).unwrap();
    // /dev/null is no regular file: an error, which denies.
    assert!(Policy::for_login(&arguments, "sshd").is_err());
    assert_eq!(Policy::default().unenrolled, Unenrolled::Deny);
}
