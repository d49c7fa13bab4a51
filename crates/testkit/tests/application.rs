//! The PAM application, on stacks of Linux-PAM's own modules.

use pam_otp_testkit::pam::{self, Application, Reply, Stack, Style};
use pam_otp_testkit::sandbox::Sandbox;
use std::sync::atomic::{AtomicBool, Ordering};

const UNIX: &str = "auth required pam_unix.so\naccount required pam_unix.so\n\
                    session required pam_permit.so\npassword required pam_deny.so";

#[test]
fn a_permitting_stack_lets_in_without_a_question() {
    let stack = Stack::new("door", "auth required pam_permit.so");
    let transcript = Application::new()
        .user("alice")
        .reply("unused")
        .authenticate(&stack);
    assert!(transcript.entered());
    assert_eq!(transcript.prompts, []);
    assert_eq!(transcript.leftover, 1);
}

#[test]
fn a_denying_stack_keeps_out_and_credentials_are_not_set() {
    let stack = Stack::new("door", "auth required pam_deny.so");
    let transcript = Application::new().user("alice").authenticate(&stack);
    assert_eq!((transcript.code, transcript.setcred), (pam::AUTH_ERR, None));
}

#[test]
fn messages_reach_the_person_and_need_no_reply() {
    let text = pam_otp_testkit::temp::TempDir::new();
    let file = text.path().join("text");
    std::fs::write(&file, "hello %u").expect("write");
    let lines = format!(
        "auth optional pam_echo.so file={}\nauth required pam_permit.so",
        file.display()
    );
    let stack = Stack::new("door", &lines);
    for application in [
        Application::new(),
        Application::new().mute_messages(),
        Application::new().ignore_messages(),
    ] {
        let transcript = application.user("alice").authenticate(&stack);
        assert!(transcript.entered());
        assert_eq!(transcript.messages(), ["hello alice"]);
    }
}

#[test]
fn without_a_user_the_stack_asks_for_the_name() {
    let stack = Stack::new(
        "door",
        "auth required pam_permit.so\naccount required pam_deny.so",
    );
    let mut transaction = Application::new().reply("bob").start(&stack);
    let transcript = transaction.authenticate();
    assert_eq!(transcript.prompts, [(Style::EchoOn, "login:".to_owned())]);
    assert_eq!(transaction.user().as_deref(), Some("bob"));
    assert_ne!(transaction.acct_mgmt(), pam::SUCCESS);
}

#[test]
fn a_password_of_the_sandbox_opens_and_a_wrong_one_asks_for_a_delay() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    let stack = sandbox.stack("door", UNIX);
    sandbox.inside(|| {
        let login = || {
            Application::new()
                .user("alice")
                .rhost("192.0.2.7")
                .tty("pts/9")
        };
        let right = login().reply("correct horse").authenticate(&stack);
        assert!(right.entered());
        assert_eq!(right.prompts, [(Style::EchoOff, "Password: ".to_owned())]);
        assert_eq!(right.delays, []);

        let wrong = login().reply("wrong").authenticate(&stack);
        assert_eq!(wrong.code, pam::AUTH_ERR);
        let [delay] = wrong.delays[..] else {
            panic!("{:?}", wrong.delays)
        };
        assert!((1_000_000..=3_000_000).contains(&delay), "{delay}");
    });
}

#[test]
fn a_second_try_and_the_other_entry_points_share_the_transaction() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    let stack = sandbox.stack("door", UNIX);
    sandbox.inside(|| {
        let mut transaction = Application::new()
            .user("alice")
            .reply("wrong")
            .start(&stack);
        assert_eq!(transaction.authenticate().code, pam::AUTH_ERR);
        transaction.reply("correct horse");
        assert!(transaction.authenticate().entered());
        assert_eq!(transaction.acct_mgmt(), pam::SUCCESS);
        assert_eq!(transaction.open_session(), pam::SUCCESS);
        assert_eq!(transaction.close_session(), pam::SUCCESS);
        assert_ne!(transaction.chauthtok(), pam::SUCCESS);
        assert_eq!(transaction.setcred(pam::DELETE_CRED), pam::SUCCESS);
    });
}

#[test]
fn every_way_of_not_answering_is_a_denial() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    sandbox.add_user("alice", "correct horse");
    let stack = sandbox.stack("door", UNIX);
    sandbox.inside(|| {
        let code = |reply: Reply| {
            let transcript = Application::new()
                .user("alice")
                .reply(reply)
                .authenticate(&stack);
            assert_eq!(transcript.questions(), ["Password: "]);
            assert_eq!(transcript.leftover, 0);
            transcript.code
        };
        assert_ne!(code(Reply::Null), pam::SUCCESS);
        assert_ne!(code(Reply::NoResponse), pam::SUCCESS);
        assert_ne!(code(Reply::Fail), pam::SUCCESS);
        assert_ne!(code(Reply::FailAgain), pam::SUCCESS);
        assert_eq!(code(Reply::Bytes(b"\xff\xfe".to_vec())), pam::AUTH_ERR);
        // Up to the NUL, as any C program sees it.
        assert_eq!(
            code(Reply::Bytes(b"correct horse\0!".to_vec())),
            pam::SUCCESS
        );
        let unanswered = Application::new().user("alice").authenticate(&stack);
        assert_ne!(unanswered.code, pam::SUCCESS);
        assert_eq!(unanswered.questions(), ["Password: "]);
    });
}

#[test]
fn something_can_happen_while_the_person_types() {
    static HAPPENED: AtomicBool = AtomicBool::new(false);
    let stack = Stack::new("door", "auth required pam_permit.so");
    let reply = Reply::after(|| HAPPENED.store(true, Ordering::SeqCst), "bob");
    assert!(
        Application::new()
            .reply(reply)
            .authenticate(&stack)
            .entered()
    );
    assert!(HAPPENED.load(Ordering::SeqCst));
}
