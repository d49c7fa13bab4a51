//! Who a user name is, resolved once.

use std::ffi::CString;
use std::path::PathBuf;

use nix::unistd::{Gid, Group, getgrouplist};

use super::error::StoreError;
use crate::user::UserName;

/// A user as the system knows it, if it does.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) name: UserName,
    pub(super) passwd: Option<Passwd>,
}

/// What the password database says of a user.
#[derive(Clone, Debug)]
pub(super) struct Passwd {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: PathBuf,
}

impl Account {
    /// Looks a name up in the system's user database.
    ///
    /// A directory server may know `ALICE` as `alice`: then the record is the
    /// one of `alice`. A name that the system does not know is kept as it is:
    /// the system store may still have a record for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Account`] if the database fails; that is not "unknown".
    pub fn resolve(name: &UserName) -> Result<Self, StoreError> {
        let failed = |error: String| StoreError::Account {
            user: name.to_string(),
            error,
        };
        let user = nix::unistd::User::from_name(name.as_str())
            .map_err(|errno| failed(errno.desc().to_owned()))?;
        let Some(user) = user else {
            return Ok(Self {
                name: name.clone(),
                passwd: None,
            });
        };
        Ok(Self {
            name: UserName::new(&user.name).map_err(|error| failed(error.to_string()))?,
            passwd: Some(Passwd {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                home: user.dir,
            }),
        })
    }

    pub(super) fn unknown(&self) -> StoreError {
        StoreError::UnknownUser {
            user: self.name.to_string(),
        }
    }

    /// The name, as the system writes it.
    #[must_use]
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// The user id, if the system knows the user.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.passwd.as_ref().map(|passwd| passwd.uid)
    }

    /// The groups that the user is in.
    #[must_use]
    pub fn groups(&self) -> Groups {
        let Some(passwd) = &self.passwd else {
            // The system may know the name's groups all the same, or has failed.
            return Groups(None);
        };
        let name = CString::new(self.name.as_str()).ok();
        let groups = name.and_then(|name| getgrouplist(&name, Gid::from_raw(passwd.gid)).ok());
        Groups(groups)
    }
}

/// A user's groups, if the system could say.
#[derive(Clone, Debug)]
pub struct Groups(Option<Vec<Gid>>);

/// Whether a user is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Yes.
    In,
    /// No.
    Out,
    /// The system knows no such group, or failed. A directory that does not
    /// answer looks like one that knows nothing.
    Unclear,
}

impl Groups {
    /// Whether this group is one of them.
    #[must_use]
    pub fn has(&self, group: &str) -> Membership {
        match (&self.0, Group::from_name(group)) {
            (Some(groups), Ok(Some(group))) if groups.contains(&group.gid) => Membership::In,
            (Some(_), Ok(Some(_))) => Membership::Out,
            _ => Membership::Unclear,
        }
    }
}
