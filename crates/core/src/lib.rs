//! The rules of pam-otp: what a code is, where a user's record lies, and the
//! proof that a code opens once.
//!
//! This crate knows nothing of PAM. It reads no clock and no environment, and
//! prints nothing: time, policy and identity are arguments, errors are values.
//!
//! One decision, from the outside in:
//!
//! - [`policy`]: what the administrator asks for at this service;
//! - [`store`]: opens a user's [`record`](store::Record) safely, locks it, and makes
//!   what was decided durable;
//! - [`verify`]: decides, as a pure function of record, state, answer and time;
//! - [`answer`], [`token`], [`recovery`], [`state`], [`code`]: the words that
//!   these are spoken in.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        reason = "a test that overflows fails, as it should"
    )
)]

pub mod answer;
pub mod code;
pub mod date;
mod descriptor;
pub mod document;
pub mod enrolment;
pub mod label;
pub mod legacy;
pub mod migration;
mod names;
pub mod network;
pub mod policy;
pub mod real_root;
pub mod recovery;
pub mod remember;
pub mod session;
pub mod source;
pub mod state;
pub mod store;
pub mod throttle;
pub mod time;
pub mod token;
pub mod uri;
pub mod user;
pub mod verify;
pub mod witness;
