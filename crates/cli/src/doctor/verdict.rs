//! Would this user get in through this service, and how?

use pam_otp_core::date::Date;
use pam_otp_core::policy::arguments::Field;
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::policy::{Policy, WithoutRecord};
use pam_otp_stack::Return;

use super::examined::{Examined, Line};
use super::record;
use super::sshd::{Door, Obstacle};
use super::ways::Way;
use super::{module, policy};
use crate::session::Session;

/// How a login goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// It asks for a password and a code.
    PasswordAndCode,
    /// It asks for a code.
    Code,
    /// It lets in without a code.
    NoCode,
    /// It has the user enrol.
    Enrols,
    /// It refuses.
    Refused,
    /// Nobody could say here.
    Unknown,
}

impl Login {
    /// The word for programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::PasswordAndCode => "password_and_code",
            Self::Code => "code",
            Self::NoCode => "no_code",
            Self::Enrols => "enrols",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What comes of it all for one service.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) service: String,
    /// `None` for users in general.
    pub(crate) user: Option<String>,
    pub(crate) login: Login,
    /// In a sentence without a full stop.
    pub(crate) says: String,
}

/// What one line of the module answers to this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It asks, and a right code opens.
    Asks,
    /// It needs none, for this reason.
    Skips(String),
    /// The user enrols, and may put that off until this day.
    Enrols(Option<Date>),
    /// It refuses whatever is typed, for this reason.
    Refuses(Return, String),
    /// Somebody else can see whether there is a record, for this reason.
    Unseen(String),
}

impl Answer {
    /// What a line with this field answers by its policy, the user's standing in it
    /// and the record.
    pub(super) fn of(
        policy: &Policy,
        field: Field,
        standing: &Standing,
        record: &record::Standing,
        user: &str,
    ) -> Self {
        if let Standing::Exempt(exemption) = standing {
            return Self::Skips(policy::by(exemption));
        }
        match record {
            record::Standing::Enrolled => Self::Asks,
            record::Standing::Unseen(why) => Self::Unseen(why.clone()),
            record::Standing::Broken(why) => {
                Self::Refuses(Return::AUTH_ERR, format!("of the record: {why}"))
            }
            record::Standing::Unenrolled => match policy.without_record(standing, field) {
                WithoutRecord::NoCode => {
                    Self::Skips(format!("{user} has no record, and the policy allows that"))
                }
                WithoutRecord::Enrols(until) => Self::Enrols(until),
                WithoutRecord::Refused => {
                    Self::Refuses(Return::AUTH_ERR, format!("{user} has no record"))
                }
            },
        }
    }

    /// What libpam hears, where the user does all right, or has no code.
    fn returned(&self, right: bool) -> Return {
        match self {
            Self::Asks | Self::Enrols(_) | Self::Unseen(_) if right => Return::SUCCESS,
            Self::Asks | Self::Enrols(_) | Self::Unseen(_) => Return::AUTH_ERR,
            Self::Skips(_) => Return::IGNORE,
            Self::Refuses(returned, _) => *returned,
        }
    }
}

/// The verdict on a service's stack; `answers` has one for each line of the module.
pub(super) fn judge(
    examined: &Examined,
    answers: &[Answer],
    user: Option<&str>,
    door: Door,
) -> Verdict {
    let (login, why) = decide(examined, answers, door.obstacle);
    let who = user.unwrap_or("a user with a record");
    let mut says = sentence(login, &why, who, &examined.service);
    if door.obstacle == Some(Obstacle::Unseen) {
        says.push_str("; sshd's own settings were not looked at");
    }
    if door.key_is_enough {
        says.push_str("; a key alone gets in without a code");
    }
    Verdict {
        service: examined.service.clone(),
        user: user.map(str::to_owned),
        says,
        login,
    }
}

/// Where something refuses whatever the stack says.
pub(super) fn refused(examined: &Examined, user: Option<&str>, why: &str) -> Verdict {
    let who = user.unwrap_or("a user with a record");
    Verdict {
        service: examined.service.clone(),
        user: user.map(str::to_owned),
        login: Login::Refused,
        says: sentence(Login::Refused, why, who, &examined.service),
    }
}

fn sentence(login: Login, why: &str, who: &str, service: &str) -> String {
    let by = format!("by {service}");
    match login {
        Login::PasswordAndCode => {
            format!("{by}, {who} would be asked for a password and a code{why}")
        }
        Login::Code => format!("{by}, {who} would be asked for a code{why}"),
        Login::NoCode => format!("{by}, {who} would get in without a code, because {why}"),
        Login::Enrols => format!("{by}, {who} would be made to enrol at the login{why}"),
        Login::Refused => format!("{by}, {who} cannot get in, because {why}"),
        Login::Unknown => format!("{by}, nobody can say here whether {who} gets in: {why}"),
    }
}

fn decide(examined: &Examined, answers: &[Answer], obstacle: Option<Obstacle>) -> (Login, String) {
    match obstacle {
        Some(Obstacle::NoPam) => return (Login::NoCode, "sshd does not ask PAM".to_owned()),
        Some(Obstacle::NoQuestion) => {
            return (Login::Refused, "sshd cannot put the question".to_owned());
        }
        Some(Obstacle::RootByKey) => {
            return (
                Login::Refused,
                "sshd lets root in by a key at most".to_owned(),
            );
        }
        Some(Obstacle::Unseen) | None => {}
    }
    let answer = |line: &Line| {
        let mut lines = examined.lines.iter();
        let place = lines.position(|it| it.at == line.at);
        place
            .and_then(|place| answers.get(place))
            .unwrap_or(&Answer::Asks)
    };
    let (Some(right), Some(without)) = (
        examined.ways(true, |line| answer(line).returned(true)),
        examined.ways(true, |line| answer(line).returned(false)),
    ) else {
        return (Login::Unknown, "the stack has too many ways".to_owned());
    };
    let opens = |ways: &[Way]| ways.iter().find(|way| way.opens()).cloned();
    let free = opens(&without);
    if let Some(free) = free.as_ref().filter(|free| free.supposed.is_empty()) {
        let mut called = examined.checked(free);
        let skip = called.find_map(|line| match answer(line) {
            Answer::Skips(why) => Some(why.clone()),
            _ => None,
        });
        return (
            Login::NoCode,
            skip.unwrap_or_else(|| examined.why_past(free)),
        );
    }
    let Some(way) = opens(&right) else {
        return (Login::Refused, why_refused(examined, answers, &right));
    };
    let condition = free.map(|free| {
        let conditions = examined.conditions(&free);
        format!(", unless {conditions} let them past it")
    });
    let condition = condition.unwrap_or_default();
    let called = || examined.checked(&way);
    let enrols = called().find_map(|line| match answer(line) {
        Answer::Enrols(until) => Some(*until),
        _ => None,
    });
    if let Some(until) = enrols {
        return (Login::Enrols, postponable(until) + &condition);
    }
    let unseen = called().find_map(|line| match answer(line) {
        Answer::Unseen(why) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = unseen {
        return (Login::Unknown, why);
    }
    if examined.asked_password(&way) {
        (Login::PasswordAndCode, condition)
    } else {
        (Login::Code, condition)
    }
}

/// Until the day that the policy sets, it can be put off.
fn postponable(day: Option<Date>) -> String {
    let days = day.and_then(|day: Date| day.days_until(Session::now()));
    days.map(|days| format!(", and can put it off for {days} days"))
        .unwrap_or_default()
}

fn why_refused(examined: &Examined, answers: &[Answer], ways: &[Way]) -> String {
    let reason = answers.iter().find_map(|answer| match answer {
        Answer::Refuses(_, why) => Some(why.clone()),
        _ => None,
    });
    let skipped = answers
        .iter()
        .any(|answer| matches!(answer, Answer::Skips(_)));
    let nothing = || {
        if skipped {
            return format!(
                "no code is needed, and no other line of the stack lets anybody in: `auth required \
                 pam_permit.so` must follow the line of {}",
                module::FILE
            );
        }
        let why = ways.first().map(|way| examined.why_past(way));
        why.unwrap_or_else(|| "the stack refuses all".to_owned())
    };
    reason.unwrap_or_else(nothing)
}
