//! `pam-otp reset`: for a lost phone.

use pam_otp_core::policy::{StoreKind, Unenrolled};
use pam_otp_core::store::Removal;

use crate::commands::disable::tell_set_aside;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Removes the record, in whatever state it is, and an enrolment that was begun.
/// Says what comes next.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    session.require_user()?;
    // Where even that fails the record is removed, or set aside, as a whole.
    let pending = session.store.forget_pending(&session.account);
    let pending = pending.unwrap_or_default();
    let removal = session.store.remove(&session.account)?;
    if removal == Removal::None && !pending {
        return Err(Error::NotEnrolled(session.user().to_owned()));
    }
    session.log_done();
    let mut reply = Reply::new();
    let user = plain(session.user());
    reply.line(&format!("Two-factor login is off for {user}."));
    tell_set_aside(&removal, &mut reply);
    let may_log_in = session.policy.unenrolled == Unenrolled::Allow;
    let unenrolled = session.policy.unenrolled;
    reply.line(&match unenrolled {
        Unenrolled::Allow => format!("Until {user} enrols anew, logins ask for no code."),
        Unenrolled::Enroll => format!("The next login that asks for a code enrols {user} anew."),
        Unenrolled::Deny => {
            format!("Until {user} enrols anew, logins that ask for a code are refused.")
        }
    });
    reply.line(&match (session.store.kind(), unenrolled) {
        (_, Unenrolled::Enroll) => format!("Next: {user} logs in, with the new phone at hand."),
        (StoreKind::Home, Unenrolled::Allow) => {
            format!("Next: {user} logs in and runs pam-otp enroll.")
        }
        (StoreKind::Home, Unenrolled::Deny) | (StoreKind::System, _) => {
            format!("Next, with {user} and the new phone: pam-otp enroll --user {user}")
        }
    });
    reply.field("pending_removed", pending);
    reply.field("logins_without_code", may_log_in);
    Ok(reply)
}
