//! What becomes of a login by a user without a record.

use super::arguments::Field;
use super::exceptions::Standing;
use super::{Policy, Unenrolled};
use crate::date::Date;
use crate::time::UnixTime;

/// What a line of the module does with such a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutRecord {
    /// It is refused.
    Refused,
    /// It needs no code.
    NoCode,
    /// It enrols the user, who may put that off until this day; `None`: until no
    /// day.
    Enrols(Option<Date>),
}

impl WithoutRecord {
    /// Days for which the user gets in without a code by putting enrolling off.
    #[must_use]
    pub fn puts_off_for(&self, now: UnixTime) -> Option<u64> {
        match self {
            Self::Enrols(until) => until.and_then(|day| day.days_until(now)),
            Self::Refused | Self::NoCode => None,
        }
    }
}

impl Policy {
    /// What becomes of a login by a line with this field, of a user who stands so
    /// and has no record.
    #[must_use]
    pub fn without_record(&self, standing: &Standing, field: Field) -> WithoutRecord {
        let required = match standing {
            Standing::Exempt(_) => return WithoutRecord::NoCode,
            Standing::Required => true,
            Standing::Usual => false,
        };
        match self.unenrolled {
            Unenrolled::Allow if !required => WithoutRecord::NoCode,
            Unenrolled::Enroll if self.enrols(field) => {
                WithoutRecord::Enrols(self.put_off_until(required))
            }
            Unenrolled::Deny | Unenrolled::Allow | Unenrolled::Enroll => WithoutRecord::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::exceptions::Exemption;

    #[test]
    fn the_exceptions_count_and_then_the_rule_for_who_has_no_record() {
        let date = |day| Date::parse(day).unwrap();
        let (usual, required) = (Standing::Usual, Standing::Required);
        let exempt = Standing::Exempt(Exemption::User);
        let (enroll_by, require_by) = (date("2027-06-01"), date("2027-01-01"));
        let own = Field::Own;
        for (unenrolled, standing, field, expected) in [
            (Unenrolled::Deny, &usual, own, WithoutRecord::Refused),
            (Unenrolled::Deny, &required, own, WithoutRecord::Refused),
            (Unenrolled::Deny, &exempt, own, WithoutRecord::NoCode),
            (Unenrolled::Allow, &usual, own, WithoutRecord::NoCode),
            (Unenrolled::Allow, &required, own, WithoutRecord::Refused),
            (Unenrolled::Allow, &exempt, own, WithoutRecord::NoCode),
            (
                Unenrolled::Enroll,
                &usual,
                own,
                WithoutRecord::Enrols(Some(enroll_by)),
            ),
            (
                Unenrolled::Enroll,
                &required,
                own,
                WithoutRecord::Enrols(Some(require_by)),
            ),
            (Unenrolled::Enroll, &exempt, own, WithoutRecord::NoCode),
            (
                Unenrolled::Enroll,
                &usual,
                Field::UseFirstPass,
                WithoutRecord::Refused,
            ),
        ] {
            let policy = Policy {
                unenrolled,
                enroll_by: Some(enroll_by),
                require_by: Some(require_by),
                ..Policy::default()
            };
            let found = policy.without_record(standing, field);
            assert_eq!(found, expected, "{unenrolled:?} {standing:?} {field:?}");
        }
    }
}
