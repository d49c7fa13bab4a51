//! `SELinux`: do files have labels with which services may use them?

use std::path::Path;

use super::finding::{Finding, Severity, Subject};
use super::shell::shell;

/// There while `SELinux` is on.
const ENFORCE: &str = "/sys/fs/selinux/enforce";
/// Where a file's label is.
const ATTRIBUTE: &str = "security.selinux";

/// Types of what was never labelled, or has that of anything in a home: sshd may
/// not write to such a state.
const WRONG: [&str; 5] = [
    "unlabeled_t",
    "default_t",
    "file_t",
    "user_home_t",
    "user_home_dir_t",
];

fn finding(severity: Severity, code: &'static str, says: String) -> Finding {
    Finding::new(severity, Subject::Selinux, code, says)
}

/// Whether `SELinux` is on; if not, that is all there is to say.
pub(super) fn off() -> Option<Finding> {
    (!Path::new(ENFORCE).exists()).then(|| {
        finding(
            Severity::Note,
            "selinux_off",
            "SELinux is not on, so labels of files do not matter".to_owned(),
        )
    })
}

/// A file's label.
pub(super) fn look(path: &Path) -> Option<Finding> {
    if off().is_some() || !path.exists() {
        return None;
    }
    let mut label = vec![0; 256];
    let label = rustix::fs::lgetxattr(path, ATTRIBUTE, &mut label)
        .ok()
        .and_then(|length| label.get(..length).map(<[u8]>::to_vec))
        .unwrap_or_default();
    let label = String::from_utf8_lossy(&label).into_owned();
    Some(judge(path, label.trim_end_matches('\0')))
}

fn judge(path: &Path, label: &str) -> Finding {
    let shown = path.display();
    let kind = label.split(':').nth(2).unwrap_or("");
    if kind.is_empty() || WRONG.contains(&kind) {
        let label = if label.is_empty() { "no" } else { label };
        return finding(
            Severity::Warning,
            "label",
            format!("{shown} has {label} label, with which services may not use it"),
        )
        .mend(shell(&[&"restorecon", &"-RFv", &shown]));
    }
    finding(
        Severity::Ok,
        "label",
        format!("{shown} has the SELinux type {kind}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_nothing_in_particular_is_to_be_restored() {
        let path = Path::new("/home/alice/.pam-otp");
        for (label, severity) in [
            ("", Severity::Warning),
            ("nonsense", Severity::Warning),
            ("system_u:object_r:unlabeled_t:s0", Severity::Warning),
            ("unconfined_u:object_r:user_home_t:s0", Severity::Warning),
            ("unconfined_u:object_r:auth_home_t:s0", Severity::Ok),
            ("system_u:object_r:lib_t:s0:c1.c2", Severity::Ok),
        ] {
            assert_eq!(judge(path, label).severity, severity, "{label}");
        }
        let mend = judge(path, "").mend.unwrap();
        assert_eq!(mend, "restorecon -RFv /home/alice/.pam-otp");
    }
}
