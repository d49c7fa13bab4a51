//! `pam-otp rename`: another name for a token.

use clap::Args;
use pam_otp_core::token::{TokenError, TokenFile, TokenName};

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

/// Which token, and its new name.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The token's name
    old: String,
    /// Its new name
    new: String,
}

/// Renames, for a code or a recovery code. Root needs none with `--user`.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let (old, new) = (TokenName::new(&options.old)?, TokenName::new(&options.new)?);
    let mut record = session.record()?;
    // A slip uses up no code.
    renamed(record.tokens(), &old, &new)?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    record.change(Session::now(), |tokens, state| {
        Ok::<_, Error>((renamed(tokens, &old, &new)?, state.clone()))
    })?;
    session.log_done();
    let mut reply = Reply::new();
    reply.line(&format!("\"{}\" is \"{}\" now.", plain(&old), plain(&new)));
    reply.field("old", old.to_string());
    reply.field("new", new.to_string());
    Ok(reply)
}

fn renamed(tokens: &TokenFile, old: &TokenName, new: &TokenName) -> Result<TokenFile, Error> {
    tokens
        .renamed(old, new.clone())
        .map_err(|error| match error {
            TokenError::Twice(name) => Error::NameTaken(name),
            error => error.into(),
        })
}
