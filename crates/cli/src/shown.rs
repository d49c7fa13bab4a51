//! A token as programs get it.

use pam_otp_core::token::{Kind, Token};
use pam_otp_core::uri::otpauth;

use crate::reply::Object;
use crate::session::Session;

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
    object
}

/// All that an authenticator app needs.
pub(crate) fn secret(token: &Token, session: &Session) -> Object {
    let issuer = issuer();
    let uri = otpauth(token, &issuer, session.user());
    let mut object = self::token(token);
    object.push("account", session.user());
    object.push("issuer", issuer);
    object.push("key", token.secret.to_base32());
    object.push("uri", uri);
    object
}

/// The host's name, by which the app tells this account from others.
fn issuer() -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "pam-otp".to_owned())
}
