//! `pam-otp export`: the otpauth URIs, for another program.

use clap::Args;
use pam_otp_core::token::TokenName;

use crate::commands::show::wanted;
use crate::commands::verify::prove;
use crate::error::Error;
use crate::present::Label;
use crate::reply::{List, Reply};
use crate::session::Session;
use crate::shown;

/// Which token.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Only the token of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Shows URIs, one a line, for a code or a recovery code. Root needs none with
/// `--user`.
pub(crate) fn run(session: &Session, options: &Options) -> Result<Reply, Error> {
    let name = options.name.as_deref().map(TokenName::new).transpose()?;
    let mut record = session.record()?;
    // A slip uses up no code.
    drop(wanted(record.tokens(), name.as_ref())?);
    if !session.administrator {
        prove(session, &mut record)?;
    }
    let state = record.state()?;
    let mut reply = Reply::new();
    let mut list = Vec::new();
    for token in wanted(record.tokens(), name.as_ref())? {
        let token = shown::current(token, &state);
        let uri = Label::of(&token, session.user()).uri(&token);
        reply.line(&uri);
        let mut object = shown::token(&token);
        object.push("uri", uri);
        list.push(object);
    }
    reply.field("tokens", list.into_iter().collect::<List>());
    session.log_done();
    Ok(reply)
}
