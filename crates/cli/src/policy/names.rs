//! The policy's lists of names, and what may stand in them.

use nix::unistd::Group;
use pam_otp_core::network::Network;
use pam_otp_core::policy::keys::Item;
use pam_otp_core::policy::{Policy, StoreKind};
use pam_otp_core::store::Account;
use pam_otp_core::user::UserName;

use super::ChangeError;
use crate::error::Error;
use crate::session::Session;

/// A list of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    RequireUsers,
    RequireGroups,
    ExemptUsers,
    ExemptGroups,
    ExemptNetworks,
}

impl Names {
    /// Its key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::RequireUsers => "require_users",
            Self::RequireGroups => "require_groups",
            Self::ExemptUsers => "exempt_users",
            Self::ExemptGroups => "exempt_groups",
            Self::ExemptNetworks => "exempt_networks",
        }
    }

    /// What it is a list of.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::RequireUsers | Self::ExemptUsers => "users",
            Self::RequireGroups | Self::ExemptGroups => "groups",
            Self::ExemptNetworks => "networks",
        }
    }

    /// What a policy has in it.
    pub(crate) fn of(self, policy: &Policy) -> Vec<String> {
        let exceptions = &policy.exceptions;
        match self {
            Self::RequireUsers => exceptions.require_users.clone(),
            Self::RequireGroups => exceptions.require_groups.clone(),
            Self::ExemptUsers => exceptions.exempt_users.clone(),
            Self::ExemptGroups => exceptions.exempt_groups.clone(),
            Self::ExemptNetworks => {
                let networks = exceptions.exempt_networks.iter();
                networks.map(ToString::to_string).collect()
            }
        }
    }

    /// Puts these into a policy.
    pub(super) fn set(self, policy: &mut Policy, names: Vec<String>) {
        let exceptions = &mut policy.exceptions;
        match self {
            Self::RequireUsers => exceptions.require_users = names,
            Self::RequireGroups => exceptions.require_groups = names,
            Self::ExemptUsers => exceptions.exempt_users = names,
            Self::ExemptGroups => exceptions.exempt_groups = names,
            Self::ExemptNetworks => {
                let networks = names.iter().map(|name| name.parse());
                exceptions.exempt_networks = networks.filter_map(Result::ok).collect();
            }
        }
    }

    /// One name as the policy writes it.
    fn read(self, name: &str) -> Result<String, Error> {
        let unfit = |why: &str| Error::Usage(format!("{}: {name}: {why}", self.key()));
        if self == Self::ExemptNetworks {
            let network = name.parse::<Network>();
            return match network {
                Ok(network) => Ok(network.to_string()),
                Err(error) => Err(unfit(&error.to_string())),
            };
        }
        if !Item::Name.accepts(name) {
            return Err(unfit("must be a plain name, without wildcards"));
        }
        Ok(name.to_owned())
    }
}

/// Users as the system writes them. One that it does not know is a slip, unless it
/// has a record, or it is wanted so.
pub(crate) fn users(
    session: &Session,
    names: Names,
    given: &[String],
    lenient: bool,
) -> Result<Vec<String>, Error> {
    let all = session.named.iter().chain(given);
    let read = all.map(|name| {
        let name = UserName::new(&names.read(name)?)?;
        if lenient {
            // Names of users who are gone must be found as they stand there.
            return Ok(name.to_string());
        }
        let account = Account::resolve(&name)?;
        let in_store = session.policy.store == StoreKind::System
            && session.store.has_entry(&account).unwrap_or(false);
        if account.uid().is_none() && !in_store {
            return Err(ChangeError::UnknownUser(name.to_string()).into());
        }
        Ok(account.name().to_string())
    });
    read.collect()
}

/// Groups that the system knows, or that are wanted all the same.
pub(crate) fn groups(names: Names, given: &[String], lenient: bool) -> Result<Vec<String>, Error> {
    let read = given.iter().map(|name| {
        let name = names.read(name)?;
        let is_known = || {
            let group = Group::from_name(&name);
            group.is_ok_and(|group| group.is_some())
        };
        if !lenient && !is_known() {
            return Err(ChangeError::UnknownGroup(name).into());
        }
        Ok(name)
    });
    read.collect()
}

/// Networks as they are written shortest.
pub(crate) fn networks(given: &[String]) -> Result<Vec<String>, Error> {
    let read = given.iter().map(|name| Names::ExemptNetworks.read(name));
    read.collect()
}
