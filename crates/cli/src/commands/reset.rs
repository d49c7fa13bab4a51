//! `pam-otp reset`: for a lost phone.

use pam_otp_core::policy::{StoreKind, WithoutRecord};
use pam_otp_core::store::Removal;

use crate::commands::disable::tell_set_aside;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;
use crate::without_record::Afterwards;

pub(crate) use super::NoOptions as Options;

/// Removes the record, in whatever state it is, and an enrolment that was begun.
/// Says what comes next.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    session.require_user()?;
    let afterwards = Afterwards::look(session)?;
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
    afterwards.tell_in_words(&mut reply);
    reply.line(&match (session.store.kind(), afterwards.mostly) {
        (_, WithoutRecord::Enrols(_)) => {
            format!("Next: {user} logs in, with the new phone at hand.")
        }
        (StoreKind::Home, WithoutRecord::NoCode) => {
            format!("Next: {user} logs in and runs pam-otp enroll.")
        }
        (StoreKind::Home, WithoutRecord::Refused) | (StoreKind::System, _) => {
            format!("Next, with {user} and the new phone: pam-otp enroll --user {user}")
        }
    });
    reply.field("pending_removed", pending);
    afterwards.tell(&mut reply);
    Ok(reply)
}
