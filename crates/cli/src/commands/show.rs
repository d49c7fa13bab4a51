//! `pam-otp show`: key and QR code again, for a new phone.

use crate::commands::status::warn_of_short_secrets;
use crate::commands::verify::prove;
use crate::error::Error;
use crate::present::{Wishes, print_token};
use crate::session::Session;

/// Shows each token. Whoever sees it can copy it, so it takes a code first:
/// the terminal may be somebody else's now. Root needs none with `--user`.
pub(crate) fn run(session: &Session) -> Result<(), Error> {
    let mut record = session.record()?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    for token in record.tokens().tokens() {
        print_token(token, session.user(), Wishes::default())?;
    }
    warn_of_short_secrets(&record);
    Ok(())
}
