//! Who a user name is, resolved once.

use std::path::PathBuf;

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
}
