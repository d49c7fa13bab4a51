//! One field for password and code, with `pam_unix` behind it: real users, real
//! passwords, in a sandbox.

mod common;

use common::home::World;
use common::{Visit, value};
use pam_otp_testkit::pam::{self, Stack};

/// Alice's password, as the sandbox was told.
const PASSWORD: &str = "correct horse";
const BOTH: [&str; 1] = ["EchoOff \"Password and one-time code: \""];

/// The password first, then the code: a wrong password ends the stack before
/// the code is looked at.
fn split(world: &World, arguments: &str) -> Stack {
    let lines = [
        format!(
            "auth required {}",
            world.realm.module(&format!("split {arguments}"))
        ),
        "auth requisite pam_unix.so use_first_pass nodelay".to_owned(),
        format!("auth required {}", world.realm.module(arguments)),
    ];
    world.sandbox.stack("split", &lines.join("\n"))
}

/// The code first, then the password.
fn forward_pass(world: &World, arguments: &str) -> Stack {
    let module = world.realm.module(&format!("forward_pass {arguments}"));
    let lines = [
        format!("auth requisite {module}"),
        "auth required pam_unix.so use_first_pass nodelay".to_owned(),
    ];
    world.sandbox.stack("forward", &lines.join("\n"))
}

fn login(world: &World, stack: &Stack, password: &str, code: &str) -> Visit {
    world.visit(stack, "alice", &format!("{password}{code}\n"))
}

/// The reasons that the module logged, line by line.
fn reasons(visit: &Visit) -> Vec<&str> {
    let lines = visit.log.iter();
    lines.filter_map(|line| value(line, "reason")).collect()
}

#[test]
fn with_split_a_wrong_password_costs_no_code_and_a_wrong_code_no_password() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.fresh();
    let stack = split(&world, "");
    let code = phone.code();

    let visit = login(&world, &stack, "wrong", &code);
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["split"])
    );
    let visit = login(&world, &stack, PASSWORD, &phone.wrong());
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["split", "wrong_code"])
    );
    let visit = login(&world, &stack, PASSWORD, "");
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["split", "no_code"])
    );
    let visit = login(&world, &stack, "", &code);
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["split"])
    );

    let visit = login(&world, &stack, PASSWORD, &code);
    assert!(visit.entered, "the code was never decided about: {visit:?}");
    assert_eq!(
        (reasons(&visit), &visit.prompts[..]),
        (vec!["split", "code"], &BOTH.map(str::to_owned)[..])
    );
    let visit = login(&world, &stack, PASSWORD, &code);
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["split", "used_code"])
    );
    let visit = login(&world, &stack, PASSWORD, &phone.recovery[0]);
    assert!(visit.entered, "{visit:?}");
}

#[test]
fn with_forward_pass_both_must_be_right_and_the_code_is_spent_first() {
    let Some(world) = World::new() else {
        return;
    };
    let phone = world.fresh();
    let stack = forward_pass(&world, "");
    let visit = login(&world, &stack, PASSWORD, &phone.wrong());
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["wrong_code"])
    );
    let visit = login(&world, &stack, PASSWORD, "");
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["no_code"])
    );
    let code = phone.code();
    let visit = login(&world, &stack, "wrong", &code);
    assert_eq!((visit.code, reasons(&visit)), (pam::AUTH_ERR, vec!["code"]));
    let visit = login(&world, &stack, PASSWORD, &code);
    assert_eq!(
        (visit.code, reasons(&visit)),
        (pam::AUTH_ERR, vec!["used_code"])
    );
    let visit = login(&world, &stack, PASSWORD, &phone.recovery[0]);
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts[..1], BOTH);
}

#[test]
fn with_first_pass_arguments_the_field_that_an_earlier_module_asked_for_is_used() {
    let Some(world) = World::new() else {
        return;
    };
    // pam_unix asks, and cannot know the password with a code behind it; the
    // same pam_unix then gets the password alone.
    let stack = |first_pass: &str| {
        let module = world.realm.module(&format!("forward_pass {first_pass}"));
        let lines = [
            "auth optional pam_unix.so nodelay".to_owned(),
            format!("auth requisite {module}"),
            "auth required pam_unix.so use_first_pass nodelay".to_owned(),
        ];
        world.sandbox.stack(first_pass, &lines.join("\n"))
    };
    for first_pass in ["use_first_pass", "try_first_pass"] {
        let phone = world.fresh();
        let stack = stack(first_pass);
        let visit = login(&world, &stack, PASSWORD, &phone.wrong());
        assert_ne!(visit.code, pam::SUCCESS, "{visit:?}");
        let visit = login(&world, &stack, PASSWORD, &phone.code());
        assert!(visit.entered, "{visit:?}");
        assert_eq!(visit.prompts, ["EchoOff \"Password: \""]);
        let visit = login(&world, &stack, "wrong", &phone.recovery[0]);
        assert_eq!(
            (visit.code, reasons(&visit)),
            (pam::AUTH_ERR, vec!["recovery_code"])
        );
    }
    // What did not open is asked for again, password and all.
    let phone = world.fresh();
    let replies = format!("{PASSWORD}\n{PASSWORD}{}\n", phone.code());
    let visit = world.visit(&stack("try_first_pass"), "alice", &replies);
    assert!(visit.entered, "{visit:?}");
    assert_eq!(visit.prompts[1..], BOTH);
}

#[test]
fn who_needs_no_code_logs_in_with_the_password_alone_and_not_without_it() {
    let Some(world) = World::new() else {
        return;
    };
    world.fresh();
    world.sandbox.inside(|| world.realm.remove("alice"));
    for stack in [split, forward_pass] {
        let stack = stack(&world, "nullok");
        let visit = login(&world, &stack, PASSWORD, "");
        assert!(visit.entered, "{visit:?}");
        assert!(reasons(&visit).iter().all(|reason| *reason == "unenrolled"));
        assert_eq!(visit.prompts, BOTH);
        for password in ["wrong", "", "correct horse123456"] {
            let visit = login(&world, &stack, password, "");
            assert_eq!(visit.code, pam::AUTH_ERR, "{password}: {visit:?}");
        }
    }
    for stack in [split, forward_pass] {
        let stack = stack(&world, "");
        let visit = login(&world, &stack, PASSWORD, "123456");
        assert_eq!(
            (visit.code, &visit.prompts[..]),
            (pam::AUTH_ERR, &BOTH.map(str::to_owned)[..])
        );
        assert_eq!(reasons(&visit).last(), Some(&"unenrolled"), "{visit:?}");
    }
}
