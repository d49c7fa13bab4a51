//! `pam-otp recovery`: new recovery codes.

use pam_otp_core::recovery::{RecoveryCode, RecoverySet};
use pam_otp_core::store::StoreError;
use zeroize::Zeroizing;

use crate::commands::verify::prove;
use crate::error::Error;
use crate::plain::plain;
use crate::reply::{List, Reply};
use crate::session::Session;

pub(crate) use super::NoOptions as Options;

/// Makes new ones, for a code or a recovery code; the old ones are void. Root
/// needs no code with `--user`.
pub(crate) fn run(session: &Session, _: &Options) -> Result<Reply, Error> {
    let mut record = session.record()?;
    if !session.administrator {
        prove(session, &mut record)?;
    }
    let (set, codes) = new_codes()?;
    record.change(Session::now(), |tokens, state| {
        Ok::<_, StoreError>((tokens.with_recovery(set), state.clone()))
    })?;
    let mut reply = Reply::new();
    reply.line(&format!(
        "New recovery codes of {}, each good for one login without the phone:",
        plain(session.user())
    ));
    show(&codes, &mut reply);
    reply.line("All earlier ones are void. Keep these in a safe place; they are not shown again.");
    Ok(reply)
}

/// Ten codes, and what is stored of them.
pub(super) fn new_codes() -> Result<(RecoverySet, Vec<RecoveryCode>), Error> {
    let mut entropy = Zeroizing::new([0; RecoverySet::ENTROPY]);
    getrandom::fill(&mut *entropy)?;
    Ok(RecoverySet::generate(&entropy))
}

/// Shows codes that count already. If that cannot be done they are lost: what
/// was done is done, and the error says what to do next.
pub(super) fn show(codes: &[RecoveryCode], reply: &mut Reply) {
    for code in codes {
        reply.line(&code.to_text());
    }
    let texts = codes.iter().map(RecoveryCode::to_text);
    reply.field("recovery_codes", texts.collect::<List>());
    reply.unless_seen(|session| {
        session.log_done();
        Err(Error::CodesLost)
    });
}
