//! sshd: does it ask PAM, and can it put the module's question?

use std::path::Path;
use std::process::Command;

use super::finding::{Finding, Severity, Subject};
use super::said;
use super::shell::shell;

const PROGRAMS: [&str; 2] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];
/// The main file.
const MAIN: &str = "/etc/ssh/sshd_config";
/// The directory of files that it includes, where distributions have it so.
const DROP_INS: &str = "/etc/ssh/sshd_config.d";

fn finding(severity: Severity, code: &'static str, says: impl Into<String>) -> Finding {
    Finding::new(severity, Subject::Sshd, code, says.into()).of_service("sshd")
}

/// How the code comes in the stack of sshd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// With the password, in one field.
    OneField,
    /// In a field of its own.
    OwnField,
}

impl Question {
    /// Of a stack that asks in this way.
    pub(super) fn of(one_field: bool) -> Self {
        if one_field {
            Self::OneField
        } else {
            Self::OwnField
        }
    }
}

/// What stands before the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Door {
    /// What makes the stack of no effect.
    pub(super) obstacle: Option<Obstacle>,
    /// Who has a key does not come to the stack.
    pub(super) key_is_enough: bool,
}

impl Door {
    /// One with this before it.
    pub(super) fn behind(obstacle: Obstacle) -> Self {
        Self {
            obstacle: Some(obstacle),
            key_is_enough: false,
        }
    }
}

/// What sshd does, as far as codes care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "sshd's own settings are such"
)]
pub(super) struct Settings {
    use_pam: bool,
    keyboard_interactive: bool,
    password: bool,
    key: bool,
    /// Each inner list: methods that must all succeed. Empty: any one does.
    methods: Vec<Vec<String>>,
    permit_root: String,
    /// The PAM service that it asks, if it says so: OpenSSH 9.8 and newer do.
    service: Option<String>,
}

/// What sshd says of its own configuration, for this user.
pub(super) fn ask(user: Option<&str>) -> Result<Settings, Finding> {
    let is_there = |path: &&&str| Path::new(path).exists();
    let Some(program) = PROGRAMS.iter().find(is_there) else {
        return Err(finding(
            Severity::Note,
            "no_sshd",
            "there is no sshd on this machine",
        ));
    };
    if !nix::unistd::Uid::effective().is_root() {
        return Err(finding(
            Severity::Note,
            "sshd_unseen",
            "sshd tells its settings to root alone, so they were not looked at",
        )
        .mend("sudo pam-otp doctor --service sshd"));
    }
    let mut command = Command::new(program);
    command.arg("-T").env_clear();
    if let Some(user) = user {
        // Match blocks count for whom they match; it may be on anything, and the
        // address is nobody's.
        let from = "host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22";
        command.args(["-C", &format!("user={user},{from}")]);
    }
    match said(&mut command) {
        Ok(said) if said.success => Ok(Settings::parse(&said.stdout)),
        Ok(said) => {
            let line = said.stderr.lines().next().unwrap_or("no reason given");
            Err(finding(
                Severity::Error,
                "bad_sshd_configuration",
                format!("sshd does not take its configuration: {line}"),
            )
            .mend(format!("{program} -t")))
        }
        Err(error) => Err(finding(
            Severity::Note,
            "sshd_unseen",
            format!("{program} cannot be asked: {error}"),
        )),
    }
}

impl Settings {
    /// Reads the output of `sshd -T`: a keyword in lower case and its value.
    pub(super) fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let yes = value == "yes";
            match key {
                "usepam" => settings.use_pam = yes,
                "kbdinteractiveauthentication" | "challengeresponseauthentication" => {
                    settings.keyboard_interactive |= yes;
                }
                "passwordauthentication" => settings.password = yes,
                "pubkeyauthentication" => settings.key = yes,
                "pamservicename" => settings.service = Some(value.to_owned()),
                "permitrootlogin" => value.clone_into(&mut settings.permit_root),
                "authenticationmethods" if value != "any" => {
                    let lists = value.split_whitespace();
                    settings.methods = lists
                        .map(|list| list.split(',').map(str::to_owned).collect())
                        .collect();
                }
                _ => {}
            }
        }
        settings
    }

    /// What to tell of it, where the stack asks for the code in this way.
    pub(super) fn judge(&self, question: Question, user: Option<&str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.use_pam {
            findings.push(
                finding(
                    Severity::Error,
                    "sshd_without_pam",
                    "sshd does not ask PAM, so that nobody is asked for a code",
                )
                .mend(write_down("UsePAM yes")),
            );
        }
        if let Some(other) = self.service.as_ref().filter(|name| *name != "sshd") {
            let says = format!("sshd asks the PAM service {other}, and not sshd");
            let finding = finding(Severity::Warning, "sshd_other_service", says);
            findings.push(finding.mend(shell(&[&"pam-otp", &"doctor", &"--service", other])));
        }
        findings.extend(self.of_question(question));
        findings.extend(self.of_methods(question));
        if user == Some("root") {
            findings.extend(self.of_root());
        }
        if findings.is_empty() {
            let says = "sshd asks PAM, and can put the question for the code";
            findings.push(finding(Severity::Ok, "sshd", says));
        }
        findings
    }

    /// Whether anybody gets as far as PAM, and can answer.
    fn of_question(&self, question: Question) -> Option<Finding> {
        match (question, self.keyboard_interactive, self.password) {
            (_, false, false) => Some(
                finding(
                    Severity::Error,
                    "sshd_cannot_ask",
                    "sshd offers neither of the methods with which PAM asks, keyboard-interactive \
                     and password",
                )
                .mend(write_down("KbdInteractiveAuthentication yes")),
            ),
            (Question::OwnField, false, true) => Some(
                finding(
                    Severity::Error,
                    "sshd_cannot_ask",
                    "sshd has only its one field for passwords, and sends what stands there to the \
                     question for the code too, which is then refused",
                )
                .mend(write_down(
                    "KbdInteractiveAuthentication yes\\nPasswordAuthentication no",
                )),
            ),
            (Question::OwnField, true, true) => Some(
                finding(
                    Severity::Warning,
                    "sshd_password_field",
                    "sshd also offers its one field for passwords, with which nobody gets in here: \
                     clients that try it first are refused, and ask again",
                )
                .mend(write_down("PasswordAuthentication no")),
            ),
            _ => None,
        }
    }

    /// Ways past PAM, and ways that lead nowhere.
    fn of_methods(&self, question: Question) -> Vec<Finding> {
        if self.methods.is_empty() {
            return Vec::from_iter(self.key.then(|| {
                finding(
                    Severity::Warning,
                    "sshd_key_alone",
                    "who has a key gets in by it alone, without a code: sshd does not ask PAM then",
                )
                .mend(write_down(
                    "AuthenticationMethods publickey,keyboard-interactive",
                ))
            }));
        }
        let asks = |method: &String| {
            let method = method.split(':').next().unwrap_or(method);
            method == "keyboard-interactive" || method == "password"
        };
        let one_field = |method: &String| method == "password" && question == Question::OwnField;
        let mut findings = Vec::new();
        for list in &self.methods {
            let shown = list.join(",");
            if !list.iter().any(asks) {
                let says = format!("AuthenticationMethods lets {shown} in alone, without a code");
                findings.push(
                    finding(Severity::Warning, "sshd_key_alone", says).mend(write_down(
                        "AuthenticationMethods publickey,keyboard-interactive",
                    )),
                );
            } else if list.iter().any(one_field) {
                let says = format!(
                    "AuthenticationMethods has {shown}, with which nobody gets in: the password's \
                     field is sent to the question for the code too"
                );
                findings.push(
                    finding(Severity::Warning, "sshd_password_field", says)
                        .mend(write_down("AuthenticationMethods keyboard-interactive")),
                );
            }
        }
        findings
    }

    fn of_root(&self) -> Option<Finding> {
        let (severity, says) = match self.permit_root.as_str() {
            "no" => (Severity::Note, "sshd lets root in by no way"),
            "without-password" | "prohibit-password" | "forced-commands-only" => (
                Severity::Note,
                "sshd lets root in by a key alone, and by no password and code",
            ),
            _ => return None,
        };
        Some(finding(severity, "sshd_root", says))
    }

    /// What stands before the stack.
    pub(super) fn door(&self, question: Question, user: Option<&str>) -> Door {
        Door {
            obstacle: self.in_the_way(question, user),
            key_is_enough: self.key_is_enough(),
        }
    }

    /// Whether a key alone gets in: PAM is not asked then.
    fn key_is_enough(&self) -> bool {
        let by_key = |list: &Vec<String>| list.iter().all(|method| method == "publickey");
        self.key && (self.methods.is_empty() || self.methods.iter().any(by_key))
    }

    /// Why nobody is asked for a code, or gets in with one, by PAM.
    fn in_the_way(&self, question: Question, user: Option<&str>) -> Option<Obstacle> {
        let by_key = [
            "no",
            "without-password",
            "prohibit-password",
            "forced-commands-only",
        ];
        if user == Some("root") && by_key.contains(&self.permit_root.as_str()) {
            return Some(Obstacle::RootByKey);
        }
        if !self.use_pam {
            return Some(Obstacle::NoPam);
        }
        if !self.keyboard_interactive && (!self.password || question == Question::OwnField) {
            return Some(Obstacle::NoQuestion);
        }
        None
    }
}

/// What makes the stack of no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// sshd checks passwords itself.
    NoPam,
    /// sshd cannot put the question.
    NoQuestion,
    /// PAM is not asked about root.
    RootByKey,
    /// Only root can see.
    Unseen,
}

/// Writes lines where they come before all others: of two values, the first counts.
fn write_down(lines: &str) -> String {
    let main = std::fs::read_to_string(MAIN).unwrap_or_default();
    let includes =
        |line: &str| line.to_ascii_lowercase().starts_with("include ") && line.contains(DROP_INS);
    let write = if main.lines().any(includes) {
        format!("printf '{lines}\\n' >> {DROP_INS}/00-pam-otp.conf")
    } else {
        format!("sed -i.bak '1i {lines}' {MAIN}")
    };
    format!("{write} && systemctl reload ssh")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\n\
                         pubkeyauthentication yes\nauthenticationmethods keyboard-interactive\n\
                         permitrootlogin yes\n";

    /// The words of what is found in the sound settings with these lines changed.
    fn found(changes: &[(&str, &str)], question: Question, user: &str) -> Vec<&'static str> {
        let mut lines: Vec<_> = SOUND.lines().map(str::to_owned).collect();
        for (key, value) in changes {
            lines.retain(|line| !line.starts_with(&format!("{key} ")));
            lines.push(format!("{key} {value}"));
        }
        let settings = Settings::parse(&lines.join("\n"));
        let findings = settings.judge(question, Some(user));
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn each_setting_that_spoils_a_login_is_found() {
        use Question::{OneField, OwnField};
        let both = ("passwordauthentication", "yes");
        let only_field = [("kbdinteractiveauthentication", "no"), both];
        for (changes, question, code) in [
            (&[][..], OwnField, "sshd"),
            (&[("usepam", "no")], OwnField, "sshd_without_pam"),
            (
                &[("kbdinteractiveauthentication", "no")],
                OneField,
                "sshd_cannot_ask",
            ),
            (&only_field, OwnField, "sshd_cannot_ask"),
            (&only_field, OneField, "sshd"),
            (&[both], OwnField, "sshd_password_field"),
            (&[both], OneField, "sshd"),
            (
                &[("authenticationmethods", "any")],
                OwnField,
                "sshd_key_alone",
            ),
            (
                &[(
                    "authenticationmethods",
                    "publickey,keyboard-interactive publickey",
                )],
                OwnField,
                "sshd_key_alone",
            ),
            (
                &[(
                    "authenticationmethods",
                    "publickey,keyboard-interactive:pam",
                )],
                OwnField,
                "sshd",
            ),
            (
                &[("authenticationmethods", "publickey,password")],
                OwnField,
                "sshd_password_field",
            ),
            (
                &[("pamservicename", "ssh-door")],
                OwnField,
                "sshd_other_service",
            ),
        ] {
            assert_eq!(found(changes, question, "alice"), [code], "{changes:?}");
        }
        let root = [("permitrootlogin", "without-password")];
        assert_eq!(found(&root, OwnField, "root"), ["sshd_root"]);
        assert_eq!(found(&root, OwnField, "alice"), ["sshd"]);
    }
}
