//! What an administrator decides about users, groups and networks: `require` and
//! `exempt` on real policy files.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a broken test"
)]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::schema;
use pam_otp_testkit::sandbox::{Sandbox, run};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
const POLICY: &str = "/etc/security/pam_otp.toml";
const BEGIN: &str =
    "# Our rules.\nunenrolled = \"enroll\" # since spring\n\n[service.sshd]\nwindow = 2\n";

/// A sandbox with some people in it, and a policy; none without root.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::or_skip()?;
    for user in ["alice", "bob"] {
        sandbox.add_user(user, "correct horse");
    }
    script(
        &sandbox,
        "groupadd robots; usermod -aG robots bob; usermod -aG sudo alice",
    );
    sandbox.write(POLICY, BEGIN, 0o644);
    Some(sandbox)
}

fn script(sandbox: &Sandbox, script: &str) -> String {
    run(sandbox.command("sh").args(["-euc", script]), "")
}

fn by_root(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(sandbox.pam_otp());
    command.args(arguments);
    command
}

fn text(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read(POLICY)).unwrap()
}

/// The answer in JSON, which is as the schema says.
fn ask(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut command = by_root(sandbox, arguments);
    let output = command.arg("--json").output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    schema::check(&answer).unwrap();
    assert_eq!(answer["ok"], output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    answer
}

fn done(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let answer = ask(sandbox, arguments);
    assert_eq!(answer["ok"], true, "{arguments:?}: {answer}");
    answer
}

/// The code of the error; the policy is as it was.
fn refused(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let before = script(
        sandbox,
        "ls -lA /etc/security; cat /etc/security/pam_otp.toml",
    );
    let mut answer = ask(sandbox, arguments);
    assert_eq!(answer["ok"], false, "{arguments:?}: {answer}");
    let after = script(
        sandbox,
        "ls -lA /etc/security; cat /etc/security/pam_otp.toml",
    );
    assert_eq!(after, before, "{arguments:?}");
    answer["error"].take()
}

fn warnings(answer: &Value) -> String {
    answer["warnings"].to_string()
}

#[test]
fn names_are_added_and_taken_out_and_the_rest_of_the_file_stays() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    script(
        &sandbox,
        "chgrp sudo /etc/security/pam_otp.toml; chmod 640 /etc/security/pam_otp.toml",
    );
    let answer = done(
        &sandbox,
        &["require", "alice", "--group", "sudo", "--by", "2027-03-31"],
    );
    assert_eq!(answer["changed"], true);
    assert_eq!(answer["users"], json!(["alice"]));
    assert_eq!(answer["groups"], json!(["sudo"]));
    assert_eq!(answer["by"], "2027-03-31");
    assert_eq!(answer["unenrolled"], "enroll");
    assert_eq!(answer["warnings"], json!([]));
    done(&sandbox, &["exempt", "--user", "bob", "--group", "robots"]);
    done(
        &sandbox,
        &[
            "exempt",
            "--network",
            "10.0.0.0/8",
            "--network",
            "2001:DB8::/32",
        ],
    );
    let (head, section) = BEGIN.split_once("\n\n").unwrap();
    let lists = "require_users = [\"alice\"]\nrequire_groups = [\"sudo\"]\n\
                 require_by = \"2027-03-31\"\nexempt_users = [\"bob\"]\n\
                 exempt_groups = [\"robots\"]\n\
                 exempt_networks = [\"10.0.0.0/8\", \"2001:db8::/32\"]";
    assert_eq!(text(&sandbox), format!("{head}\n{lists}\n\n{section}"));
    let stat = script(&sandbox, "stat -c '%U %G %a' /etc/security/pam_otp.toml");
    assert_eq!(stat, "root sudo 640\n");
    assert_eq!(
        script(&sandbox, "ls -A /etc/security | grep new || true"),
        ""
    );

    // Once more changes nothing, whatever way it is written.
    for again in [
        &["require", "alice"][..],
        &["exempt", "--network", "2001:db8:0::/32"],
        &["require", "--by", "2027-03-31"],
    ] {
        let answer = done(&sandbox, again);
        assert_eq!(answer["changed"], false, "{again:?}");
    }
    done(
        &sandbox,
        &["require", "--remove", "alice", "--group", "sudo"],
    );
    done(&sandbox, &["require", "--by", ""]);
    done(
        &sandbox,
        &["exempt", "--remove", "bob", "--group", "robots"],
    );
    let answer = done(&sandbox, &["exempt", "--remove", "--network", "10.0.0.0/8"]);
    assert_eq!(answer["networks"], json!(["2001:db8::/32"]));
    let answer = done(&sandbox, &["require"]);
    assert_eq!(
        [&answer["users"], &answer["groups"], &answer["by"]],
        [&json!([]), &json!([]), &Value::Null]
    );
}

#[test]
fn each_change_is_logged_with_who_did_it() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    done(
        &sandbox,
        &[
            "exempt",
            "bob",
            "--network",
            "10.0.0.0/8",
            "--service",
            "sshd",
        ],
    );
    done(
        &sandbox,
        &["exempt", "--remove", "bob", "--service", "sshd"],
    );
    done(
        &sandbox,
        &[
            "require",
            "alice",
            "--group",
            "robots",
            "--by",
            "2027-03-31",
        ],
    );
    let tail = format!("by=root outcome=done path={POLICY}");
    for line in [
        "action=exempt users=bob networks=10.0.0.0/8 service=sshd",
        "action=exempt users=bob service=sshd removed=yes",
        "action=require users=alice groups=robots day=2027-03-31",
    ] {
        let wanted = format!("{line} {tail}");
        sandbox
            .syslog()
            .wait_for(|said| said.ends_with(&wanted), SOON);
    }
    let before = sandbox.syslog().lines().len();
    done(&sandbox, &["exempt"]);
    done(&sandbox, &["require", "alice"]);
    refused(&sandbox, &["exempt", "nosuch"]);
    assert_eq!(sandbox.syslog().lines().len(), before);
}

#[test]
fn a_section_s_list_begins_with_that_of_all_services() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    done(&sandbox, &["exempt", "alice"]);
    let answer = done(&sandbox, &["exempt", "bob", "--service", "sudo"]);
    assert_eq!(answer["users"], json!(["alice", "bob"]));
    assert!(warnings(&answer).contains("began with what was so for all services"));
    // So nobody is exempt or required less than was asked for.
    let answer = done(
        &sandbox,
        &["exempt", "--remove", "alice", "--service", "sshd"],
    );
    assert_eq!(answer["users"], json!([]));
    assert!(text(&sandbox).contains("[service.sshd]\nwindow = 2\nexempt_users = []\n"));
    let answer = done(&sandbox, &["exempt", "--remove", "alice"]);
    let said = warnings(&answer);
    for service in ["sshd", "sudo"] {
        let left = format!("[service.{service}] has exempt_users of its own, and is as it was");
        assert!(said.contains(&left), "{said}");
    }
    let sections = answer["sections"].as_array().unwrap();
    let of = |service: &str| sections.iter().find(|it| it["service"] == service).unwrap();
    assert_eq!(of("sudo")["users"], json!(["alice", "bob"]));
    assert_eq!(of("sshd")["users"], json!([]));
    let words = run(&mut by_root(&sandbox, &["exempt"]), "");
    assert!(words.contains("exempt users: none\n"), "{words}");
    assert!(
        words.contains("[service.sudo]: exempt users: alice, bob;"),
        "{words}"
    );
}

#[test]
fn what_becomes_of_who_is_required_is_told_of_each_service_with_a_rule_of_its_own() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let rules = "unenrolled = \"deny\"\n[service.sshd]\nunenrolled = \"enroll\"\n\
                 [service.su]\nunenrolled = \"enroll\"\nrequire_users = [\"bob\"]\n\
                 [service.sudo]\nwindow = 2\n";
    sandbox.write(POLICY, rules, 0o644);
    let answer = done(&sandbox, &["require"]);
    assert_eq!(answer["unenrolled"], "deny");
    // One list of su is its own; it shares the other one.
    let elsewhere = json!([
        {"service": "sshd", "unenrolled": "enroll", "by": null, "shared": ["users", "groups", "by"]},
        {"service": "su", "unenrolled": "enroll", "by": null, "shared": ["groups", "by"]},
    ]);
    assert_eq!(answer["unenrolled_at"], elsewhere);
    assert_eq!(answer["sections"][0]["service"], "su");
    let words = run(&mut by_root(&sandbox, &["require"]), "");
    assert!(
        words.contains("[service.sshd]: the same; of these, without a record: enrol at the login"),
        "{words}"
    );
    for (service, unenrolled) in [("sshd", "enroll"), ("su", "enroll"), ("sudo", "deny")] {
        let answer = done(&sandbox, &["require", "--service", service]);
        assert_eq!(answer["unenrolled"], unenrolled, "{service}");
        assert_eq!(answer["unenrolled_at"], json!([]), "{service}");
    }
}

#[test]
fn every_service_is_told_that_goes_by_one_of_the_lists_or_the_day_of_all() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let rules = "unenrolled = \"enroll\"\nrequire_users = [\"alice\"]\n\
                 require_groups = [\"sudo\"]\n\
                 [service.sshd]\nrequire_by = \"2027-01-01\"\nunenrolled = \"deny\"\n\
                 [service.su]\nrequire_users = [\"bob\"]\nunenrolled = \"deny\"\n\
                 [service.login]\nunenrolled = \"allow\"\n\
                 [service.door]\nrequire_by = \"2027-02-01\"\n\
                 [service.vault]\nrequire_users = []\nrequire_groups = []\nrequire_by = \"\"\n";
    sandbox.write(POLICY, rules, 0o644);
    let answer = done(&sandbox, &["require", "--group", "robots"]);
    let elsewhere = json!([
        {"service": "sshd", "unenrolled": "deny", "by": "2027-01-01", "shared": ["users", "groups"]},
        {"service": "su", "unenrolled": "deny", "by": null, "shared": ["groups", "by"]},
        {"service": "login", "unenrolled": "allow", "by": null, "shared": ["users", "groups", "by"]},
        {"service": "door", "unenrolled": "enroll", "by": "2027-02-01", "shared": ["users", "groups"]},
    ]);
    assert_eq!(answer["unenrolled_at"], elsewhere);
    // What is said to be shared is.
    let lists = answer["unenrolled_at"].as_array().unwrap();
    for it in lists
        .iter()
        .filter(|it| it["shared"].to_string().contains("groups"))
    {
        let service = it["service"].as_str().unwrap();
        let own = done(&sandbox, &["require", "--service", service]);
        assert_eq!(own["groups"], json!(["sudo", "robots"]), "{service}");
    }
}

#[test]
fn what_is_not_as_it_looks_is_said() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    for (arguments, said) in [
        (&["exempt", "root"][..], "root is root (user id 0)"),
        (
            &["exempt", "alice"],
            "alice is in sudo, whose members rule this machine",
        ),
        (
            &["exempt", "--group", "sudo"],
            "members of sudo rule this machine",
        ),
        (
            &["exempt", "--group", "root"],
            "members of root rule this machine",
        ),
        (
            &["exempt", "--network", "0.0.0.0/0"],
            "0.0.0.0/0 is everywhere",
        ),
        (
            &["require", "alice"],
            "alice is in exempt_users too: require goes before exempt",
        ),
        (
            &["require", "--group", "sudo"],
            "sudo is in exempt_groups too: require goes before",
        ),
        (
            &["exempt", "--group", "sudo"],
            "members of sudo need a code all the same",
        ),
        (&["exempt", "alice"], "alice needs a code all the same"),
        (
            &["require", "--group", "nosuch", "--force"],
            "the system knows no group nosuch: while that is so, everybody is required",
        ),
        (&["exempt", "bob"], "bob needs a code all the same"),
    ] {
        let answer = done(&sandbox, arguments);
        assert!(warnings(&answer).contains(said), "{arguments:?}: {answer}");
    }
    // The day of all others is not theirs.
    let day = "enroll_by lets others put enrolling off for ";
    let waits = "unenrolled = \"enroll\"\nenroll_by = \"9999-12-31\"\n";
    let over = "unenrolled = \"enroll\"\nenroll_by = \"2020-01-01\"\n";
    for (policy, by, warned) in [
        (waits, "", true),
        (waits, "2027-03-31", false),
        (over, "", false),
    ] {
        sandbox.write(POLICY, policy, 0o644);
        let answer = done(&sandbox, &["require", "bob", "--by", by]);
        assert_eq!(warnings(&answer).contains(day), warned, "{policy} {answer}");
    }
    // Where no login enrols, they are out.
    sandbox.write(POLICY, "", 0o644);
    let answer = done(&sandbox, &["require", "bob", "--by", "2027-03-31"]);
    let said = warnings(&answer);
    assert!(
        said.contains("bob has no record, and is refused from now on"),
        "{said}"
    );
    assert!(
        said.contains("the day has no effect while unenrolled is \\\"deny\\\""),
        "{said}"
    );
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    done(&sandbox, &["exempt", "bob"]);
    for (arguments, code) in [
        (&["exempt", "nosuch"][..], "unknown_user"),
        (&["require", "alice", "nosuch"], "unknown_user"),
        (&["require", "--group", "nosuch"], "unknown_group"),
        (&["exempt", "--user", "nosuch"], "unknown_user"),
        (&["exempt", "--remove", "alice"], "not_listed"),
        (&["exempt", "--remove", "bob", "alice"], "not_listed"),
        (&["require", "--remove", "bob"], "not_listed"),
        (&["exempt", "*", "--force"], "usage"),
        (&["exempt", "--group", "@sudo", "--force"], "usage"),
        (&["exempt", "--network", "10.0.0.1/8"], "usage"),
        (&["exempt", "--network", "host.example.org"], "usage"),
        (&["exempt", "alice", "--service", "SSHD"], "usage"),
        (&["exempt", "alice", "--service", "a/b"], "usage"),
        (&["exempt", "--remove"], "usage"),
        (&["require", "--force"], "usage"),
    ] {
        assert_eq!(refused(&sandbox, arguments)["code"], code, "{arguments:?}");
    }
    // A name that is gone can be taken out.
    done(&sandbox, &["exempt", "gone", "--force"]);
    done(&sandbox, &["exempt", "gone", "--remove"]);
}

#[test]
fn only_root_is_asked() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    for command in ["require", "exempt"] {
        for arguments in [&[command][..], &[command, "alice"]] {
            let mut alice = sandbox.command_as("alice", sandbox.pam_otp());
            let output = alice.args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.contains(&format!("pam-otp {command} is for root only")),
                "{said}"
            );
        }
    }
    assert_eq!(text(&sandbox), BEGIN);
}

#[test]
fn a_file_that_others_could_have_written_or_that_is_malformed_is_not_touched() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    for (spoil, mend, code, said) in [
        (
            "echo windw = 1 >> $P",
            "sed -i '$d' $P",
            "bad_policy",
            "line 6: unknown key `windw`",
        ),
        (
            "echo 'a = [' >> $P",
            "sed -i '$d' $P",
            "bad_policy",
            "line ",
        ),
        (
            "chmod 664 $P",
            "chmod 644 $P",
            "bad_policy",
            "mode 0664 lets others write",
        ),
        (
            "chown alice $P",
            "chown root $P",
            "bad_policy",
            "belongs to user id",
        ),
        (
            "chmod g+w $D",
            "chmod 755 $D",
            "insecure_policy",
            "others can write to this directory",
        ),
        (
            "chown alice $D",
            "chown root $D",
            "insecure_policy",
            "others can write",
        ),
        (
            "ln -s /etc/passwd $D/.pam_otp.toml.new",
            "rm $D/.*.new",
            "input_output",
            ".new: ",
        ),
        (
            "mkdir $D/.pam_otp.toml.new",
            "rmdir $D/.*.new",
            "input_output",
            ".new: ",
        ),
        (
            "ln $P $D/.pam_otp.toml.new",
            "rm $D/.*.new",
            "input_output",
            ".new: ",
        ),
    ] {
        let shell = |line: &str| {
            let paths = format!("P={POLICY}; D=/etc/security; {line}");
            script(&sandbox, &paths);
        };
        shell(spoil);
        let error = refused(&sandbox, &["exempt", "bob"]);
        assert_eq!(error["code"], code, "{spoil}: {error}");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
        shell(mend);
        assert_eq!(text(&sandbox), BEGIN, "{spoil}");
    }
    done(&sandbox, &["exempt", "bob"]);
}

#[test]
fn links_are_followed_as_the_module_does_and_stay() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    script(
        &sandbox,
        "mkdir -m 755 /etc/otp; mv /etc/security/pam_otp.toml /etc/otp/real.toml; \
         ln -s ../otp/real.toml /etc/security/pam_otp.toml",
    );
    done(&sandbox, &["exempt", "bob"]);
    let kept = script(
        &sandbox,
        "readlink /etc/security/pam_otp.toml; ls -A /etc/otp",
    );
    assert_eq!(kept, "../otp/real.toml\nreal.toml\n");
    assert!(text(&sandbox).contains("exempt_users = [\"bob\"]\n"));
    script(&sandbox, "mv /etc/otp/real.toml /etc/otp/lost.toml");
    let answer = ask(&sandbox, &["exempt", "bob"]);
    assert_eq!(answer["error"]["code"], "bad_policy", "{answer}");
    assert_eq!(script(&sandbox, "ls -A /etc/otp"), "lost.toml\n");
}

#[test]
fn a_file_that_is_not_there_is_made_and_one_that_a_killed_process_left_is_no_hindrance() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    script(
        &sandbox,
        "rm /etc/security/pam_otp.toml; echo half > /etc/security/.pam_otp.toml.new",
    );
    let answer = done(&sandbox, &["exempt"]);
    assert_eq!(answer["users"], json!([]));
    done(&sandbox, &["exempt", "bob"]);
    assert_eq!(text(&sandbox), "exempt_users = [\"bob\"]\n");
    let kept = script(
        &sandbox,
        "stat -c '%U %G %a' /etc/security/pam_otp.toml; ls -A /etc/security | grep otp",
    );
    assert_eq!(kept, "root root 644\npam_otp.toml\n");
    let other = ["--policy", "/etc/other.toml"];
    let arguments = [&other[..], &["require", "alice"]].concat();
    let answer = done(&sandbox, &arguments);
    assert_eq!(answer["policy"], "/etc/other.toml");
    let error = ask(
        &sandbox,
        &["--policy", "/etc/nosuch/other.toml", "require", "alice"],
    );
    assert_eq!(error["error"]["code"], "bad_policy", "{error}");
}

#[test]
fn a_full_disk_and_one_that_cannot_be_written_leave_the_file_whole() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    // One page, and the policy is on it.
    script(
        &sandbox,
        "mkdir /etc/otp; mount -t tmpfs -o size=4k,mode=755 tmpfs /etc/otp; \
         cp /etc/security/pam_otp.toml /etc/otp/",
    );
    for (prepare, code) in [
        ("true", "disk_full"),
        ("mount -o remount,ro /etc/otp", "read_only"),
    ] {
        script(&sandbox, prepare);
        let answer = ask(
            &sandbox,
            &["--policy", "/etc/otp/pam_otp.toml", "exempt", "bob"],
        );
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let kept = script(&sandbox, "ls -A /etc/otp; cat /etc/otp/pam_otp.toml");
        assert_eq!(kept, format!("pam_otp.toml\n{BEGIN}"));
    }
}

#[test]
fn of_changes_at_the_same_time_none_is_lost() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let networks: Vec<_> = (1..=16).map(|n| format!("192.0.2.{n}")).collect();
    let children: Vec<_> = networks
        .iter()
        .map(|network| {
            let mut command = by_root(&sandbox, &["exempt", "--network", network]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let answer = done(&sandbox, &["exempt"]);
    let mut listed: Vec<_> = answer["networks"].as_array().unwrap().clone();
    listed.sort_by_key(|network| network.as_str().map(str::to_owned));
    let mut networks: Vec<_> = networks.into_iter().map(Value::from).collect();
    networks.sort_by_key(|network| network.as_str().map(str::to_owned));
    assert_eq!(listed, networks);
}

#[test]
fn whoever_holds_the_policy_is_waited_for_and_then_named() {
    let Some(sandbox) = sandbox() else {
        return;
    };
    let mut holder = sandbox.command("flock");
    let mut holder = holder
        .args([
            "/etc/security/.pam_otp.toml.new",
            "sh",
            "-c",
            "echo held; cat",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = holder.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let error = refused(&sandbox, &["exempt", "bob"]);
    assert_eq!(error["code"], "policy_busy", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("/etc/security/.pam_otp.toml.new"),
        "{message}"
    );
    drop(holder.stdin.take());
    holder.wait().unwrap();
    done(&sandbox, &["exempt", "bob"]);
}
