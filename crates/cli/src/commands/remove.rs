//! `pam-otp remove`: one token less.

use clap::Args;
use pam_otp_core::token::TokenName;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::Reply;
use crate::session::Session;

/// Which token.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The token's name
    name: String,
}

/// Removes a token, for a code or a recovery code. Root needs none with
/// `--user`. The last one stays: a record without a token refuses everybody.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let name = TokenName::new(&options.name)?;
    let mut record = session.record()?;
    // A slip uses up no code.
    record.tokens().without(&name)?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    let mut left = 0;
    record.change(Session::now(), |tokens, state| {
        let tokens = tokens.without(&name)?;
        left = tokens.tokens().len();
        // Its used codes stay used, should it come back.
        Ok::<_, Error>((tokens, state.clone()))
    })?;
    session.log_done();
    let mut reply = Reply::new();
    reply.line(&format!(
        "\"{}\" is removed; its codes open no more. Tokens left: {left}.",
        plain(&name)
    ));
    reply.field("token", name.to_string());
    reply.field("tokens_left", left);
    Ok(reply)
}
