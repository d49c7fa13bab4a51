//! What is tested has a path also for who asks for it inside a sandbox first, where
//! neither cargo nor what it builds need be seen. One test in a file of its own:
//! another one would have asked before it.

use pam_otp_testkit::artifacts;
use pam_otp_testkit::sandbox::{Sandbox, run};

#[test]
fn what_is_first_asked_for_inside_a_sandbox_was_built_before_it() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    let test = std::env::current_exe().expect("this program");
    let profile = test.ancestors().nth(2).expect("a profile directory");
    // Unless it lies in a home, and is hidden by that.
    let script = "if [ -d \"$0\" ]; then mount -t tmpfs tmpfs \"$0\"; fi";
    run(
        sandbox.command("sh").args(["-euc", script]).arg(profile),
        "",
    );
    let programs = sandbox.inside(|| {
        [
            artifacts::helper("pam-try"),
            artifacts::module(),
            artifacts::command(),
        ]
    });
    for program in programs {
        assert!(program.is_file(), "{program:?}");
    }
}
