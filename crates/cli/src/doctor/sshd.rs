//! sshd: does it ask PAM, and can it put the module's question?

use super::finding::{Finding, Severity, Subject};
use super::module;
use super::shell::shell;
pub(super) use crate::sshd::Settings;
use crate::sshd::{MAIN, SERVICE, Unasked, how_to_reload, includes_drop_in, method, program};

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

/// What sshd says of its own configuration, for this user.
pub(super) fn ask(user: Option<&str>) -> Result<Settings, Finding> {
    if program().is_some() && !nix::unistd::Uid::effective().is_root() {
        let says = "sshd tells its settings to root alone, so they were not looked at";
        let finding = finding(Severity::Note, "sshd_unseen", says);
        return Err(finding.mend("sudo pam-otp doctor --service sshd"));
    }
    Settings::of(user).map_err(|unasked| match &unasked {
        Unasked::NotInstalled => finding(Severity::Note, "no_sshd", unasked.to_string()),
        Unasked::NotStarted(..) => finding(Severity::Note, "sshd_unseen", unasked.to_string()),
        Unasked::Refuses(program, line) => {
            let says = format!("sshd does not take its configuration: {line}");
            let finding = finding(Severity::Error, "bad_sshd_configuration", says);
            finding.mend(format!("{program} -t"))
        }
    })
}

/// What the stack needs of sshd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) question: Question,
    /// The stack asks for no password: a key must come first.
    pub(super) code_alone: bool,
}

impl Needs {
    /// What does it: setup, where it would set sshd for such a stack; or lines before
    /// all others, for the first value counts.
    fn mend(self, lines: &str) -> String {
        if self.question == Question::OneField || !includes_drop_in() {
            return format!("sed -i.bak '1i {lines}' {MAIN} && {}", how_to_reload());
        }
        let method = ["--method", "key+code"];
        let method = if self.code_alone { &method[..] } else { &[] };
        let words = [SERVICE].iter().chain(method).chain(&["--reload"]);
        module::setup(&words.copied().collect::<Vec<_>>())
    }

    /// Which methods must succeed.
    fn methods(self) -> &'static str {
        if self.code_alone {
            "AuthenticationMethods publickey,keyboard-interactive"
        } else {
            "AuthenticationMethods keyboard-interactive"
        }
    }
}

/// What is found of settings.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) needs: Needs,
}

impl Judge<'_> {
    /// What to tell of it, where the stack asks for the code in this way.
    pub(super) fn judge(&self, user: Option<&str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.settings.use_pam {
            findings.push(
                finding(
                    Severity::Error,
                    "sshd_without_pam",
                    "sshd does not ask PAM, so that nobody is asked for a code",
                )
                .mend(self.needs.mend("UsePAM yes")),
            );
        }
        if let Some(other) = self
            .settings
            .service
            .as_ref()
            .filter(|name| *name != "sshd")
        {
            let says = format!("sshd asks the PAM service {other}, and not sshd");
            let finding = finding(Severity::Warning, "sshd_other_service", says);
            findings.push(finding.mend(shell(&[&"pam-otp", &"doctor", &"--service", other])));
        }
        findings.extend(self.of_question());
        findings.extend(self.of_methods());
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
    fn of_question(&self) -> Option<Finding> {
        match (
            self.needs.question,
            self.settings.keyboard_interactive,
            self.settings.password,
        ) {
            (_, false, false) => Some(
                finding(
                    Severity::Error,
                    "sshd_cannot_ask",
                    "sshd offers neither of the methods with which PAM asks, keyboard-interactive \
                     and password",
                )
                .mend(self.needs.mend("KbdInteractiveAuthentication yes")),
            ),
            (Question::OwnField, false, true) => Some(
                finding(
                    Severity::Error,
                    "sshd_cannot_ask",
                    "sshd has only its one field for passwords, and sends what stands there to the \
                     question for the code too, which is then refused",
                )
                .mend(
                    self.needs
                        .mend("KbdInteractiveAuthentication yes\\nPasswordAuthentication no"),
                ),
            ),
            (Question::OwnField, true, true) => Some(
                finding(
                    Severity::Warning,
                    "sshd_password_field",
                    "sshd also offers its one field for passwords, with which nobody gets in here: \
                     clients that try it first are refused, and ask again",
                )
                .mend(self.needs.mend("PasswordAuthentication no")),
            ),
            _ => None,
        }
    }

    /// Ways past PAM, and ways that lead nowhere.
    fn of_methods(&self) -> Vec<Finding> {
        if self.settings.methods.is_empty() {
            return Vec::from_iter(self.settings.key.then(|| {
                finding(
                    Severity::Warning,
                    "sshd_key_alone",
                    "who has a key gets in by it alone, without a code: sshd does not ask PAM then",
                )
                .mend(self.needs.mend(self.needs.methods()))
            }));
        }
        let asks = |method: &String| {
            let method = self::method(method);
            method == "keyboard-interactive" || method == "password"
        };
        let one_field =
            |method: &String| method == "password" && self.needs.question == Question::OwnField;
        let mut findings = Vec::new();
        for list in &self.settings.methods {
            let shown = list.join(",");
            if !list.iter().any(asks) {
                let says = format!("AuthenticationMethods lets {shown} in alone, without a code");
                findings.push(
                    finding(Severity::Warning, "sshd_key_alone", says)
                        .mend(self.needs.mend(self.needs.methods())),
                );
            } else if list.iter().any(one_field) {
                let says = format!(
                    "AuthenticationMethods has {shown}, with which nobody gets in: the password's \
                     field is sent to the question for the code too"
                );
                findings.push(
                    finding(Severity::Warning, "sshd_password_field", says)
                        .mend(self.needs.mend(self.needs.methods())),
                );
            }
        }
        findings
    }

    fn of_root(&self) -> Option<Finding> {
        let (severity, says) = match self.settings.permit_root.as_str() {
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
    pub(super) fn door(&self, user: Option<&str>) -> Door {
        Door {
            obstacle: self.in_the_way(user),
            key_is_enough: self.key_is_enough(),
        }
    }

    /// Whether a key alone gets in: PAM is not asked then.
    fn key_is_enough(&self) -> bool {
        let by_key = |list: &Vec<String>| list.iter().all(|method| method == "publickey");
        self.settings.key
            && (self.settings.methods.is_empty() || self.settings.methods.iter().any(by_key))
    }

    /// Why nobody is asked for a code, or gets in with one, by PAM.
    fn in_the_way(&self, user: Option<&str>) -> Option<Obstacle> {
        if user == Some("root") && self.settings.refuses_root() {
            return Some(Obstacle::RootByKey);
        }
        if !self.settings.use_pam {
            return Some(Obstacle::NoPam);
        }
        if !self.settings.keyboard_interactive
            && (!self.settings.password || self.needs.question == Question::OwnField)
        {
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
        let needs = Needs {
            question,
            code_alone: false,
        };
        let judge = Judge {
            settings: &settings,
            needs,
        };
        let findings = judge.judge(Some(user));
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
