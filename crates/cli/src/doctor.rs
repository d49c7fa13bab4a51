//! Would this user get in through this service, and how?
//!
//! Each room looks at one thing, changes nothing, and gives [`Finding`]s; a login's
//! own code is asked wherever there is some. [`verdict`] puts them together, and
//! [`shown`] prints.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use pam_otp_core::policy::PolicyError;
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::store::Account;
use pam_otp_stack::{Kind, Return, Services};

mod clock;
mod examined;
pub(crate) mod finding;
mod module;
mod policy;
mod record;
mod selinux;
mod services;
mod shell;
pub(crate) mod shown;
mod sshd;
mod stack;
mod trial;
pub(crate) mod verdict;
mod walked;
mod ways;

use crate::clock::Clock;
use crate::first_login::Logged;
use crate::policy_path::PolicyPath;
use crate::session::Session;
use examined::{Examined, Line};
use finding::{Finding, Findings, Severity, Subject};
use record::Subjected;
use sshd::{Door, Judge, Needs, Obstacle, Question, Settings};
use verdict::{Answer, Login, Verdict};

/// What is asked.
pub(crate) struct Inquiry {
    /// About this user; `None`: about the machine.
    pub(crate) account: Option<Account>,
    /// By this service; `None`: by all that name the module.
    pub(crate) service: Option<String>,
    /// The policy file of lines that name none.
    pub(crate) policy: PolicyPath,
    /// Whom commands that mend must name, if it is about another user.
    pub(crate) other: Option<String>,
}

/// What was found.
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) verdicts: Vec<Verdict>,
}

impl Report {
    /// The worst of it.
    pub(crate) fn severity(&self) -> Severity {
        let severities = self.findings.iter().map(|finding| finding.severity);
        severities.max().unwrap_or(Severity::Ok)
    }
}

/// Looks at everything.
pub(crate) fn examine(inquiry: &Inquiry) -> Report {
    let services = Services::system();
    let modules = module::directory(Path::new("/"));
    let mut findings = Findings::default();
    let mut verdicts = Vec::new();
    let names = match &inquiry.service {
        Some(service) => vec![service.clone()],
        None => services::with_module(&services),
    };
    if names.is_empty() {
        let says = format!("no service in /etc/pam.d names {}", module::FILE);
        let finding = Finding::new(Severity::Note, Subject::Stack, "no_services", says);
        findings.push(finding.mend(module::setup(&["sshd", "--try", "5m", "--reload"])));
        findings.push(policy::file(&inquiry.policy.file(), false));
    }
    for service in &names {
        let read = Examined::read(&services, service, &inquiry.policy, modules.clone());
        match read {
            Ok(examined) => {
                let verdict = inquiry.service(&examined, &services, &mut findings);
                verdicts.push(verdict);
            }
            Err(error) => {
                findings.push(stack::not_understood(&error, service));
                verdicts.push(inquiry.unread(service, &error.to_string()));
            }
        }
    }
    findings.push(clock::look(Clock::look()));
    findings.extend(selinux::off());
    findings.extend(trial::look(inquiry.service.as_deref()));
    Report {
        findings: findings.sorted(),
        verdicts,
    }
}

impl Inquiry {
    fn user(&self) -> Option<&str> {
        self.account.as_ref().map(|account| account.name().as_str())
    }

    /// Looks at one service, and judges.
    fn service(
        &self,
        examined: &Examined,
        services: &Services,
        findings: &mut Findings,
    ) -> Verdict {
        findings.extend(stack::look(examined, services));
        let mut answers = Vec::new();
        for line in &examined.lines {
            answers.push(self.line(line, examined, findings));
        }
        let settings = self.sshd(examined, findings);
        let needs = needs(examined);
        let door = match &settings {
            Some(Ok(settings)) => Judge { settings, needs }.door(self.user()),
            Some(Err(obstacle)) => Door::behind(*obstacle),
            None => Door::default(),
        };
        if refuses_all(services, &examined.service) {
            let why = format!("an account line names {}, which refuses", module::FILE);
            return verdict::refused(examined, self.user(), &why);
        }
        verdict::judge(examined, &answers, self.user(), door)
    }

    fn unread(&self, service: &str, why: &str) -> Verdict {
        let who = self.user().unwrap_or("anybody");
        Verdict {
            service: service.to_owned(),
            user: self.user().map(str::to_owned),
            login: Login::Unknown,
            says: format!("by {service}, nobody can say here whether {who} gets in: {why}"),
        }
    }

    /// Looks at all that one line of the module depends on.
    fn line(&self, line: &Line, examined: &Examined, findings: &mut Findings) -> Answer {
        let service = examined.service.as_str();
        if let Some(path) = module::path(&line.module, examined.modules.as_deref()) {
            let module = module::look(&path);
            let broken = module.severity == Severity::Error && module.code != "module_insecure";
            let says = module.says.clone();
            findings.extend(selinux::look(&path));
            findings.push(module);
            if broken {
                return Answer::Refuses(Return::MODULE_UNKNOWN, says);
            }
        }
        let (arguments, policy) = match &line.told {
            Ok((arguments, policy)) => (arguments, policy),
            Err(error) => {
                if !matches!(error, PolicyError::Argument(_)) {
                    findings.push(policy::broken(error));
                }
                return Answer::Refuses(service_error(), error.to_string());
            }
        };
        findings.push(policy::file(&line.policy_file, line.names_policy));
        findings.push(policy::effective(policy, &line.policy_file, service));
        findings.extend(policy::networks(policy, service));
        findings.extend(self.first_login(line, examined));
        let Some(account) = &self.account else {
            return Answer::Asks;
        };
        let user = account.name().as_str();
        let standing = policy.exceptions.standing(account.name(), None);
        findings.extend(policy::standing(&standing, user, service));
        let subjected = Subjected {
            account,
            policy,
            path: record::place(policy, account),
            without_record: policy.without_record(&standing, arguments.field),
            now: Session::now(),
            other: self.other.as_deref(),
        };
        let look = subjected.look();
        findings.extend(selinux::look(&look.path));
        let exempt = matches!(standing, Standing::Exempt(_));
        findings.extend(look.findings.into_iter().map(|finding| {
            // Who needs no code need not have a record that works.
            match (exempt, finding.severity) {
                (true, Severity::Error) => Finding {
                    severity: Severity::Note,
                    ..finding
                },
                _ => finding,
            }
        }));
        Answer::of(policy, arguments.field, &standing, &look.standing, user)
    }

    /// What the journal would have of a first login.
    fn first_login(&self, line: &Line, examined: &Examined) -> Option<Finding> {
        let entry = examined.stack.entries().get(line.at)?;
        let logged = Logged::by_line(&examined.service, entry, &self.policy);
        logged.as_ref().map(policy::first_login)
    }

    /// What sshd is told; none for another service, or where it is not installed.
    fn sshd(
        &self,
        examined: &Examined,
        findings: &mut Findings,
    ) -> Option<Result<Settings, Obstacle>> {
        if examined.service != "sshd" || examined.lines.is_empty() {
            return None;
        }
        match sshd::ask(self.user()) {
            Ok(settings) => {
                let judge = Judge {
                    settings: &settings,
                    needs: needs(examined),
                };
                findings.extend(judge.judge(self.user()));
                Some(Ok(settings))
            }
            Err(finding) => {
                let unseen = finding.code == "sshd_unseen";
                findings.push(finding);
                unseen.then_some(Err(Obstacle::Unseen))
            }
        }
    }
}

/// What this stack needs of sshd.
fn needs(examined: &Examined) -> Needs {
    Needs {
        question: Question::of(examined.one_field()),
        code_alone: examined.password_modules().is_empty(),
    }
}

/// `PAM_SERVICE_ERR`: what the module says where it cannot decide.
const SERVICE_ERR: u8 = 3;

fn service_error() -> Return {
    Return::new(SERVICE_ERR).unwrap_or(Return::AUTH_ERR)
}

/// Whether the account lines refuse everybody because the module is among them.
fn refuses_all(services: &Services, service: &str) -> bool {
    let Ok(stack) = services.stack(service, Kind::Account) else {
        return false;
    };
    let walk = stack.walk(|module| match module.file_name() {
        module::FILE => service_error(),
        _ => Return::SUCCESS,
    });
    services::has_ours(&stack) && walk.result != Return::SUCCESS
}

/// What a program said.
struct Said {
    stdout: String,
    stderr: String,
    success: bool,
}

/// Runs a program that changes nothing.
fn said(command: &mut Command) -> io::Result<Said> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        success: output.status.success(),
    })
}
