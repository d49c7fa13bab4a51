//! All ways through a stack, where what modules answer is known or can be
//! supposed.
//!
//! The stack crate's `Stack::ways` asks whether there is any way at all, and joins ways
//! that meet. Here the likeliest one is asked for: which has the fewest suppositions,
//! what a module answers may depend on those before it, and the order of what was called
//! is told. So ways stay apart, and there is a limit to them.

use std::collections::{HashSet, VecDeque};

use pam_otp_stack::{Action, Module, Return, Stack, State};

/// Modules that check a password.
const PASSWORD: [&str; 14] = [
    "pam_unix.so",
    "pam_unix_auth.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_winbind.so",
    "pam_krb5.so",
    "pam_systemd_home.so",
    "pam_pwdfile.so",
    "pam_userdb.so",
    "pam_mysql.so",
    "pam_pgsql.so",
    "pam_radius_auth.so",
    "pam_tcb.so",
    "pam_himmelblau.so",
];

/// Modules that take no part in the decision: they prepare, or tell.
const IDLE: [&str; 22] = [
    "pam_env.so",
    "pam_faildelay.so",
    "pam_group.so",
    "pam_nologin.so",
    "pam_warn.so",
    "pam_issue.so",
    "pam_motd.so",
    "pam_mail.so",
    "pam_keyinit.so",
    "pam_limits.so",
    "pam_loginuid.so",
    "pam_umask.so",
    "pam_echo.so",
    "pam_cap.so",
    "pam_systemd.so",
    "pam_selinux.so",
    "pam_lastlog.so",
    "pam_gnome_keyring.so",
    "pam_kwallet5.so",
    "pam_mount.so",
    "pam_ecryptfs.so",
    "pam_ck_connector.so",
];

/// Of those, the ones that never succeed either: they only say `PAM_IGNORE`.
const SILENT: [&str; 6] = [
    "pam_env.so",
    "pam_group.so",
    "pam_nologin.so",
    "pam_warn.so",
    "pam_issue.so",
    "pam_motd.so",
];

/// Whether a module checks a password.
pub(super) fn checks_password(module: &Module) -> bool {
    PASSWORD.contains(&module.file_name())
}

/// What is supposed of the one who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visitor<'a> {
    /// The password is right.
    pub(super) right: bool,
    /// The module, by file name, that knows the user and the password.
    pub(super) known_to: Option<&'a str>,
}

/// One answer of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) returned: Return,
    /// Nobody can say here whether it is that one.
    pub(super) supposed: bool,
}

/// A certain answer.
pub(super) fn certainly(returned: Return) -> Vec<Answer> {
    vec![Answer {
        returned,
        supposed: false,
    }]
}

/// What a module of others answers; `asked` says whether somebody was asked for a
/// password before.
pub(super) fn answers(module: &Module, visitor: Visitor<'_>, asked: bool) -> Vec<Answer> {
    let name = module.file_name();
    let has = |argument: &str| module.arguments.iter().any(|it| it == argument);
    if PASSWORD.contains(&name) {
        let by_itself = !has("use_first_pass");
        return certainly(match visitor.known_to {
            _ if !asked && !by_itself => Return::AUTH_ERR,
            Some(known) if known == name && visitor.right => Return::SUCCESS,
            Some(known) if known == name => Return::AUTH_ERR,
            _ => Return::USER_UNKNOWN,
        });
    }
    match name {
        "pam_permit.so" => certainly(Return::SUCCESS),
        // The latter is for those who are root already; it is not about them.
        "pam_deny.so" | "pam_rootok.so" => certainly(Return::AUTH_ERR),
        // Of those in /etc/passwd, whom pam_unix.so knows.
        "pam_localuser.so" => certainly(match visitor.known_to {
            Some("pam_unix.so") => Return::SUCCESS,
            _ => Return::PERM_DENIED,
        }),
        // Of people, not of daemons.
        "pam_usertype.so" if has("isregular") => certainly(Return::SUCCESS),
        "pam_usertype.so" => certainly(Return::PERM_DENIED),
        "pam_faillock.so" if has("authfail") => certainly(Return::AUTH_ERR),
        _ if SILENT.contains(&name) => certainly(Return::IGNORE),
        "pam_faillock.so" => any(&[Return::IGNORE, Return::SUCCESS], false),
        _ if IDLE.contains(&name) => any(&[Return::IGNORE, Return::SUCCESS], false),
        _ => any(&[Return::SUCCESS, Return::AUTH_ERR, Return::IGNORE], true),
    }
}

fn any(all: &[Return], supposed: bool) -> Vec<Answer> {
    let answer = |returned: &Return| Answer {
        returned: *returned,
        supposed,
    };
    all.iter().map(answer).collect()
}

/// One way through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// What the application is told.
    pub(super) result: Return,
    /// The lines of interest that were called, in order.
    pub(super) called: Vec<usize>,
    /// The lines whose answers are supposed.
    pub(super) supposed: Vec<usize>,
    /// The last line that passed over others.
    pub(super) passed_by: Option<usize>,
}

impl Way {
    /// Whether it lets somebody in.
    pub(super) fn opens(&self) -> bool {
        self.result == Return::SUCCESS
    }
}

/// More than stacks of people have.
const MOST: usize = 20_000;

#[derive(Clone)]
struct Node {
    state: State,
    called: Vec<usize>,
    supposed: Vec<usize>,
    passed_by: Option<usize>,
}

/// All ways, those with the fewest suppositions first. `interesting` says which
/// lines are to be told of; `answers` gets a line, and those that were called
/// before. `None` if there are too many.
pub(super) fn all(
    stack: &Stack,
    interesting: impl Fn(&Module) -> bool,
    answers: impl Fn(usize, &Module, &[usize]) -> Vec<Answer>,
) -> Option<Vec<Way>> {
    let mut ways: Vec<Way> = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = VecDeque::from([Node {
        state: State::start(),
        called: Vec::new(),
        supposed: Vec::new(),
        passed_by: None,
    }]);
    while let Some(mut node) = waiting.pop_front() {
        let next = node.state.next_module(stack);
        if !seen.insert((node.state.clone(), node.called.clone())) {
            continue;
        }
        if seen.len() > MOST {
            return None;
        }
        let line = next.and_then(|at| Some((at, stack.entries().get(at)?.module()?)));
        let Some((at, module)) = line else {
            ways.push(Way {
                result: node.state.result(),
                called: node.called,
                supposed: node.supposed,
                passed_by: node.passed_by,
            });
            continue;
        };
        for answer in answers(at, module, &node.called) {
            let mut then = node.clone();
            if interesting(module) {
                then.called.push(at);
            }
            let action = then.state.step(stack, module, answer.returned);
            if matches!(action, Action::Done | Action::Die | Action::Jump(_)) {
                then.passed_by = Some(at);
            }
            if answer.supposed {
                then.supposed.push(at);
                waiting.push_back(then);
            } else {
                waiting.push_front(then);
            }
        }
    }
    ways.sort_by_key(|way| way.supposed.len());
    Some(ways)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pam_otp_stack::{Kind, ServiceFile, Services};

    use super::*;

    fn stack(text: &str) -> Stack {
        let file = ServiceFile::parse(Path::new("/etc/pam.d/x"), text.into()).unwrap();
        let services = Services::in_directory(Path::new("/nonexistent"));
        services.stack_of(&file, Kind::Auth).unwrap()
    }

    fn open(text: &str, right: bool) -> Vec<Way> {
        let visitor = Visitor {
            right,
            known_to: Some("pam_unix.so"),
        };
        let interesting = |module: &Module| module.file_name() == "pam_otp.so";
        let ways = all(&stack(text), interesting, |_, module, _| {
            match module.file_name() {
                "pam_otp.so" => certainly(Return::AUTH_ERR),
                _ => answers(module, visitor, true),
            }
        });
        ways.unwrap().into_iter().filter(Way::opens).collect()
    }

    #[test]
    fn a_way_past_a_wrong_code_is_found_with_the_line_that_makes_it() {
        let required = "auth required pam_unix.so\nauth required pam_otp.so\n";
        assert!(open(required, true).is_empty());
        let sufficient = "auth sufficient pam_unix.so\nauth required pam_otp.so\n";
        let ways = open(sufficient, true);
        assert_eq!((ways[0].passed_by, ways[0].called.len()), (Some(0), 0));
        assert!(open(sufficient, false).is_empty());
        let jump = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_otp.so\nauth required pam_permit.so\n";
        assert_eq!(open(jump, true)[0].passed_by, Some(0));
        let optional = "auth required pam_unix.so\nauth optional pam_otp.so\n";
        assert_eq!(open(optional, true)[0].called, [1]);
    }

    #[test]
    fn what_a_condition_says_is_supposed_and_only_where_it_matters() {
        let text = "auth [success=1 default=ignore] pam_succeed_if.so user ingroup x\nauth requisite pam_otp.so\nauth required pam_unix.so\n";
        let ways = open(text, true);
        assert_eq!(ways[0].supposed, [0]);
        let before = "auth required pam_env.so\nauth required pam_unix.so\n";
        assert!(open(before, true)[0].supposed.is_empty());
    }

    #[test]
    fn a_password_that_nobody_asked_for_is_none() {
        let text = "auth required pam_unix.so use_first_pass\n";
        let stack = stack(text);
        let module = stack.entries()[0].module().unwrap();
        let visitor = Visitor {
            right: true,
            known_to: Some("pam_unix.so"),
        };
        assert_eq!(
            answers(module, visitor, false)[0].returned,
            Return::AUTH_ERR
        );
        assert_eq!(answers(module, visitor, true)[0].returned, Return::SUCCESS);
    }
}
