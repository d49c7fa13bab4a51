//! One program's clock is wrong, and nobody else's.

use pam_otp_testkit::authenticator::now;
use pam_otp_testkit::faketime::set_clock;
use std::process::Command;

#[test]
fn a_program_believes_what_its_clock_says_and_we_do_not() {
    // 1969, 1970, 2027, 2200, and the end of 9999.
    for time in [-86_400, 0, 1_800_000_000, 7_258_118_400, 253_402_300_799] {
        let before = now();
        let mut date = Command::new("date");
        set_clock(date.arg("+%s"), time);
        let said = date.output().expect("start date").stdout;
        let said: i64 = String::from_utf8_lossy(&said)
            .trim_end()
            .parse()
            .expect("a time");
        let passed = if time < 0 { 0..=60 } else { 0..=0 };
        assert!(passed.contains(&(said - time)), "{time}: {said}");
        assert!(now() - before < 60);
    }
}
