//! `pam-otp exempt`: who needs no code.

use clap::Args;
use nix::unistd::{Group, Uid};
use pam_otp_core::policy::exceptions::Standing;
use pam_otp_core::store::Account;
use pam_otp_core::user::UserName;

use crate::error::Error;
use crate::policy::{self, Change, Names, Written};
use crate::reply::{Object, Reply};
use crate::session::Session;

const ALL: [Names; 3] = [
    Names::ExemptUsers,
    Names::ExemptGroups,
    Names::ExemptNetworks,
];

/// Groups whose members rule the machine, on most systems.
const RULING: [&str; 4] = ["root", "sudo", "wheel", "admin"];

/// Whom, and from where.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Users; none of all: tell who is exempt
    #[arg(value_name = "USER")]
    users: Vec<String>,
    /// A group, whose members are exempt; may be given again
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// An address or ADDRESS/BITS, whose clients are exempt; may be given again
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Take them out of the list
    #[arg(long)]
    remove: bool,
    /// Users and groups that the system does not know, too
    #[arg(long)]
    force: bool,
}

/// Changes the policy file, or tells what is so.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    session.require_root()?;
    let mut reply = Reply::new();
    let lenient = options.force || options.remove;
    let change = Change {
        lists: vec![
            (
                Names::ExemptUsers,
                policy::users(session, Names::ExemptUsers, &options.users, lenient)?,
            ),
            (
                Names::ExemptGroups,
                policy::groups(Names::ExemptGroups, &options.groups, lenient)?,
            ),
            (Names::ExemptNetworks, policy::networks(&options.networks)?),
        ],
        remove: options.remove,
        day: None,
    };
    let nobody = "name a user, a --group or a --network";
    let (written, changed) = change.make_or_look(session, lenient, nobody, &mut reply)?;
    if !options.remove {
        warn(&change, &written, &mut reply);
    }
    tell(&written, changed, &mut reply)?;
    Ok(reply)
}

fn tell(written: &Written, changed: bool, reply: &mut Reply) -> Result<(), Error> {
    written.tell(reply, changed);
    for names in ALL {
        reply.line(&format!(
            "exempt {}: {}",
            names.what(),
            written.words(names)
        ));
        reply.field(names.what(), policy::listed(written, names));
    }
    policy::tell_sections(reply, written, &ALL.map(Names::key), |section| {
        let mut object = Object::new();
        let words = ALL.map(|names| {
            object.push(names.what(), policy::listed(section, names));
            format!("exempt {}: {}", names.what(), section.words(names))
        });
        (words.join("; "), object)
    })
}

fn warn(change: &Change, written: &Written, reply: &mut Reply) {
    for (names, wanted) in &change.lists {
        for name in wanted {
            match names {
                Names::ExemptUsers => warn_of_user(name, written, reply),
                Names::ExemptGroups => warn_of_group(name, written, reply),
                _ if name.ends_with("/0") => reply.warn(format!(
                    "{name} is everywhere: every client whose address is told needs no code"
                )),
                _ => {}
            }
        }
    }
}

fn warn_of_user(name: &str, written: &Written, reply: &mut Reply) {
    let Ok(user) = UserName::new(name) else {
        return;
    };
    if written.policy.exceptions.standing(&user, None) == Standing::Required {
        reply.warn(format!(
            "{name} needs a code all the same: require_users or require_groups name them too, \
             and go before exempt"
        ));
        return;
    }
    let uid = Account::resolve(&user).ok().and_then(|it| it.uid());
    if uid == Some(Uid::from_raw(0).as_raw()) {
        reply.warn(format!(
            "{name} is root (user id 0): whoever has that password has the machine, without a code"
        ));
    } else if let Some(group) = ruling(&user) {
        reply.warn(format!(
            "{name} is in {group}, whose members rule this machine, and needs no code"
        ));
    }
}

fn warn_of_group(name: &str, written: &Written, reply: &mut Reply) {
    if Names::RequireGroups.of(&written.policy).iter().any(|it| it == name) {
        reply.warn(format!(
            "members of {name} need a code all the same: require_groups names it too, and goes \
             before exempt"
        ));
    } else if is_ruling(name) {
        reply.warn(format!(
            "members of {name} rule this machine, and need no code; root itself still does"
        ));
    }
}

fn is_ruling(group: &str) -> bool {
    let is_root_s = || {
        let group = Group::from_name(group).ok().flatten();
        group.is_some_and(|group| group.gid.as_raw() == 0)
    };
    RULING.contains(&group) || is_root_s()
}

/// A group of those that rule, if the user is in one.
fn ruling(user: &UserName) -> Option<&'static str> {
    let account = Account::resolve(user).ok()?;
    let groups = account.groups();
    let is_in = |group: &&&str| groups.has(group) == pam_otp_core::store::Membership::In;
    RULING.iter().find(is_in).copied()
}
