//! Trials of `pam-otp setup`: what undoes itself, and what should have.

use nix::unistd::Uid;

use super::finding::{Finding, Severity, Subject};
use super::shell::shell;
use crate::commands::status::when;
use crate::session::Session;
use crate::setup;

fn finding(severity: Severity, code: &'static str, says: String) -> Finding {
    Finding::new(severity, Subject::Trial, code, says)
}

/// Trials of this service; of all where none is named. Others than root cannot see
/// them.
pub(super) fn look(service: Option<&str>) -> Vec<Finding> {
    if !Uid::effective().is_root() {
        return Vec::new();
    }
    let trials = match setup::trials() {
        Ok(trials) => trials,
        Err(error) => {
            let unseen = finding(Severity::Warning, "trials_unseen", error.to_string());
            return vec![unseen.mend("pam-otp setup")];
        }
    };
    // libpam looks for names in lower case, and so does setup.
    let service = service.map(str::to_ascii_lowercase);
    let asked = |name: &String| service.as_ref().is_none_or(|it| it == name);
    let asked = trials.into_iter().filter(|(name, _)| asked(name));
    let now = Session::now().0;
    asked.map(|(name, end)| judge(&name, end, now)).collect()
}

/// `end` and `now` in seconds since the epoch.
fn judge(service: &str, end: u64, now: u64) -> Finding {
    let found = if end > now {
        let says = format!(
            "a trial runs: its stack is put back at {}, unless it is confirmed",
            when(end)
        );
        let keep = shell(&[&"pam-otp", &"setup", &service, &"--confirm"]);
        finding(Severity::Note, "trial_runs", says).mend(keep)
    } else {
        let says = "the time of its trial is over, and nobody has put back what was there before";
        finding(Severity::Error, "trial_over", says.to_owned()).mend("pam-otp setup")
    };
    found.of_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_over_from_its_last_second_on() {
        assert_eq!(judge("su", 11, 10).code, "trial_runs");
        assert_eq!(judge("su", 10, 10).code, "trial_over");
        // One whose time could not be read.
        assert_eq!(judge("su", 0, 10).severity, Severity::Error);
    }
}
