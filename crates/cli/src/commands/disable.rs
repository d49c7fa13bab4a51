//! `pam-otp disable`: switches two-factor login off.

use pam_otp_core::store::Removal;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;
use crate::without_record::Afterwards;

pub(crate) use super::NoOptions as Options;

/// Removes the record, for a code or a recovery code. Root needs none with
/// `--user`, and can remove a record that is broken.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    if !session.administrator {
        prove(session, &mut session.record()?)?;
    }
    let afterwards = Afterwards::look(session)?;
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
    tell_set_aside(&removal, &mut reply);
    afterwards.tell(&mut reply);
    Ok(reply)
}

/// Tells what lies elsewhere now.
pub(super) fn tell_set_aside(removal: &Removal, reply: &mut Reply) {
    let mut set_aside = Vec::new();
    tell(removal, reply, &mut set_aside);
    reply.field("set_aside", set_aside.pop());
}

/// The last one is the one that counted.
fn tell(removal: &Removal, reply: &mut Reply, set_aside: &mut Vec<String>) {
    match removal {
        Removal::None | Removal::Removed => {}
        Removal::SetAside(path) => {
            let path = path.display().to_string();
            reply.line(&format!(
                "The record was not as it should be, or kept locked; it lies at {} now.",
                plain(&path)
            ));
            set_aside.push(path);
        }
        Removal::Legacy { file, record } => {
            tell(record, reply, set_aside);
            let file = file.display().to_string();
            reply.line(&format!(
                "The file of pam_google_authenticator lies at {} now.",
                plain(&file)
            ));
            set_aside.push(file);
        }
    }
}
