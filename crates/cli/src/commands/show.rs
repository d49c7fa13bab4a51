//! `pam-otp show`: key and QR code again, for a new phone.

use crate::commands::status::warn_of_short_secrets;
use crate::commands::verify::prove;
use crate::error::Error;
use crate::present::{Label, Wishes, print_token};
use crate::reply::{List, Reply};
use crate::session::Session;
use crate::shown;

pub(crate) use super::NoOptions as Options;

/// Shows each token. Whoever sees it can copy it, so it takes a code first:
/// the terminal may be somebody else's now. Root needs none with `--user`.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let mut record = session.record()?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    let mut reply = Reply::new();
    let label = Label::of(session.user());
    let state = record.state()?;
    let tokens = record.tokens().tokens().iter();
    let tokens = tokens.map(|token| shown::current(token, &state));
    if session.json {
        let tokens = tokens.map(|token| shown::secret(&token, &label));
        reply.field("tokens", tokens.collect::<Result<List, Error>>()?);
    } else {
        for token in tokens {
            print_token(&token, &label, Wishes::default())?;
        }
    }
    warn_of_short_secrets(&record, &mut reply);
    Ok(reply)
}
