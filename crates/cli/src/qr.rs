//! A token as its owner's app takes it in: account, key, URI and QR code.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use pam_otp_core::token::Token;
use pam_otp_core::uri::otpauth;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::plain::plain;

/// Prints all that an authenticator app needs.
pub(crate) fn print_token(token: &Token, account: &str) -> Result<(), Error> {
    let issuer = issuer();
    let uri = otpauth(token, &issuer, account);
    let mut stdout = std::io::stdout().lock();
    let picture = Zeroizing::new(picture(&uri, stdout.is_terminal())?);
    writeln!(stdout, "Account: {}", plain(account))?;
    writeln!(stdout, "Issuer:  {}", plain(&issuer))?;
    writeln!(stdout, "Key:     {}", *grouped(&token.secret.to_base32()))?;
    writeln!(stdout, "URI:     {}", *uri)?;
    writeln!(stdout, "\n{}\n", picture.trim_end())?;
    stdout.flush()?;
    Ok(())
}

/// The host's name, by which the app tells this account from others.
fn issuer() -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "pam-otp".to_owned())
}

/// Groups of four, as people type them.
fn grouped(letters: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(letters.len().saturating_mul(2)));
    for (place, letter) in letters.chars().enumerate() {
        if place != 0 && place % 4 == 0 {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

/// The QR code in half blocks: black on white where colours work, whatever the
/// terminal's own; elsewhere drawn for a dark background.
fn picture(uri: &str, colours: bool) -> Result<String, Error> {
    // The lowest error correction: a screen has no scratches, and 80 columns
    // are few.
    let code = QrCode::with_error_correction_level(uri, EcLevel::L).map_err(|_| Error::Qr)?;
    let mut renderer = code.render::<Dense1x2>();
    if !colours {
        renderer
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
        return Ok(renderer.build());
    }
    let blocks = Zeroizing::new(renderer.build());
    blocks.lines().try_fold(String::new(), |mut text, line| {
        writeln!(text, "\x1b[30;107m{line}\x1b[0m").map_err(|_| Error::Qr)?;
        Ok(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fits_80_columns() {
        let uri = format!(
            "otpauth://totp/{0}:alice?secret={1}&issuer={0}&algorithm=SHA1&digits=6&period=30",
            "a-rather-long-host-name.example.org",
            "A".repeat(32)
        );
        let picture = picture(&uri, false).unwrap();
        let widest = picture
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap();
        assert!((40..=80).contains(&widest), "{widest}");
    }

    #[test]
    fn a_key_is_shown_in_groups_of_four() {
        assert_eq!(*grouped("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
