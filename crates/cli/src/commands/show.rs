//! `pam-otp show`: key and QR code again, for a new phone.

use clap::Args;
use pam_otp_core::token::{Token, TokenError, TokenFile, TokenName};

use crate::commands::status::warn_of_short_secrets;
use crate::commands::verify::prove;
use crate::error::Error;
use crate::present::{Label, picture, print_token};
use crate::qr::Wishes;
use crate::reply::{List, Reply};
use crate::session::Session;
use crate::shown;

/// Which token, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Only the token of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    picture: Wishes,
}

/// Shows each token. Whoever sees it can copy it, so it takes a code first:
/// the terminal may be somebody else's now. Root needs none with `--user`.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let name = options.name.as_deref().map(TokenName::new).transpose()?;
    let mut record = session.record()?;
    // A slip uses up no code.
    let count = wanted(record.tokens(), name.as_ref())?.count();
    if options.picture.has_files() && count > 1 {
        return Err(Error::Usage(
            "a file shows one token: --name NAME says which".into(),
        ));
    }
    options.picture.check_files()?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    let mut reply = Reply::new();
    let state = record.state()?;
    let mut list = Vec::new();
    for token in wanted(record.tokens(), name.as_ref())? {
        let token = shown::current(token, &state);
        let label = Label::of(&token, session.user());
        options.picture.write_files(&picture(&token, &label)?)?;
        if session.json {
            list.push(shown::secret(&token, &label, &options.picture)?);
        } else {
            print_token(&token, &label, &options.picture)?;
        }
    }
    if session.json {
        reply.field("tokens", list.into_iter().collect::<List>());
    }
    warn_of_short_secrets(&record, &mut reply);
    Ok(reply)
}

/// The token of this name, or all.
pub(super) fn wanted<'a>(
    tokens: &'a TokenFile,
    name: Option<&'a TokenName>,
) -> Result<impl Iterator<Item = &'a Token>, Error> {
    let wanted = move |token: &&Token| name.is_none_or(|name| token.name == *name);
    if let (None, Some(name)) = (tokens.tokens().iter().find(wanted), name) {
        return Err(TokenError::Missing(name.to_string()).into());
    }
    Ok(tokens.tokens().iter().filter(wanted))
}
