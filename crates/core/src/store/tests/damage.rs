//! What can be wrong with a record's files and directories.

use super::*;

/// Something done to a record, and the words that the error must have.
type Damage = (&'static str, fn(&Path), &'static str);

const DAMAGES: &[Damage] = &[
    (
        "record open to the group",
        |r| chmod(r, 0o750),
        "mode 0750 gives others rights; it may be at most 0700",
    ),
    (
        "record open to all",
        |r| chmod(r, 0o701),
        "mode 0701 gives others rights",
    ),
    (
        "record a file",
        |r| {
            fs::remove_dir_all(r).unwrap();
            fs::write(r, "").unwrap();
        },
        "not a directory",
    ),
    (
        "record a link",
        |r| {
            fs::rename(r, r.with_extension("old")).unwrap();
            symlink(r.with_extension("old"), r).unwrap();
        },
        "a symbolic link, which is not followed",
    ),
    (
        "token file group-readable",
        |r| chmod(&r.join(TOKEN_FILE), 0o640),
        "mode 0640 gives others rights; it may be at most 0600",
    ),
    (
        "token file world-writable",
        |r| chmod(&r.join(TOKEN_FILE), 0o602),
        "mode 0602 gives others rights",
    ),
    (
        "token file a link",
        |r| {
            fs::rename(r.join(TOKEN_FILE), r.join("t")).unwrap();
            symlink("t", r.join(TOKEN_FILE)).unwrap();
        },
        "a symbolic link, which is not followed",
    ),
    (
        "token file a dangling link",
        |r| {
            fs::remove_file(r.join(TOKEN_FILE)).unwrap();
            symlink("t", r.join(TOKEN_FILE)).unwrap();
        },
        "a symbolic link, which is not followed",
    ),
    (
        "token file a directory",
        |r| {
            fs::remove_file(r.join(TOKEN_FILE)).unwrap();
            fs::create_dir(r.join(TOKEN_FILE)).unwrap();
        },
        "not a regular file",
    ),
    (
        "token file a FIFO",
        |r| fifo(&r.join(TOKEN_FILE)),
        "not a regular file",
    ),
    (
        "token file empty",
        |r| fs::write(r.join(TOKEN_FILE), "").unwrap(),
        "the file is empty",
    ),
    (
        "token file oversized",
        |r| fs::write(r.join(TOKEN_FILE), "#".repeat(70_000)).unwrap(),
        "the file has more than 65536 bytes",
    ),
    (
        "token file malformed",
        |r| fs::write(r.join(TOKEN_FILE), "version = 1\n").unwrap(),
        "line 1: `token` is missing",
    ),
    (
        "token file of a newer version",
        |r| fs::write(r.join(TOKEN_FILE), "version = 2\n").unwrap(),
        "version 2 is not known here",
    ),
    (
        "state a link",
        |r| {
            fs::rename(r.join(STATE_FILE), r.join("s")).unwrap();
            symlink("s", r.join(STATE_FILE)).unwrap();
        },
        "a symbolic link, which is not followed",
    ),
    (
        "state a FIFO",
        |r| fifo(&r.join(STATE_FILE)),
        "not a regular file",
    ),
    (
        "state a directory",
        |r| {
            fs::remove_file(r.join(STATE_FILE)).unwrap();
            fs::create_dir(r.join(STATE_FILE)).unwrap();
        },
        "not a regular file",
    ),
    (
        "state world-writable",
        |r| chmod(&r.join(STATE_FILE), 0o606),
        "mode 0606 gives others rights",
    ),
    (
        "state empty",
        |r| fs::write(r.join(STATE_FILE), "").unwrap(),
        "it has 0 bytes, not 8192",
    ),
    (
        "state truncated",
        |r| fs::write(r.join(STATE_FILE), [0; 4096]).unwrap(),
        "it has 4096 bytes, not 8192",
    ),
    (
        "state oversized",
        |r| fs::write(r.join(STATE_FILE), [0; 9000]).unwrap(),
        "it has 9000 bytes, not 8192",
    ),
    (
        "state torn",
        |r| fs::write(r.join(STATE_FILE), [7; FILE]).unwrap(),
        "neither of its two slots is valid",
    ),
    (
        "state of a newer version",
        |r| {
            let mut content = fs::read(r.join(STATE_FILE)).unwrap();
            content[8] = 9;
            fs::write(r.join(STATE_FILE), content).unwrap();
        },
        "version 9 is not known here",
    ),
    (
        "store writable by others",
        |r| chmod(r.parent().unwrap(), 0o777),
        "mode 0777 gives others rights",
    ),
];

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn fifo(path: &Path) {
    fs::remove_file(path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn a_damaged_record_is_refused_by_path_and_problem_and_never_unenrolled() {
    for (name, damage, expected) in DAMAGES {
        let world = World::enrolled();
        damage(&world.record());
        let said = world.refused();
        let start = world.directory.path().to_str().unwrap();
        assert!(
            said.starts_with(start) && said.contains(expected),
            "{name}: {said}"
        );
    }
}
