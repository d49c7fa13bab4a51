//! The one table of error codes and exit statuses. The manual page is made from it;
//! `docs/json.md` has the same rows, and a test compares.

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for cannot be had so: another code, another time, another
    /// caller may get it.
    Refused = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// Something must be mended first: record, policy, disk.
    Broken = 3,
}

/// One row: a word for programs, how the command ends, and what it means.
#[derive(Debug)]
pub(crate) struct Row {
    /// The word.
    pub(crate) code: &'static str,
    /// The status.
    pub(crate) exit: Exit,
    /// What it means.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(crate) meaning: &'static str,
}

const fn row(code: &'static str, exit: Exit, meaning: &'static str) -> Row {
    Row {
        code,
        exit,
        meaning,
    }
}

use Exit::{Broken, Refused, Usage};

/// Every way to fail.
pub(crate) const TABLE: &[Row] = &[
    row("wrong_code", Refused, "no code of any token now"),
    row(
        "used_code",
        Refused,
        "right, but it opened before, or a later one did",
    ),
    row(
        "other_time",
        Refused,
        "right for another time: `clock_off_seconds` says how far the token's clock is ahead (negative: behind)",
    ),
    row(
        "clock_was_ahead",
        Refused,
        "right, but the last code that opened lies in the future: a clock was wrong",
    ),
    row(
        "throttled",
        Refused,
        "not looked at: too many wrong codes before it; wait `wait_seconds`",
    ),
    row(
        "no_code",
        Refused,
        "standard input ended or an empty line came",
    ),
    row(
        "malformed_code",
        Refused,
        "neither the form of a code nor of a recovery code",
    ),
    row(
        "not_a_token_code",
        Refused,
        "a recovery code, where only a token's own code will do",
    ),
    row(
        "not_in_a_row",
        Refused,
        "two codes that no token shows one after the other",
    ),
    row(
        "exhausted_counter",
        Refused,
        "the token's counter is at its end",
    ),
    row("not_enrolled", Refused, "the user has no record"),
    row("enrolled", Refused, "the user has a record already"),
    row("no_pending", Refused, "no enrolment waits to be confirmed"),
    row(
        "pending_expired",
        Refused,
        "the enrolment was not confirmed in time",
    ),
    row(
        "pending_replaced",
        Refused,
        "another enrolment was begun meanwhile, and takes the place of this one",
    ),
    row("name_taken", Refused, "another token has that name"),
    row("no_such_token", Refused, "no token has that name"),
    row(
        "too_many_tokens",
        Refused,
        "the record has 16 tokens already",
    ),
    row("last_token", Refused, "no token would be left"),
    row(
        "not_root",
        Refused,
        "only root may do that, or act for another user",
    ),
    row(
        "administrator_only",
        Refused,
        "records in the system store are root's",
    ),
    row("unknown_user", Refused, "the system does not know the user"),
    row(
        "usage",
        Usage,
        "an unknown command or option, or a value that cannot be",
    ),
    row("bad_user_name", Usage, "no user can have that name"),
    row(
        "bad_policy",
        Broken,
        "the policy cannot be read, or is malformed",
    ),
    row(
        "bad_token_file",
        Broken,
        "the token file is malformed, or missing beside a state",
    ),
    row("bad_state_file", Broken, "the state file is malformed"),
    row(
        "insecure_record",
        Broken,
        "others could have put it there or changed it",
    ),
    row(
        "missing_directory",
        Broken,
        "the home or the system store is not there",
    ),
    row(
        "locked_record",
        Broken,
        "another process has held the lock for five seconds",
    ),
    row(
        "changed_record",
        Broken,
        "the record was removed or replaced meanwhile",
    ),
    row(
        "foreign_file",
        Broken,
        "another program's file is in the record's place, and is never written",
    ),
    row(
        "unreadable_record",
        Broken,
        "the system does not let it be read or written",
    ),
    row(
        "disk_full",
        Broken,
        "no room on the disk or in the quota; the record is as it was",
    ),
    row("read_only", Broken, "the disk cannot be written"),
    row(
        "file_size_limit",
        Broken,
        "the process may not write files of that size",
    ),
    row(
        "no_rights",
        Broken,
        "the process cannot take the user's rights",
    ),
    row(
        "user_database_failed",
        Broken,
        "the system's user database failed",
    ),
    row(
        "unknown_caller",
        Broken,
        "the system does not know who calls",
    ),
    row("no_randomness", Broken, "the kernel gives no randomness"),
    row("no_picture", Broken, "the key does not fit a QR code"),
    row(
        "not_shown",
        Broken,
        "the answer could not be written, and nothing was changed",
    ),
    row(
        "no_log",
        Broken,
        "the system's log is not there, or cannot be read",
    ),
    row("input_output", Broken, "reading or writing failed"),
    row(
        "nothing_to_import",
        Refused,
        "the file has no entry, or none of that user",
    ),
    row(
        "entries_refused",
        Refused,
        "some entries were not imported; `entries` says which",
    ),
    row(
        "bad_file",
        Usage,
        "a file that was named cannot be read, or is there already and is not written over",
    ),
    row(
        "unknown_group",
        Refused,
        "the system does not know the group",
    ),
    row(
        "not_listed",
        Refused,
        "the policy's list does not have the name",
    ),
    row(
        "insecure_policy",
        Broken,
        "others can write to the policy's directory",
    ),
    row(
        "policy_busy",
        Broken,
        "another process has been changing the policy for five seconds",
    ),
    row(
        "warnings_found",
        Refused,
        "`doctor` found something to look at; `findings` says what",
    ),
    row(
        "errors_found",
        Broken,
        "`doctor` found what keeps people out or lets them in; `findings` says what",
    ),
    row("bad_token_name", Usage, "no token can have that name"),
    row("unknown_service", Refused, "no PAM service has that name"),
    row(
        "no_place",
        Refused,
        "no place in the stack where a code could be asked safely",
    ),
    row(
        "changed_stack",
        Refused,
        "the file was changed since setup wrote it; `difference` says how",
    ),
    row("not_set_up", Refused, "setup has not changed that service"),
    row(
        "trial_runs",
        Refused,
        "a trial of that service runs already",
    ),
    row("no_trial", Refused, "no trial of that service runs"),
    row(
        "trial_over",
        Refused,
        "the trial was not confirmed in time, and is undone",
    ),
    row(
        "not_proven",
        Refused,
        "nobody has logged in with a code since the trial began",
    ),
    row(
        "bad_stack",
        Broken,
        "the stack is not understood, or is a symbolic link",
    ),
    row(
        "bad_sshd_settings",
        Broken,
        "sshd's settings cannot be read, or not be made to fit",
    ),
    row(
        "codes_lost",
        Broken,
        "the new recovery codes count, and could not be shown",
    ),
];

/// The row of a word.
pub(super) fn find(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_row_word_for_word() {
        let json = include_str!("../../../../docs/json.md");
        let mut rows = 0;
        for row in TABLE {
            let line = format!(
                "| `{}` | {} | {} |\n",
                row.code, row.exit as u8, row.meaning
            );
            assert!(json.contains(&line), "docs/json.md lacks: {line}");
            rows += 1;
        }
        let (_, table) = json
            .split_once("| Code | Exit | Meaning |\n|---|---|---|\n")
            .unwrap();
        let table = table.split_once("\n\n").unwrap().0;
        assert_eq!(table.lines().count(), rows);
    }

    /// All words that a function between these two lines has.
    fn words<'a>(source: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
        let body = source.split_once(begin).unwrap().1;
        let body = body.split_once(end).unwrap().0;
        body.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_word_that_an_error_has_is_in_the_table() {
        let store = words(
            include_str!("../../../core/src/store/error.rs"),
            "pub fn word(",
            "pub fn path(",
        );
        let ours = words(
            include_str!("../error.rs"),
            "pub(crate) fn code(",
            "pub(crate) fn exit(",
        );
        assert!(store.contains(&"foreign_file") && ours.contains(&"usage"));
        let policy = words(
            include_str!("../policy/error.rs"),
            "pub(crate) fn word(",
            "/// What to do about it.",
        );
        assert!(policy.contains(&"policy_busy"));
        for word in store.iter().chain(&ours).chain(&policy) {
            assert!(find(word).is_some(), "{word}");
        }
    }

    #[test]
    fn no_word_has_two_rows() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(
                TABLE.iter().position(|other| other.code == row.code),
                Some(place)
            );
        }
    }
}
