//! A token as programs get it.

use pam_otp_core::state::State;
use pam_otp_core::token::{Kind, Token};

use crate::error::Error;
use crate::present::{Label, picture};
use crate::qr::Wishes;
use crate::reply::Object;

/// The token from where it stands: the counters before that are spent.
pub(crate) fn current(token: &Token, state: &State) -> Token {
    let mut token = token.clone();
    let next = state.next(token.id());
    if let Kind::Hotp { counter } = &mut token.kind {
        *counter = next.max(*counter);
    }
    token
}

/// What kind of token it is; no secret.
pub(crate) fn token(token: &Token) -> Object {
    let mut object = Object::new();
    object.push("name", token.name.to_string());
    object.push("type", token.kind.name());
    object.push("algorithm", token.algorithm.name());
    object.push("digits", token.digits.count());
    object.push(
        "period",
        match token.kind {
            Kind::Totp { period } => Some(period.seconds()),
            Kind::Hotp { .. } => None,
        },
    );
    object.push("added", token.added.map(|time| time.0));
    object
}

/// All that an authenticator app needs.
pub(crate) fn secret(token: &Token, label: &Label, wishes: &Wishes) -> Result<Object, Error> {
    let picture = picture(token, label)?;
    let mut object = self::token(token);
    object.push("account", label.account.as_str());
    object.push("issuer", label.issuer.as_str());
    object.push("key", token.secret.to_base32());
    object.push("uri", label.uri(token));
    object.push("qr_svg", picture.svg());
    object.push("qr_text", wishes.text(&picture));
    Ok(object)
}
