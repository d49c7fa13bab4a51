//! One broken thing each: what doctor says of it, and what real logins then do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a helper that fails is a broken test"
)]

use pam_otp_testkit::authenticator::{Algorithm, code, hotp, now};
use pam_otp_testkit::pam::{self, Application, Reply};
use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::Value;

#[path = "doctor/world.rs"]
mod world;

use world::{KEY, PASSWORD, POLICY, doctor, find};

/// One case of `doctor/cases.txt`.
#[derive(Debug, Default)]
struct Case {
    name: String,
    user: String,
    stack: Vec<String>,
    policy: Vec<String>,
    script: Vec<String>,
    new: bool,
    finds: Vec<[String; 3]>,
    mends: bool,
    login: String,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let text = include_str!("doctor/cases.txt");
    for line in text
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
    {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "==" {
            cases.push(Case {
                name: rest.to_owned(),
                user: format!("case{}", cases.len()),
                ..Case::default()
            });
            continue;
        }
        let case = cases.last_mut().unwrap();
        let own = rest.replace("$USER", &case.user);
        match word {
            "auth" | "account" => case.stack.push(line.to_owned()),
            "policy" => case.policy.push(own),
            "do" => case.script.push(rest.to_owned()),
            "new" => case.new = true,
            "finds" => {
                let words: Vec<_> = rest.split(' ').map(str::to_owned).collect();
                case.finds.push(words.try_into().unwrap());
            }
            "mends" => case.mends = true,
            "login" => rest.clone_into(&mut case.login),
            _ => panic!("{line}"),
        }
    }
    cases
}

/// A script of root's inside, where `pam-otp` is the command.
fn script(sandbox: &Sandbox, user: &str, lines: &[String]) {
    let module = sandbox.module().display().to_string();
    let lines = lines.join("\n").replace("{module}", &module);
    let home = run(sandbox.command("getent").args(["passwd", user]), "");
    let home = home.split(':').nth(5).unwrap();
    let own = sandbox.pam_otp();
    let path = format!(
        "{}:/usr/sbin:/usr/bin:/sbin:/bin",
        own.parent().unwrap().display()
    );
    let mut shell = sandbox.command("sh");
    shell.args(["-euc", &lines]);
    shell.env("USER", user).env("HOME", home).env("PATH", path);
    run(&mut shell, "");
}

impl Case {
    fn prepare(&self, sandbox: &Sandbox) {
        sandbox.add_user(&self.user, PASSWORD);
        sandbox.pam_service(&self.user, &self.stack.join("\n"));
        let policy = format!("{}\n", self.policy.join("\n"));
        let system = policy.contains("store = \"system\"");
        script(sandbox, &self.user, &[format!("rm -f {POLICY}")]);
        if system {
            sandbox.write(POLICY, &policy, 0o644);
        }
        if !self.new {
            let mut enrol = sandbox.command(sandbox.pam_otp());
            enrol.args(["import", "-", "--user", &self.user]);
            run(&mut enrol, &format!("otpauth://totp/phone?secret={KEY}"));
        }
        if !self.policy.is_empty() {
            sandbox.write(POLICY, &policy, 0o644);
        }
        if !self.script.is_empty() {
            script(sandbox, &self.user, &self.script);
        }
    }

    /// Holds what doctor says against what is expected.
    fn check(&self, answer: &Value, status: Option<i32>) {
        let findings = answer["findings"].as_array().unwrap();
        for [severity, subject, code] in &self.finds {
            let found = findings.iter().any(|finding| {
                finding["severity"] == *severity
                    && finding["subject"] == *subject
                    && finding["code"] == *code
            });
            assert!(
                found,
                "{}: no {severity} {subject} {code}: {answer:#}",
                self.name
            );
        }
        // Whatever keeps people out, or lets them in, can be mended.
        for finding in findings.iter().filter(|it| it["severity"] == "error") {
            assert!(finding["mend"].is_string(), "{}: {finding}", self.name);
        }
        let verdict = &answer["verdicts"][0];
        let word = self.login.split(' ').next().unwrap();
        assert_eq!(verdict["login"], word, "{}: {answer:#}", self.name);
        assert_eq!(verdict["user"], self.user.as_str());
        let expected = match answer["severity"].as_str().unwrap() {
            "error" => 3,
            "warning" => 1,
            _ => 0,
        };
        assert_eq!(status, Some(expected), "{}", self.name);
    }

    /// Types what mends it; then it is found no more.
    fn mend(&self, sandbox: &Sandbox, answer: &Value) {
        let code = &self.finds[0][2];
        let mend = find(answer, code)["mend"].as_str().unwrap();
        // Nobody is there to type a code.
        let typed = mend.replace("pam-otp enroll", "pam-otp enroll --json </dev/null");
        script(sandbox, &self.user, &[typed]);
        let about = ["--user", &self.user, "--service", &self.user];
        let (after, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        let findings = after["findings"].as_array().unwrap();
        let found = findings
            .iter()
            .any(|finding| finding["code"] == code.as_str());
        assert!(!found, "{}: {mend}: {after:#}", self.name);
    }

    /// One login with this password and this code.
    fn enters(&self, sandbox: &Sandbox, password: &str, code: &str) -> bool {
        let account = self.login.ends_with("at account");
        let replies = match self.login.as_str() {
            "code" => vec![code.to_owned()],
            _ if self.login.ends_with("one field") => vec![format!("{password}{code}")],
            _ if self.login.ends_with("code first") => vec![code.to_owned(), password.to_owned()],
            _ => vec![password.to_owned(), code.to_owned()],
        };
        let service = self.user.clone();
        sandbox.inside(|| {
            let mut application = Application::new().user(self.user.clone());
            for reply in replies {
                application = application.reply(reply);
            }
            let stack = pam::Stack::existing(&service, None);
            let mut login = application.start(&stack);
            let mut entered = login.authenticate().entered();
            if entered && account {
                entered = login.acct_mgmt() == pam::SUCCESS;
            }
            entered
        })
    }

    /// Real logins: does libpam do what doctor said?
    fn confirm(&self, sandbox: &Sandbox) {
        let (present, next) = (code(KEY, now()), code(KEY, now() + 30));
        let wrong = self.enters(sandbox, PASSWORD, "000000");
        let right = self.enters(sandbox, PASSWORD, &present);
        let word = self.login.split(' ').next().unwrap();
        let (expected_wrong, expected_right) = match word {
            "password_and_code" | "code" => (false, true),
            "no_code" => (true, true),
            "refused" | "enrols" => (false, false),
            "unknown" => return,
            other => panic!("{other}"),
        };
        assert_eq!(wrong, expected_wrong, "{}: a wrong code", self.name);
        assert_eq!(right, expected_right, "{}: a right code", self.name);
        let tells = |code: &str| self.finds.iter().any(|it| it[2] == code);
        if tells("open") {
            assert!(self.enters(sandbox, "wrong", "000000"), "{}", self.name);
        }
        if word == "password_and_code" {
            let stranger = self.enters(sandbox, "wrong", &next);
            assert_eq!(
                stranger,
                tells("code_alone"),
                "{}: a wrong password",
                self.name
            );
        }
    }
}

#[test]
fn doctor_finds_the_one_thing_that_is_broken_and_real_logins_do_as_it_says() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    for case in cases() {
        case.prepare(&sandbox);
        let about = ["--user", &case.user, "--service", &case.user];
        let (answer, status) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        case.check(&answer, status);
        case.confirm(&sandbox);
        if case.mends {
            case.mend(&sandbox, &answer);
        }
    }
}

/// Types the password where a password is asked for, and else the code.
fn by_question(password: &str, code: &str) -> Reply {
    let (password, code) = (password.to_owned(), code.to_owned());
    Reply::reading(move |said| {
        let question = said.lines().last().unwrap_or_default();
        if question.contains("code") {
            code
        } else {
            password
        }
    })
}

/// The next number of a sequence that is the same in every run, below `end`.
fn next(seed: &mut u64, end: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % end
}

#[test]
fn of_stacks_that_nobody_would_write_it_says_what_libpam_does() {
    const CONTROLS: [&str; 8] = [
        "required",
        "requisite",
        "sufficient",
        "optional",
        "[success=1 default=ignore]",
        "[success=ok default=1]",
        "[success=done default=die]",
        "[success=reset default=bad]",
    ];
    const MODULES: [&str; 6] = [
        "pam_unix.so",
        "{module}",
        "pam_permit.so",
        "pam_deny.so",
        "pam_env.so",
        "pam_unix.so use_first_pass",
    ];
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", PASSWORD);
    sandbox.write(POLICY, "tries = 10\nwait = 1\nlook_ahead = 100\n", 0o644);
    let command = |arguments: &[&str], input: &str| {
        run(sandbox.command(sandbox.pam_otp()).args(arguments), input);
    };
    let (mut seed, mut counter, mut words) = (1, 0, Vec::new());
    for number in 0..60 {
        let mut lines = vec!["auth optional pam_warn.so".to_owned()];
        for _ in 0..2 + next(&mut seed, 3) {
            let control = CONTROLS[next(&mut seed, CONTROLS.len())];
            let module = MODULES[next(&mut seed, MODULES.len())];
            lines.push(format!("auth {control} {module}"));
        }
        // Somewhere, the code is asked for.
        let at = 1 + next(&mut seed, lines.len());
        let control = CONTROLS[next(&mut seed, CONTROLS.len())];
        lines.insert(at, format!("auth {control} {{module}}"));
        let stack = lines.join("\n");
        let service = format!("odd{number}");
        sandbox.pam_service(&service, &stack);
        // A new record each time: what was used or guessed before is no matter.
        let uri = format!("otpauth://hotp/phone?secret={KEY}&counter={counter}");
        command(&["import", "-", "--user", "alice"], &uri);
        let about = ["--user", "alice", "--service", &service];
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        let login = answer["verdicts"][0]["login"].as_str().unwrap().to_owned();
        let enters = |codes: &[String]| {
            sandbox.inside(|| {
                let mut application = Application::new().user("alice");
                for code in codes {
                    application = application.reply(by_question(PASSWORD, code));
                }
                let stack = pam::Stack::existing(&service, None);
                application.authenticate(&stack).code == pam::SUCCESS
            })
        };
        let wrong = vec!["000000".to_owned(); 6];
        // As many as there may be questions, one code each.
        let right: Vec<_> = (counter..counter + 6)
            .map(|counter| hotp(KEY, counter, 6, Algorithm::Sha1))
            .collect();
        counter += 6;
        let entered = (enters(&wrong), enters(&right));
        let as_said = match login.as_str() {
            "password_and_code" | "code" => entered == (false, true),
            // By some of these, only a wrong code gets in.
            "no_code" => entered.0,
            "refused" => entered == (false, false),
            other => panic!("{other}"),
        };
        assert!(as_said, "{entered:?}\n{stack}\n{answer:#}");
        command(&["reset", "--user", "alice"], "");
        words.push(login);
    }
    for word in ["password_and_code", "code", "no_code", "refused"] {
        assert!(words.iter().any(|it| it == word), "no stack was {word}");
    }
}

#[test]
fn of_the_examples_it_finds_nothing_to_mend() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", PASSWORD);
    let mut enrol = sandbox.command(sandbox.pam_otp());
    enrol.args(["import", "-", "--user", "alice"]);
    run(&mut enrol, &format!("otpauth://totp/phone?secret={KEY}"));
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pam.d-examples");
    let mut looked = 0;
    for example in std::fs::read_dir(examples).unwrap() {
        let path = example.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let stack = std::fs::read_to_string(&path).unwrap();
        let stack = stack.replace("pam_otp.so", "{module}");
        let service = format!("example-{name}");
        sandbox.pam_service(&service, &stack);
        let about = ["--user", "alice", "--service", &service];
        let (answer, _) = doctor(sandbox.command(sandbox.pam_otp()), &about);
        let login = &answer["verdicts"][0]["login"];
        let expected = match name.as_str() {
            "sshd-key-and-code" => "code",
            _ => "password_and_code",
        };
        assert_eq!(login, expected, "{name}: {answer:#}");
        let findings = answer["findings"].as_array().unwrap();
        let mut bad = findings.iter().filter(|finding| {
            let severity = finding["severity"].as_str().unwrap();
            finding["subject"] == "stack" && ["warning", "error"].contains(&severity)
        });
        assert!(bad.next().is_none(), "{name}: {answer:#}");
        looked += 1;
    }
    assert!(looked >= 8, "{looked} examples");
}
