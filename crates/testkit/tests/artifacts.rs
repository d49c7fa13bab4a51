//! What is tested gets built.

use pam_otp_testkit::artifacts::helper;

#[test]
fn helpers_are_where_the_tests_profile_is() {
    let helper = helper("pam-try");
    let test = std::env::current_exe().expect("this program");
    assert_eq!(
        helper.parent(),
        test.parent().and_then(|deps| deps.parent())
    );
}
