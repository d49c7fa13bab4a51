//! The machine's people stay out of the sandbox, and keep no name for
//! themselves.

use pam_otp_testkit::sandbox::{Sandbox, run};
use pam_otp_testkit::temp::TempDir;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The files of a machine with people on it, and what is left of them.
const FILES: &[(&str, &str, &str)] = &[
    (
        "passwd",
        "root:x:0:0:root:/root:/bin/sh\n\
         alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n\
         backup:x:34:1003::/var/backups:/usr/sbin/nologin\n\
         bob:x:1001:100::/home/bob:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
         carol:x:123456:123456::/home/carol:/bin/sh\n",
        "root:x:0:0:root:/root:/bin/sh\n\
         backup:x:34:1003::/var/backups:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    (
        "shadow",
        "root:*:1:0:99999:7:::\nalice:$y$x:1:0:99999:7:::\nbob:!:1::::::\nnobody:*:1::::::\n",
        "root:*:1:0:99999:7:::\nnobody:*:1::::::\n",
    ),
    (
        "group",
        "root:x:0:\nsudo:x:27:alice,backup,bob\nadm:x:4:alice\nusers:x:100:\nalice:x:1000:\n\
         work:x:1002:backup,alice\nkept:x:1003:alice\nnogroup:x:65534:\n",
        "root:x:0:\nsudo:x:27:backup\nadm:x:4:\nusers:x:100:\nkept:x:1003:\nnogroup:x:65534:\n",
    ),
    (
        "gshadow",
        "root:*::\nsudo:*:alice:alice,backup,bob\nalice:!::\nwork:!:alice:backup\nkept:!::alice\n",
        "root:*::\nsudo:*::backup\nkept:!::\n",
    ),
    (
        "subuid",
        "alice:100000:65536\nbackup:165536:65536\n1001:231072:65536\n",
        "backup:165536:65536\n",
    ),
    ("subgid", "bob:100000:65536\n", ""),
    (
        "login.defs",
        "# UID_MIN is the least\nUID_MIN\t\t\t 1000\nUMASK 022\nGID_MIN 1000\n",
        "# UID_MIN is the least\nUMASK 022\nUID_MIN 1004\nGID_MIN 1004\n",
    ),
    (
        "nsswitch.conf",
        "passwd:         files systemd sss ldap\nhosts: files nis\n",
        "passwd:         files systemd\nhosts: files nis\n",
    ),
];

#[test]
fn of_users_and_groups_only_the_system_s_are_kept() {
    let etc = TempDir::new();
    let path = |name: &str| etc.path().join(name);
    for (name, before, _) in FILES {
        fs::write(path(name), before).unwrap();
        fs::set_permissions(path(name), PermissionsExt::from_mode(0o640)).unwrap();
    }
    fs::create_dir(path("sudoers.d")).unwrap();
    fs::write(path("sudoers.d/alice"), "alice ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    keep_system_users(&etc);
    for (name, _, after) in FILES {
        assert_eq!(&fs::read_to_string(path(name)).unwrap(), after, "{name}");
        let mode = fs::metadata(path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640, "{name}");
    }
    assert!(!path("sudoers.d/alice").exists());
}

#[test]
fn a_machine_with_two_files_only_will_do() {
    let etc = TempDir::new();
    fs::write(etc.path().join("passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    fs::write(etc.path().join("group"), "root:x:0:\n").unwrap();
    keep_system_users(&etc);
    let defaults = fs::read_to_string(etc.path().join("login.defs")).unwrap();
    assert_eq!(defaults, "UID_MIN 1000\nGID_MIN 1000\n");
}

fn keep_system_users(etc: &TempDir) {
    let script = concat!(
        "set -eu\n",
        include_str!("../src/sandbox/people.sh"),
        "\nkeep_system_users \"$1\""
    );
    let output = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(etc.path())
        .output()
        .expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn a_name_of_the_machine_is_free_inside_and_its_number_is_not_used() {
    let Some(sandbox) = Sandbox::or_skip() else {
        return;
    };
    let machine = fs::read_to_string("/etc/passwd").expect("users");
    let people = machine.lines().filter_map(person);
    let names: Vec<_> = people.clone().map(|(name, _)| name).collect();
    for name in names.iter().copied().chain(["zelda"]) {
        sandbox.add_user(name, "secret");
        let id = run(sandbox.command("id").args(["-u", name]), "");
        let id: u32 = id.trim().parse().expect("a number");
        assert!(people.clone().all(|(_, taken)| taken != id), "{name}: {id}");
    }
}

/// Name and number of a user who is no part of the system.
fn person(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let id = fields.nth(1)?.parse().ok()?;
    (id >= 1000 && name != "nobody").then_some((name, id))
}
