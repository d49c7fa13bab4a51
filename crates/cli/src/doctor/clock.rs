//! This machine's clock. The tokens' own are with the record.

use super::finding::{Finding, Severity, Subject};
use crate::clock::Clock;

/// Whether it is kept right.
pub(super) fn look(clock: Clock) -> Finding {
    let finding = |severity, code| {
        let says = format!("this machine's clock: {clock}");
        Finding::new(severity, Subject::Clock, code, says)
    };
    match (clock.synchronised(), clock.daemon()) {
        (Some(true), _) => finding(Severity::Ok, "synchronised"),
        (Some(false), daemon) => finding(Severity::Warning, "unsynchronised").mend(match daemon {
            Some("chronyd") => "chronyc sources",
            Some(_) => "timedatectl timesync-status",
            None => "timedatectl set-ntp true",
        }),
        (None, Some("chronyd")) => {
            finding(Severity::Note, "clock_unknown").mend("chronyc tracking")
        }
        (None, _) => finding(Severity::Note, "clock_unknown").mend("date -u"),
    }
}
