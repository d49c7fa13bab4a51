//! The QR code of a token, and a file of its own for it.

mod file;

#[expect(unused_imports, reason = "for --svg and --png")]
pub(crate) use file::write_private;
pub(crate) use pam_otp_qr::{Background, Picture};
