//! A whole login through the Host trait, with failing parts: see `src/login.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pam_otp_fuzz::login(input));
