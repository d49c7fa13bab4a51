//! `pam-otp disable`: switches two-factor login off.

use std::io::Write;

use pam_otp_core::store::Removal;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::session::Session;

/// Removes the record, for a code or a recovery code. Root needs none with
/// `--user`, and can remove a record that is broken.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    if !session.administrator {
        prove(session, &mut session.record()?)?;
    }
    let removal = session.store.remove(&session.account)?;
    if removal == Removal::None {
        return Err(Error::NotEnrolled(session.user().to_owned()));
    }
    session.log_done();
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "Two-factor login is off for {}.",
        plain(session.user())
    )?;
    tell(&mut stdout, &removal)?;
    Ok(())
}

/// What lies elsewhere now.
fn tell(stdout: &mut impl Write, removal: &Removal) -> std::io::Result<()> {
    match removal {
        Removal::None | Removal::Removed => Ok(()),
        Removal::SetAside(path) => writeln!(
            stdout,
            "The record was not as it should be; it lies at {} now.",
            plain(path.display())
        ),
        Removal::Legacy { file, record } => {
            writeln!(
                stdout,
                "The file of pam_google_authenticator lies at {} now.",
                plain(file.display())
            )?;
            tell(stdout, record)
        }
    }
}
