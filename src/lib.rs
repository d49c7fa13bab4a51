//! `pam_otp.so`: one-time codes as a second factor for everything that logs in
//! through PAM.
//!
//! This crate is a thin face between libpam and `pam_otp_core`, where the rules
//! are. To follow one login, read [`flow`] from top to bottom:
//!
//! - [`entry`]: the six entry points that libpam calls;
//! - [`flow`]: the story of one login;
//! - [`host`]: all that the story needs of PAM, and the real PAM behind it;
//! - [`outcome`]: how a story ends, and the one table of PAM return codes;
//! - [`event`]: the one line about it in the log.

#[cfg(not(panic = "unwind"))]
compile_error!("pam_otp.so must stop a panic at the C boundary: build it with panic=unwind");

mod entry;
mod event;
mod flow;
mod host;
mod outcome;
