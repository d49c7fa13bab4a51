//! The QR code that an authenticator app scans: in characters for terminals, and
//! as pictures.
//!
//! Whoever sees it has the secret. What is made here is wiped when dropped. No
//! file is touched here, and nothing is printed.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test that panics fails, as it should"
    )
)]

use std::fmt;
use std::ops::Range;

use qrcode::bits::Bits;
use qrcode::optimize::Segment;
use qrcode::types::Mode;
use qrcode::{Color, EcLevel, QrCode, Version};
use zeroize::Zeroizing;

#[cfg(feature = "png")]
mod png;
mod svg;
mod text;

pub use text::Background;

/// Light modules around the code: ISO/IEC 18004 asks for four. Files have room.
const QUIET: usize = 4;
/// Pixels of one module in a picture: big enough to be scanned from a screen.
const PIXELS: usize = 8;

/// The lowest error correction: a screen has no scratches, and 80 columns are few.
const CORRECTION: EcLevel = EcLevel::L;
/// Fewer capitals and digits in a row save nothing: changing the mode costs more.
const RUN: usize = 16;

/// A QR code.
pub struct Picture {
    /// Row by row; true is dark.
    modules: Zeroizing<Vec<bool>>,
    /// Modules in a row, and rows.
    width: usize,
}

impl Picture {
    /// The QR code of a URI.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if no QR code holds it.
    pub fn new(uri: &str) -> Result<Self, TooLong> {
        let code = encode(uri.as_bytes()).ok_or(TooLong)?;
        let width = code.width();
        let mut colours = code.into_colors();
        let modules = colours.iter().map(|colour| *colour == Color::Dark);
        let picture = Self {
            modules: Zeroizing::new(modules.collect()),
            width,
        };
        // `Color` cannot be wiped, but written over.
        colours.fill(Color::Light);
        std::hint::black_box(&colours);
        Ok(picture)
    }

    /// Modules in a row, with so many light ones at either end.
    fn side(&self, quiet: usize) -> usize {
        self.width.saturating_add(quiet.saturating_mul(2))
    }

    /// Is the module dark? Counted with the quiet ones; beyond them all is light.
    fn is_dark(&self, row: usize, column: usize, quiet: usize) -> bool {
        let inside = |place: usize| place.checked_sub(quiet).filter(|p| *p < self.width);
        let place = inside(row)
            .zip(inside(column))
            .and_then(|(row, column)| row.checked_mul(self.width)?.checked_add(column));
        place
            .and_then(|place| self.modules.get(place))
            .is_some_and(|dark| *dark)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(hidden)")
    }
}

/// A text that no QR code holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text does not fit a QR code")
    }
}

impl std::error::Error for TooLong {}

/// The smallest code: the secret in the mode for capitals and digits, the rest as
/// bytes. What `qrcode` chooses by itself depends on the secret, and for some takes
/// a larger code.
fn encode(uri: &[u8]) -> Option<QrCode> {
    let secret = longest_run(uri);
    let parts = [
        (Mode::Byte, 0, secret.start),
        (Mode::Alphanumeric, secret.start, secret.end),
        (Mode::Byte, secret.end, uri.len()),
    ];
    let parts = parts.map(|(mode, begin, end)| Segment { mode, begin, end });
    (1..=40).find_map(|version| {
        let mut bits = Bits::new(Version::Normal(version));
        let parts = parts.iter().filter(|part| part.begin < part.end);
        bits.push_segments(uri, parts.copied()).ok()?;
        // Fails if they are too many.
        bits.push_terminator(CORRECTION).ok()?;
        QrCode::with_bits(bits, CORRECTION).ok()
    })
}

/// The longest run of what that mode can write; an empty one if none is worth it.
fn longest_run(uri: &[u8]) -> Range<usize> {
    let fits = |byte: u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" $%*+-./:".contains(&byte)
    };
    let mut longest = 0..0;
    let mut start = 0;
    for (place, byte) in uri.iter().enumerate() {
        let end = place.saturating_add(1);
        if !fits(*byte) {
            start = end;
        } else if end.saturating_sub(start) > longest.len() {
            longest = start..end;
        }
    }
    if longest.len() < RUN { 0..0 } else { longest }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests {
    use pam_otp_core::code::{Algorithm, Digits, Secret};
    use pam_otp_core::time::Period;
    use pam_otp_core::token::{Kind, Token, TokenName};
    use pam_otp_core::uri::otpauth;

    use super::*;

    /// The URI of a token as `enroll` makes it, with this secret.
    fn uri_of(secret: &[u8], issuer: &str, account: &str) -> String {
        let token = Token {
            name: TokenName::new("phone").unwrap(),
            label: pam_otp_core::label::Label::default(),
            kind: Kind::Totp {
                period: Period::DEFAULT,
            },
            secret: Secret::new(secret).unwrap(),
            algorithm: Algorithm::Sha1,
            digits: Digits::DEFAULT,
            added: None,
        };
        otpauth(&token, issuer, account).to_string()
    }

    /// The same with any secret.
    pub(super) fn uri(issuer: &str, account: &str) -> String {
        uri_of(b"\x8f12\xfe5678\x0101234\x7f67890", issuer, account)
    }

    /// Versions 5 to 8, and a larger one.
    pub(super) fn uris() -> Vec<String> {
        vec![
            uri("pc", "root"),
            uri("web1.example.org", "alice"),
            uri("server.example.org", "administrator"),
            uri("a-rather-long-host-name.example.org", "alice"),
            format!("otpauth://totp/{}", "x".repeat(250)),
        ]
    }

    /// What a real decoder reads from rows of pixels; true is dark. It gets a
    /// margin, as a screen has one around a picture.
    pub(super) fn decode(pixels: &[Vec<bool>], margin_is_dark: bool) -> String {
        let margin = 16;
        let (width, height) = (pixels[0].len() + 2 * margin, pixels.len() + 2 * margin);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            let dark = y
                .checked_sub(margin)
                .and_then(|y| pixels.get(y))
                .and_then(|row| row.get(x.checked_sub(margin)?))
                .copied();
            if dark.unwrap_or(margin_is_dark) {
                20
            } else {
                235
            }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "of {width} x {height} pixels");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_host_s_name_makes_a_code_of_version_5_or_6() {
        for (issuer, account, width) in [
            ("pc", "root", 37),
            ("web1", "alice", 37),
            ("webserver", "administrator", 41),
            ("web1.example.org", "alice", 41),
            ("server.example.org", "alice", 41),
        ] {
            // Whatever the secret is: one that is all digits, and some others.
            for seed in 0..50_u8 {
                let secret = [seed, 90, seed.wrapping_mul(77), 215].repeat(5);
                let uri = uri_of(&secret, issuer, account);
                assert_eq!(Picture::new(&uri).unwrap().width, width, "{uri}");
            }
        }
    }

    #[test]
    fn what_is_in_no_uri_of_ours_is_encoded_too() {
        for text in [
            "",
            "a",
            "A",
            &"A".repeat(15),
            &"A".repeat(16),
            &"7:".repeat(40),
            "ä+電",
        ] {
            assert_eq!(scan(text), text);
        }
    }

    fn scan(text: &str) -> String {
        let picture = Picture::new(text).unwrap();
        let rows = (0..picture.side(4)).flat_map(|row| {
            let columns = 0..picture.side(4);
            let dark = columns.flat_map(|column| [picture.is_dark(row, column, 4); 4]);
            vec![dark.collect::<Vec<_>>(); 4]
        });
        decode(&rows.collect::<Vec<_>>(), false)
    }

    #[test]
    fn two_kilobytes_can_be_scanned() {
        let uri = format!("otpauth://totp/{}", "x".repeat(2000));
        assert_eq!(scan(&uri), uri);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(Picture::new(&"x".repeat(2953)).is_ok());
        assert!(matches!(Picture::new(&"x".repeat(2954)), Err(TooLong)));
    }
}
