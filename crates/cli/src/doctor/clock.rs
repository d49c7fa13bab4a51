//! This machine's clock. The tokens' own are with the record.

use super::finding::{Finding, Severity, Subject};
use crate::clock::{Clock, Synchronisation};

/// Whether it is kept right.
pub(super) fn look(clock: Clock) -> Finding {
    let finding = |severity, code| {
        let says = format!("this machine's clock: {clock}");
        Finding::new(severity, Subject::Clock, code, says)
    };
    match (clock.state(), clock.daemon()) {
        (Synchronisation::Synchronised, _) => finding(Severity::Ok, "synchronised"),
        (Synchronisation::Unsynchronised, daemon) => finding(Severity::Warning, "unsynchronised")
            .mend(match daemon {
                Some("chronyd") => "chronyc sources",
                Some(_) => "timedatectl timesync-status",
                None => "timedatectl set-ntp true",
            }),
        // No worse than a note: whoever keeps it from outside need not tell the kernel.
        (Synchronisation::Unkept, _) => finding(Severity::Note, "clock_unkept").mend("date -u"),
        (Synchronisation::Unknown(_), Some("chronyd")) => {
            finding(Severity::Note, "clock_unknown").mend("chronyc tracking")
        }
        (Synchronisation::Unknown(_), _) => {
            finding(Severity::Note, "clock_unknown").mend("date -u")
        }
    }
}
