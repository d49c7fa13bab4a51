use super::*;

const THROTTLE: Throttle = Throttle {
    tries: 3,
    first_wait: 30,
};
/// One token of six digits, one step each way: three codes of a million.
const CHANCE: u64 = 300;
const START: u64 = 1_700_000_000;
const OWNER: SourceId = SourceId(*b"owner---");

fn address(number: u64) -> SourceId {
    SourceId(number.to_le_bytes())
}

fn wait(ledger: &Ledger, source: SourceId, now: u64) -> Option<u64> {
    ledger.wait(THROTTLE, interval(CHANCE), source, UnixTime(now))
}

fn fail(ledger: &mut Ledger, source: SourceId, now: u64) {
    ledger.failed(interval(CHANCE), source, UnixTime(now));
    ledger.trim();
}

#[test]
fn a_source_has_three_tries_then_waits_twice_as_long_each_time() {
    let mut ledger = Ledger::default();
    ledger.succeeded(OWNER, UnixTime(START));
    let mut now = START;
    for expected in [
        None,
        None,
        None,
        Some(30),
        Some(60),
        Some(120),
        Some(240),
        Some(480),
    ] {
        assert_eq!(wait(&ledger, OWNER, now), expected);
        now += expected.unwrap_or(0);
        assert_eq!(wait(&ledger, OWNER, now), None, "the wait is over");
        fail(&mut ledger, OWNER, now);
    }
}

#[test]
fn no_wait_is_longer_than_an_hour_and_a_day_of_silence_ends_it() {
    let mut ledger = Ledger::default();
    ledger.succeeded(OWNER, UnixTime(START));
    for _ in 0..200 {
        fail(&mut ledger, OWNER, START);
    }
    assert_eq!(wait(&ledger, OWNER, START), Some(LONGEST_WAIT));
    fail(&mut ledger, OWNER, START + FORGIVEN);
    assert_eq!(wait(&ledger, OWNER, START + FORGIVEN), None);
}

#[test]
fn a_login_ends_the_count_of_its_source_only() {
    let mut ledger = Ledger::default();
    ledger.succeeded(OWNER, UnixTime(START));
    ledger.succeeded(address(1), UnixTime(START));
    for _ in 0..4 {
        fail(&mut ledger, OWNER, START);
        fail(&mut ledger, address(1), START);
    }
    ledger.succeeded(OWNER, UnixTime(START));
    assert_eq!(wait(&ledger, OWNER, START), None);
    assert_eq!(wait(&ledger, address(1), START), Some(60));
}

#[test]
fn a_flood_of_strangers_leaves_the_owner_s_known_address_untouched() {
    let mut ledger = Ledger::default();
    ledger.succeeded(OWNER, UnixTime(START));
    for number in 0..100_000 {
        fail(&mut ledger, address(number), START + number / 100);
    }
    let now = START + 1000;
    assert_eq!(wait(&ledger, OWNER, now), None);
    assert!(
        wait(&ledger, address(7_000_000), now).is_some(),
        "a stranger waits"
    );
    assert_eq!(ledger.sources.len(), MAX_SOURCES);
}

#[test]
fn known_addresses_are_displaced_by_later_logins_only() {
    let mut ledger = Ledger::default();
    for number in 0..20 {
        ledger.succeeded(address(number), UnixTime(START + number));
        ledger.trim();
    }
    let known: Vec<_> = (0..20)
        .filter(|n| ledger.sources.contains_key(&address(*n)))
        .collect();
    assert_eq!(known, (4..20).collect::<Vec<_>>());
}

#[test]
fn an_address_is_known_for_ninety_days() {
    let mut ledger = Ledger::default();
    ledger.succeeded(OWNER, UnixTime(START));
    for number in 0..50 {
        fail(&mut ledger, address(number), START + KNOWN);
    }
    assert_eq!(wait(&ledger, OWNER, START + KNOWN - 1), None);
    assert!(wait(&ledger, OWNER, START + KNOWN).is_some());
}

#[test]
fn a_clock_that_was_wrong_keeps_nobody_out_for_long() {
    let mut ledger = Ledger::default();
    let future = START + 20 * YEAR;
    for number in 0..50 {
        fail(&mut ledger, address(number), future);
        fail(&mut ledger, OWNER, future);
    }
    // One free guess, and then the rules as ever.
    assert_eq!(wait(&ledger, OWNER, START), None);
    fail(&mut ledger, address(99), START);
    let bucket = wait(&ledger, address(98), START).unwrap();
    assert!(bucket <= interval(CHANCE), "{bucket}");
    assert_eq!(wait(&ledger, address(98), START + bucket), None);
}

#[test]
fn fewer_codes_in_reach_make_the_strangers_bucket_fill_faster() {
    assert_eq!(interval(300), 3507, "six digits, three steps");
    assert_eq!(interval(3), 36, "eight digits, three steps");
    assert_eq!(interval(1000), 11688, "six digits, ten counter values");
    assert_eq!(interval(0), 1);
    assert!(interval(u64::MAX) > YEAR);
}

/// Guesses at each moment at which the throttle lets some address guess, for a
/// year; how many guesses that were.
fn guesses_in_a_year(addresses: u64) -> u64 {
    let mut ledger = Ledger::default();
    let mut guesses = 0;
    let mut now = START;
    let mut next = 0;
    // The owner logs in every day, and mistypes before.
    let mut owner_at = START;
    while now < START + YEAR {
        if now >= owner_at {
            assert_eq!(wait(&ledger, OWNER, now).filter(|_| owner_at > START), None);
            fail(&mut ledger, OWNER, now);
            ledger.succeeded(OWNER, UnixTime(now));
            owner_at += 24 * 3600;
        }
        // The address that has to wait least; of many, the next in turn is as
        // good as any.
        let source = address(next % addresses);
        match wait(&ledger, source, now) {
            None => {
                guesses += 1;
                fail(&mut ledger, source, now);
                next += 1;
            }
            Some(seconds) => now += seconds.min(60),
        }
    }
    guesses
}

/// The promise: less than 3 % a year, from one address or from 10,000.
#[test]
fn a_year_of_guessing_succeeds_with_less_than_3_percent() {
    for addresses in [1, 10_000] {
        let guesses = guesses_in_a_year(addresses);
        let miss = 1.0 - f64::from(u32::try_from(CHANCE).unwrap()) / 1e8;
        let chance = 1.0 - miss.powf(f64::from(u32::try_from(guesses).unwrap()));
        println!(
            "{addresses} addresses: {guesses} guesses a year, chance {:.2} %",
            chance * 100.0
        );
        assert!(chance < 0.03);
        // And not for want of trying.
        assert!(guesses > 5_000, "{guesses}");
    }
}
