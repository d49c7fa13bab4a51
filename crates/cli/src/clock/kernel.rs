//! The kernel's own word on its clock: adjtimex(2), read by a program that prints it.
//!
//! No safe code can make that call, and this command holds no other. Three programs
//! print what it returns, to anybody. One of them is on most hosts: busybox.

use std::process::Command;
use std::time::Duration;

use super::ask;

/// By these names alone: what stands in PATH is the caller's.
const PROGRAMS: [&[&str]; 3] = [
    &["/usr/sbin/adjtimex", "--print"],
    &["/usr/sbin/ntptime"],
    &["/usr/bin/busybox", "adjtimex"],
];

/// `NTP_PHASE_LIMIT`, in microseconds. Errors grow up to it while nobody sets the
/// clock. systemd takes it for the limit too: chronyd may leave `STA_UNSYNC` set.
const LIMIT: u64 = 16_000_000;

/// How far the clock may be off, as the kernel reckons. Microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// At most.
    maximum: u64,
    /// Probably.
    estimated: u64,
}

impl Kernel {
    /// Asks the first program that answers. None if none does.
    pub(super) fn look() -> Option<Self> {
        PROGRAMS.iter().find_map(|program| {
            let (path, arguments) = program.split_first()?;
            let said = ask(Command::new(path).args(arguments).env_clear()).ok()?;
            Self::of(&said)
        })
    }

    /// What one of them has printed.
    pub(super) fn of(said: &str) -> Option<Self> {
        let after = |names: [&str; 2]| {
            names.iter().find_map(|name| {
                let (_, rest) = said.split_once(name)?;
                let number = rest.trim_ascii_start().split(|c: char| !c.is_ascii_digit());
                number.into_iter().next()?.parse().ok()
            })
        };
        Some(Self {
            maximum: after(["maxerror:", "maximum error "])?,
            estimated: after(["esterror:", "estimated error "])?,
        })
    }

    /// Whether somebody has set the clock lately.
    pub(super) fn synchronised(self) -> bool {
        self.maximum < LIMIT
    }

    /// By how much it is off at most.
    pub(crate) fn maximum(self) -> Duration {
        Duration::from_micros(self.maximum)
    }

    /// By how much it is off probably.
    pub(crate) fn estimated(self) -> Duration {
        Duration::from_micros(self.estimated)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_program_is_understood() {
        let adjtimex = "         mode: 0\n       offset: 0\n    frequency: 0\n     maxerror: 33500\n     \
                        esterror: 130\n       status: 8193\n return value = 0\n";
        let busybox = "    mode:         0\n-o  offset:       0 us\n    maxerror:     33500\n    \
                       esterror:     130\n    status:       8193 (PLL)\n";
        let ntptime = "ntp_gettime() returns code 0 (OK)\n  time eead0d78.bcbda000 \
                       2026-11-22T06:43:04.737Z, (.737268),\n  maximum error 33500 us, estimated \
                       error 130 us, TAI offset 37\nntp_adjtime() returns code 0 (OK)\n  modes 0x0 (),\n";
        for said in [adjtimex, busybox, ntptime] {
            let kernel = Kernel::of(said).unwrap();
            assert_eq!((kernel.maximum, kernel.estimated), (33_500, 130), "{said}");
            assert!(kernel.synchronised());
        }
    }

    #[test]
    fn this_machines_kernel_answers_where_a_program_prints_it() {
        let there = |program: &&[&str]| Path::new(program[0]).exists();
        if !PROGRAMS.iter().any(there) {
            eprintln!("skipped: neither adjtimex nor ntptime nor busybox is installed");
            return;
        }
        let kernel = Kernel::look().unwrap();
        assert!(kernel.maximum <= LIMIT, "{kernel:?}");
        assert!(kernel.estimated <= LIMIT, "{kernel:?}");
    }

    #[test]
    fn an_error_that_grew_to_its_limit_is_nobodys_clock() {
        let with = |error: u64| Kernel::of(&format!("maxerror: {error}\nesterror: {error}\n"));
        assert!(with(LIMIT - 1).unwrap().synchronised());
        assert!(!with(LIMIT).unwrap().synchronised());
    }

    #[test]
    fn what_is_no_answer_says_nothing() {
        for said in [
            "",
            "adjtimex: Operation not permitted\n",
            "maxerror: 12\n",
            "maxerror: a\nesterror: b\n",
            "maxerror: 99999999999999999999999\nesterror: 1\n",
        ] {
            assert_eq!(Kernel::of(said), None, "{said}");
        }
    }
}
