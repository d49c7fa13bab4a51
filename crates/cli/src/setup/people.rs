//! Who would be locked out.

use nix::unistd::Group;
use pam_otp_core::policy::arguments::Field;
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::policy::{Policy, WithoutRecord};
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
        let standing = policy.exceptions.standing(&name, None);
        if matches!(standing, Standing::Exempt(_)) {
            return false;
        }
        let Ok(account) = Account::resolve(&name) else {
            return true;
        };
        match store.open(&account) {
            Ok(Some(_)) => false,
            Ok(None) => {
                let without = policy.without_record(&standing, Field::default());
                match (without, without.puts_off_for(Session::now())) {
                    (WithoutRecord::Refused, _) => true,
                    (WithoutRecord::Enrols(_), None) => store.check_enrol(&account).is_err(),
                    (WithoutRecord::Enrols(_) | WithoutRecord::NoCode, _) => false,
                }
            }
            Err(_) => true,
        }
    });
    out.cloned().collect()
}
