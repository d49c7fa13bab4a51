//! `pam-otp disable`: switches two-factor login off.

use std::io::Write;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::session::Session;

/// Removes the record, for a code or a recovery code. Root needs none with
/// `--user`, and can remove a record that is broken.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    if !session.administrator {
        prove(session, &mut session.record()?)?;
    }
    if !session.store.remove(&session.account)? {
        return Err(Error::NotEnrolled(session.user().to_owned()));
    }
    writeln!(
        std::io::stdout().lock(),
        "Two-factor login is off for {}.",
        session.user()
    )?;
    Ok(())
}
