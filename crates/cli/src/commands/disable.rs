//! `pam-otp disable`: switches two-factor login off.

use pam_otp_core::store::Removal;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Removes the record, for a code or a recovery code. Root needs none with
/// `--user`, and can remove a record that is broken.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    if !session.administrator {
        prove(session, &mut session.record()?)?;
    }
    let removal = session.store.remove(&session.account)?;
    if removal == Removal::None {
        return Err(Error::NotEnrolled(session.user().to_owned()));
    }
    session.log_done();
    let mut reply = Reply::new();
    reply.line(&format!(
        "Two-factor login is off for {}.",
        plain(session.user())
    ));
    let set_aside = match removal {
        Removal::SetAside(path) => Some(path.display().to_string()),
        Removal::None | Removal::Removed => None,
    };
    if let Some(path) = &set_aside {
        reply.line(&format!(
            "The record was not as it should be; it lies at {} now.",
            plain(path)
        ));
    }
    reply.field("set_aside", set_aside);
    Ok(reply)
}
