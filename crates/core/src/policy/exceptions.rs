//! Who needs no code, and who needs one in any case.
//!
//! It is decided before anybody is asked, and before any record is looked for.
//! Whatever cannot be told counts against the exemption.

use std::net::IpAddr;

use crate::network::Network;
use crate::source;
use crate::store::{Account, Membership};
use crate::user::UserName;

/// What the policy says of users, groups and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Users who need no code.
    pub exempt_users: Vec<String>,
    /// Groups whose members need none.
    pub exempt_groups: Vec<String>,
    /// Networks from which none is needed.
    pub exempt_networks: Vec<Network>,
    /// Users who need one whatever else is said.
    pub require_users: Vec<String>,
    /// Groups whose members do.
    pub require_groups: Vec<String>,
}

/// How one login stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is said of it.
    Usual,
    /// No code is needed.
    Exempt(Exemption),
    /// A code is needed, and so a record.
    Required,
}

/// Which words of the policy exempt a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exemption {
    /// The user is named.
    User,
    /// The user is in this group.
    Group(String),
    /// The client's address lies in this network.
    Network(Network),
}

/// Who logs in, as far as the exceptions ask.
struct Person<'a, M> {
    /// As the application wrote it.
    given: &'a str,
    /// As the system does; as given, if the system does not know it. `None` if
    /// the system could not say.
    name: Option<&'a str>,
    uid: Option<u32>,
    address: Option<IpAddr>,
    membership: M,
}

impl Exceptions {
    /// How a login of this user stands that comes from `rhost`. Nobody is looked
    /// up if nothing is said of anybody.
    #[must_use]
    pub fn standing(&self, name: &UserName, rhost: Option<&str>) -> Standing {
        if *self == Self::default() {
            return Standing::Usual;
        }
        let account = Account::resolve(name).ok();
        let groups = account.as_ref().map(Account::groups);
        self.judge(&Person {
            given: name.as_str(),
            name: account.as_ref().map(|account| account.name().as_str()),
            uid: account.as_ref().and_then(Account::uid),
            address: rhost.and_then(source::address),
            membership: |group: &str| {
                let groups = groups.as_ref();
                groups.map_or(Membership::Unclear, |groups| groups.has(group))
            },
        })
    }

    fn judge(&self, person: &Person<'_, impl Fn(&str) -> Membership>) -> Standing {
        let names = [Some(person.given), person.name];
        let required = |user: &String| names.contains(&Some(user.as_str()));
        if self.require_users.iter().any(required)
            || self
                .require_groups
                .iter()
                .any(|group| (person.membership)(group) != Membership::Out)
        {
            return Standing::Required;
        }
        // Whom the system cannot look up may be anybody.
        let Some(name) = person.name else {
            return Standing::Usual;
        };
        if self.exempt_users.iter().any(|user| user == name) {
            return Standing::Exempt(Exemption::User);
        }
        if person.uid == Some(0) {
            return Standing::Usual;
        }
        let group = self
            .exempt_groups
            .iter()
            .find(|group| (person.membership)(group) == Membership::In);
        if let Some(group) = group {
            return Standing::Exempt(Exemption::Group(group.clone()));
        }
        let network = self.exempt_networks.iter().find(|network| {
            person
                .address
                .is_some_and(|address| network.contains(address))
        });
        network.map_or(Standing::Usual, |network| {
            Standing::Exempt(Exemption::Network(*network))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "192.0.2.0/24";

    fn exceptions() -> Exceptions {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Exceptions {
            exempt_users: list(&["backup", "deploy", "oper"]),
            exempt_groups: list(&["robots", "lost"]),
            exempt_networks: vec!["2001:db8::/32".parse().unwrap(), HOME.parse().unwrap()],
            require_users: list(&["oper"]),
            require_groups: list(&["admins"]),
        }
    }

    /// Alice is an administrator, bob is not, and both are robots.
    fn member(user: &str, group: &str) -> Membership {
        match (user, group) {
            ("alice", "admins") | (_, "robots") => Membership::In,
            _ => Membership::Out,
        }
    }

    fn judge(user: &str, uid: Option<u32>, rhost: Option<&str>) -> Standing {
        exceptions().judge(&Person {
            given: user,
            name: Some(user),
            uid,
            address: rhost.and_then(source::address),
            membership: |group: &str| match uid {
                Some(_) => member(user, group),
                None => Membership::Out,
            },
        })
    }

    #[test]
    fn require_beats_exempt_and_the_most_particular_words_are_the_reason() {
        let group = || Standing::Exempt(Exemption::Group("robots".into()));
        let network = || Standing::Exempt(Exemption::Network(HOME.parse().unwrap()));
        for (user, uid, rhost, expected) in [
            ("backup", Some(7), None, Standing::Exempt(Exemption::User)),
            ("backup", None, None, Standing::Exempt(Exemption::User)),
            ("oper", Some(7), Some("192.0.2.7"), Standing::Required),
            ("alice", Some(7), Some("192.0.2.7"), Standing::Required),
            ("bob", Some(7), None, group()),
            ("bob", Some(7), Some("192.0.2.7"), group()),
            // Nobody whom the system knows.
            ("panel user", None, None, Standing::Usual),
            ("panel user", None, Some("192.0.2.7"), network()),
            ("panel user", None, Some("::ffff:192.0.2.7"), network()),
            ("panel user", None, Some("192.0.3.7"), Standing::Usual),
            ("panel user", None, Some("localhost"), Standing::Usual),
            (
                "panel user",
                None,
                Some("192.0.2.7.example.org"),
                Standing::Usual,
            ),
            // Root is exempt by name alone, under any name.
            ("root", Some(0), Some("192.0.2.7"), Standing::Usual),
            ("toor", Some(0), Some("192.0.2.7"), Standing::Usual),
            ("deploy", Some(0), None, Standing::Exempt(Exemption::User)),
        ] {
            assert_eq!(
                judge(user, uid, rhost),
                expected,
                "{user} {uid:?} {rhost:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told_exempts_nobody_and_requires_a_code() {
        let unclear = |exceptions: &Exceptions, name| {
            exceptions.judge(&Person {
                given: "backup",
                name,
                uid: Some(7),
                address: None,
                membership: |_: &str| Membership::Unclear,
            })
        };
        let mut exceptions = exceptions();
        assert_eq!(unclear(&exceptions, Some("backup")), Standing::Required);
        exceptions.require_groups.clear();
        exceptions.exempt_users.clear();
        assert_eq!(
            unclear(&exceptions, Some("backup")),
            Standing::Usual,
            "by group"
        );
        exceptions.exempt_users.push("backup".into());
        assert_eq!(unclear(&exceptions, None), Standing::Usual, "who is that?");
        exceptions.require_users.push("backup".into());
        assert_eq!(unclear(&exceptions, None), Standing::Required);
    }

    #[test]
    fn the_name_is_that_of_the_system() {
        let judge = |given, exempt: &str, require: &str| {
            let exceptions = Exceptions {
                exempt_users: vec![exempt.into()],
                require_users: vec![require.into()],
                ..Exceptions::default()
            };
            exceptions.judge(&Person {
                given,
                name: Some("alice"),
                uid: Some(7),
                address: None,
                membership: |_: &str| Membership::Out,
            })
        };
        let exempt = Standing::Exempt(Exemption::User);
        assert_eq!(judge("ALICE", "alice", "bob"), exempt);
        assert_eq!(judge("ALICE", "ALICE", "bob"), Standing::Usual);
        assert_eq!(judge("ALICE", "alice", "ALICE"), Standing::Required);
        assert_eq!(judge("ALICE", "alice", "alice"), Standing::Required);
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks the system's user database")]
    fn the_groups_are_those_of_the_system() {
        let root = Account::resolve(&UserName::new("root").unwrap()).unwrap();
        assert_eq!(root.groups().has("root"), Membership::In);
        assert_eq!(root.groups().has("nogroup"), Membership::Out);
        assert_eq!(root.groups().has("no such group"), Membership::Unclear);
        let nobody = Account::resolve(&UserName::new("no such user").unwrap()).unwrap();
        // What the system says of others counts for those alone whom it knows.
        assert_eq!(nobody.groups().has("root"), Membership::Unclear);
        assert_eq!(nobody.groups().has("no such group"), Membership::Unclear);
    }
}
