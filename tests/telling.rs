//! Who has a record is nobody's business: unknown, unenrolled and enrolled
//! users are asked the same, in the same words.
//!
//! How long it takes is measured by `make telling`, which prints figures: no
//! clock decides whether a test passes.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a measurement reads the clock and counts; a helper that fails is a broken test"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{Phone, Realm};
use pam_otp_testkit::pam::{self, Application, Reply, Stack, Transcript};

// The first three are in every system's user database, next to each other: to
// look them up takes equally long.
const UNENROLLED: &str = "daemon";
const ENROLLED: &str = "bin";
const BROKEN: &str = "sys";
/// Nobody anywhere.
const UNKNOWN: &str = "nosuchuser";

/// A realm with one user of each kind.
struct Village {
    realm: Realm,
    phone: Phone,
}

impl Village {
    fn new(rules: &str) -> Self {
        let realm = Realm::new(rules);
        let phone = realm.enrol(ENROLLED);
        realm.enrol(BROKEN);
        fs::write(realm.token_file(BROKEN), "").unwrap();
        Self { realm, phone }
    }

    /// A stack of lines of ours.
    fn stack(&self, lines: &[&str]) -> Stack {
        let lines = lines
            .iter()
            .map(|line| line.replace("{otp}", &self.realm.module("")));
        Stack::new("door", &lines.collect::<Vec<_>>().join("\n"))
    }
}

const KINDS: [&str; 4] = [UNENROLLED, UNKNOWN, ENROLLED, BROKEN];

/// Stacks, and how many questions they ask.
const STACKS: &[(&[&str], usize)] = &[
    (&["auth required {otp}"], 1),
    (&["auth required {otp} echo_verification_code"], 1),
    (&["auth required {otp} prompt=Number?"], 1),
    (&["auth required {otp} forward_pass"], 1),
    (&["auth required {otp} split", "auth required {otp}"], 1),
    (
        &[
            "auth required {otp} split",
            "auth required {otp} try_first_pass",
        ],
        1,
    ),
    (&["auth required {otp} try_first_pass"], 1),
    (&["auth required {otp} use_first_pass"], 0),
    (&["auth required {otp}", "auth required {otp}"], 2),
];

#[test]
fn whoever_it_is_the_questions_are_the_same() {
    let village = Village::new("");
    let wrong = village.phone.wrong();
    for (lines, questions) in STACKS {
        let stack = village.stack(lines);
        for reply in [
            &*wrong,
            "",
            " ",
            "nonsense",
            "hunter2123456",
            "abcd-efgh-jkmn-pqrs",
        ] {
            let [unenrolled, others @ ..] = KINDS.map(|user| seen(&stack, user, reply));
            assert_eq!(
                unenrolled.prompts.len(),
                *questions,
                "{lines:?}: {unenrolled:?}"
            );
            for (other, user) in others.iter().zip(&KINDS[1..]) {
                let told =
                    |transcript: &Transcript| (transcript.prompts.clone(), transcript.leftover);
                assert_eq!(told(other), told(&unenrolled), "{user} {lines:?} {reply:?}");
                assert!(
                    ![pam::SUCCESS, pam::IGNORE].contains(&other.code),
                    "{other:?}"
                );
            }
        }
    }
}

#[test]
fn whoever_it_is_a_failure_asks_for_the_same_delay() {
    let village = Village::new("");
    let arguments = village.realm.module("fail_delay=2000");
    let stack = Stack::new("door", &format!("auth required {arguments}"));
    for user in KINDS {
        let [delay] = seen(&stack, user, "000000").delays[..] else {
            panic!("{user}: not one delay")
        };
        // libpam takes half to one and a half of it, by chance.
        assert!((1_000_000..=3_000_000).contains(&delay), "{user}: {delay}");
    }
}

#[test]
fn the_return_code_is_the_same_with_and_without_a_record() {
    let village = Village::new("");
    let stack = village.stack(&["auth required {otp}"]);
    for reply in [&*village.phone.wrong(), "", "nonsense"] {
        for user in [UNENROLLED, UNKNOWN, ENROLLED] {
            assert_eq!(
                seen(&stack, user, reply).code,
                pam::AUTH_ERR,
                "{user} {reply:?}"
            );
        }
    }
}

/// One login with the same reply to every question.
fn seen(stack: &Stack, user: &str, reply: &str) -> Transcript {
    let login = Application::new().user(user).rhost("192.0.2.7");
    login.reply(reply).reply(reply).authenticate(stack)
}

/// Logins of each kind in the measurement: `TELLING_LOGINS`, else this.
const LOGINS: usize = 2000;

/// What is timed: name, who, what is typed, how the record is prepared.
#[derive(Clone, Copy)]
struct Class {
    name: &'static str,
    user: &'static str,
    /// The state that the record has before each login.
    state: Before,
}

#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// As after the enrolment.
    Fresh,
    /// As the last login left it: throttled, since all are wrong.
    Left,
}

const CLASSES: [Class; 6] = [
    // Twice, for the measurement's own noise.
    Class {
        name: "unenrolled",
        user: UNENROLLED,
        state: Before::Left,
    },
    Class {
        name: "unenrolled again",
        user: UNENROLLED,
        state: Before::Left,
    },
    Class {
        name: "unknown",
        user: UNKNOWN,
        state: Before::Left,
    },
    Class {
        name: "broken record",
        user: BROKEN,
        state: Before::Left,
    },
    Class {
        name: "enrolled",
        user: ENROLLED,
        state: Before::Fresh,
    },
    Class {
        name: "enrolled, throttled",
        user: ENROLLED,
        state: Before::Left,
    },
];

#[test]
#[ignore = "a measurement: make telling"]
fn how_long_it_takes_to_ask_and_to_deny() {
    let logins = std::env::var("TELLING_LOGINS").map_or(LOGINS, |text| text.parse().unwrap());
    let village = Village::new("");
    let stack = village.stack(&["auth required {otp}"]);
    let wrong = village.phone.wrong();
    for (kind, reply) in [
        ("a wrong code", &*wrong),
        ("nothing", ""),
        ("no code's form", "hello"),
    ] {
        let state = village.realm.state_file(ENROLLED);
        let times = measure(&stack, reply, logins, &state);
        for (what, part) in [
            ("until the question", 0),
            ("from the answer to the denial", 1),
        ] {
            println!("\nTime {what}, {logins} logins of each kind, all type {kind}:");
            println!(
                "{:22} {:>10} {:>10} {:>10}  AUC against the first",
                "", "10 %", "median", "90 %"
            );
            let base = column(&times[0], part);
            for (class, times) in CLASSES.iter().zip(&times) {
                let mut times = column(times, part);
                let area = auc(&base, &times);
                times.sort_unstable();
                let at = |percent: usize| micros(times[(times.len() - 1) * percent / 100]);
                println!(
                    "{:22} {:>10} {:>10} {:>10}  {area:.3}",
                    class.name,
                    at(10),
                    at(50),
                    at(90)
                );
            }
        }
    }
}

type Times = Vec<[Duration; 2]>;

/// Interleaved, each round in another order, so that what the machine does
/// besides meets all classes alike, and so does what the last login left in its
/// caches.
fn measure(stack: &Stack, reply: &str, logins: usize, state: &PathBuf) -> Vec<Times> {
    let fresh = fs::read(state).unwrap();
    let mut times = vec![Times::new(); CLASSES.len()];
    let mut order: Vec<usize> = (0..CLASSES.len()).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..logins + 20 {
        // Marsaglia's xorshift is random enough for an order.
        for place in (1..order.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let other = usize::try_from(random >> 33).unwrap() % (place + 1);
            order.swap(place, other);
        }
        for index in order.iter().copied() {
            let class = CLASSES[index];
            // The others write as much elsewhere: the caches must be alike.
            let elsewhere = state.with_extension("elsewhere");
            let to = match class.state {
                Before::Fresh => state,
                Before::Left => &elsewhere,
            };
            fs::write(to, &fresh).unwrap();
            let taken = time(stack, class.user, reply);
            // The first rounds warm caches up.
            if round >= 20 {
                times[index].push(taken);
            }
        }
    }
    fs::write(state, &fresh).unwrap();
    times
}

/// Until the question, and from the answer to the end.
fn time(stack: &Stack, user: &str, reply: &str) -> [Duration; 2] {
    let (sender, asked) = mpsc::channel();
    let reply = Reply::after(move || sender.send(Instant::now()).unwrap(), reply);
    let mut login = Application::new()
        .user(user)
        .rhost("192.0.2.7")
        .reply(reply)
        .start(stack);
    let start = Instant::now();
    let transcript = login.authenticate();
    let end = Instant::now();
    assert_ne!(transcript.code, pam::SUCCESS);
    let asked = asked.recv().unwrap();
    [asked - start, end - asked]
}

fn column(times: &Times, part: usize) -> Vec<Duration> {
    times.iter().map(|times| times[part]).collect()
}

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}

/// The chance that a random time of the second kind is longer than one of the
/// first: one half where nothing can be told, 0 or 1 where one login tells all.
/// (The rank-sum statistic of Mann and Whitney, divided by its greatest value.)
fn auc(first: &[Duration], second: &[Duration]) -> f64 {
    let mut first = first.to_vec();
    first.sort_unstable();
    let below = second.iter().map(|time| {
        let shorter = first.partition_point(|other| other < time);
        let not_longer = first.partition_point(|other| other <= time);
        shorter as f64 + (not_longer - shorter) as f64 / 2.0
    });
    below.sum::<f64>() / (first.len() * second.len()) as f64
}

#[test]
fn the_figure_is_one_half_for_equals_and_one_for_what_is_longer() {
    let times = |range: std::ops::Range<u64>| range.map(Duration::from_micros).collect::<Vec<_>>();
    let near = |value: f64, expected: f64| (value - expected).abs() < 1e-9;
    assert!(near(auc(&times(0..9), &times(0..9)), 0.5));
    assert!(near(auc(&times(0..9), &times(9..12)), 1.0));
    assert!(near(auc(&times(9..12), &times(0..9)), 0.0));
}
