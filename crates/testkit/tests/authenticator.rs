//! The phone shows what the RFCs print.

use pam_otp_testkit::authenticator::{Algorithm, code, hotp, totp};

// "12345678901234567890", and the longer keys of RFC 6238 appendix B.
const SHA1: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const SHA256: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";

#[test]
fn rfc_4226_appendix_d() {
    assert_eq!(hotp(SHA1, 0, 6, Algorithm::Sha1), "755224");
    assert_eq!(hotp(SHA1, 9, 6, Algorithm::Sha1), "520489");
}

#[test]
fn rfc_6238_appendix_b() {
    assert_eq!(totp(SHA1, 59, Algorithm::Sha1, 8, 30), "94287082");
    assert_eq!(
        totp(SHA256, 1_111_111_109, Algorithm::Sha256, 8, 30),
        "68084774"
    );
    assert_eq!(
        totp(SHA1, 20_000_000_000, Algorithm::Sha1, 8, 30),
        "65353130"
    );
    assert_eq!(code(SHA1, 59), "287082");
}
