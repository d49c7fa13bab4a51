//! Who would be locked out.

use nix::unistd::Group;
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::policy::{Policy, Unenrolled};
use pam_otp_core::store::{Account, Store};
use pam_otp_core::user::UserName;

use crate::session::Session;

/// Groups whose members administer a machine.
const GROUPS: [&str; 3] = ["sudo", "wheel", "admin"];

/// Root, and the members of the groups that administer.
pub(crate) fn administrators() -> Vec<String> {
    let groups = GROUPS
        .iter()
        .filter_map(|name| Group::from_name(name).ok()?);
    let mut names = vec!["root".to_owned()];
    names.extend(groups.flat_map(|group| group.mem));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Those of them whom the policy would not let in: without a record, where a login
/// makes none, or with a broken one.
pub(crate) fn locked_out(policy: &Policy, names: &[String]) -> Vec<String> {
    let store = Store::new(policy);
    let out = names.iter().filter(|name| {
        let Ok(name) = UserName::new(name) else {
            return true;
        };
        match policy.exceptions.standing(&name, None) {
            Standing::Exempt(_) => false,
            standing => {
                let Ok(account) = Account::resolve(&name) else {
                    return true;
                };
                match store.open(&account) {
                    Ok(Some(_)) => false,
                    Ok(None) => match policy.unenrolled {
                        Unenrolled::Deny => true,
                        Unenrolled::Allow => standing == Standing::Required,
                        Unenrolled::Enroll => {
                            let required = standing == Standing::Required;
                            !may_put_off(policy, required) && store.check_enrol(&account).is_err()
                        }
                    },
                    Err(_) => true,
                }
            }
        }
    });
    out.cloned().collect()
}

/// Whether who has no record gets in without enrolling, for some days still.
fn may_put_off(policy: &Policy, required: bool) -> bool {
    let day = policy.put_off_until(required);
    day.is_some_and(|day| day.days_until(Session::now()).is_some())
}
