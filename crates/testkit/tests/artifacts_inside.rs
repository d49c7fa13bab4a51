//! What is tested is there too for who asks for it inside a sandbox first.
//! One test in a file of its own: another one would have asked before it.

use pam_otp_testkit::artifacts;
use pam_otp_testkit::sandbox::Sandbox;

#[test]
fn what_is_first_asked_for_inside_a_sandbox_was_built_before_it() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    let programs = sandbox.inside(|| [artifacts::helper("pam-try"), artifacts::command()]);
    for program in programs {
        assert!(program.is_file(), "{program:?}");
    }
}
