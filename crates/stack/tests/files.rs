//! Service files in the shape that distributions ship: read without loss,
//! changed with every other byte kept, and refused with the line's number.

#![allow(clippy::expect_used, reason = "a helper that fails is a broken test")]
#![allow(clippy::indexing_slicing, clippy::string_slice)]

use std::path::Path;

use pam_otp_stack::{Edit, Kind, Part, Return, ServiceFile, Services};

fn world(name: &str) -> Services {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    Services::in_directory(&data.join(name))
}

fn parse(text: &str) -> Result<ServiceFile, String> {
    let file = ServiceFile::parse(Path::new("service"), text.as_bytes().to_vec());
    file.map_err(|error| error.to_string())
}

#[test]
fn every_file_of_the_distributions_is_understood() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files = 0;
    for world in std::fs::read_dir(data).expect("the data") {
        let world = world.expect("a directory").path();
        if world.ends_with("broken") {
            continue;
        }
        let services = Services::in_directory(&world);
        for file in std::fs::read_dir(&world).expect("a world") {
            let path = file.expect("a file").path();
            let file = services
                .load(&path)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(file.bytes(), std::fs::read(&path).expect("the file"));
            assert_eq!(file.edited(&[]), file.bytes());
            let name = path.file_name().expect("a name").to_str().expect("text");
            for kind in [Kind::Auth, Kind::Account, Kind::Password, Kind::Session] {
                services
                    .stack(name, kind)
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            files += 1;
        }
    }
    assert!(files >= 20, "{files}");
}

/// The modules that run when the password is right, and when it is wrong.
fn ways(world: &Services, service: &str) -> [(String, Return); 2] {
    [Return::SUCCESS, Return::AUTH_ERR].map(|password| {
        let stack = world.stack(service, Kind::Auth).expect("a stack");
        let walk = stack.walk(|module| match module.file_name() {
            "pam_unix.so" => password,
            "pam_deny.so" | "pam_rootok.so" | "pam_fprintd.so" => Return::AUTH_ERR,
            "pam_sss.so" | "pam_systemd_home.so" => Return::USER_UNKNOWN,
            // Of a file that is not there: nobody is listed.
            _ => Return::SUCCESS,
        });
        let names = walk.steps.iter().map(|step| {
            let module = stack.entries()[step.entry].module().expect("a module");
            module
                .file_name()
                .trim_end_matches(".so")
                .trim_start_matches("pam_")
        });
        (names.collect::<Vec<_>>().join(" "), walk.result)
    })
}

#[test]
fn the_ways_through_a_debian_stack() {
    for debian in ["debian-12", "debian-13"] {
        let world = world(debian);
        assert_eq!(
            ways(&world, "sshd"),
            [
                ("unix permit cap".to_owned(), Return::SUCCESS),
                ("unix deny".to_owned(), Return::AUTH_ERR),
            ]
        );
        assert_eq!(
            ways(&world, "cockpit"),
            [
                (
                    "unix permit cap ssh_add listfile".to_owned(),
                    Return::SUCCESS
                ),
                ("unix deny ssh_add listfile".to_owned(), Return::AUTH_ERR),
            ]
        );
    }
}

#[test]
fn the_ways_through_a_fedora_stack() {
    let world = world("fedora");
    assert_eq!(
        ways(&world, "sudo"),
        [
            ("env fprintd unix".to_owned(), Return::SUCCESS),
            (
                "env fprintd unix usertype sss deny".to_owned(),
                Return::AUTH_ERR
            ),
        ]
    );
}

#[test]
fn a_substack_is_one_line_and_its_lines_are_deeper() {
    let stack = world("debian-12")
        .stack("cockpit", Kind::Auth)
        .expect("a stack");
    let levels = stack.entries().iter().map(|entry| entry.level);
    assert_eq!(levels.collect::<Vec<_>>(), [0, 1, 1, 1, 1, 0, 0]);
    assert!(matches!(&stack.entries()[0].part, Part::Substack { file } if file == "common-auth"));
    assert!(
        stack.entries()[1]
            .place
            .to_string()
            .ends_with("common-auth: line 17")
    );
}

#[test]
fn a_service_without_lines_of_a_kind_has_those_of_other() {
    let stack = world("debian-12")
        .stack("sudo-empty", Kind::Auth)
        .expect("a stack");
    assert!(stack.entries()[0].place.path.ends_with("common-auth"));
    assert_eq!(
        stack.entries()[0].module().expect("a module").file_name(),
        "pam_unix.so"
    );
    let missing = world("debian-12").stack("not-there", Kind::Auth);
    assert_eq!(missing.expect("other's").entries().len(), 4);
}

#[test]
fn names_are_looked_up_in_lower_case_and_are_no_paths() {
    let world = world("debian-12");
    assert!(
        world
            .find("SSHD")
            .expect("a name")
            .expect("a file")
            .ends_with("sshd")
    );
    for name in ["../sshd", "/etc/pam.d/sshd", "", ".", ".."] {
        assert!(world.find(name).is_err(), "{name}");
    }
}

#[test]
fn a_change_keeps_every_other_byte() {
    let text =
        "# \u{e9}\nauth [success=1 default=ignore] \\\n pam_unix.so\n\n\nauth required pam_deny.so";
    let file = parse(text).expect("a file");
    let [unix, deny] = file.statements() else {
        panic!("{:?}", file.statements());
    };
    assert_eq!((unix.line, deny.line), (2, 6));
    let after = Edit {
        span: deny.span.end..deny.span.end,
        text: "auth required pam_otp.so\n".to_owned(),
    };
    let jump = Edit {
        span: unix.jump_spans[0].clone(),
        text: "2".to_owned(),
    };
    let control = Edit {
        span: deny.control_span.clone().expect("a control"),
        text: "requisite".to_owned(),
    };
    let edited = file.edited(&[after, jump, control]);
    assert_eq!(
        String::from_utf8(edited).expect("text"),
        "# \u{e9}\nauth [success=2 default=ignore] \\\n pam_unix.so\n\n\nauth requisite pam_deny.so\nauth required pam_otp.so\n"
    );
    let control = &text[unix.control_span.clone().expect("a control")];
    assert_eq!(control, "[success=1 default=ignore]");
}

#[test]
fn a_line_that_is_not_understood_is_named() {
    for (text, expected) in [
        (
            "auth required pam_unix.so\nauht required pam_unix.so\n",
            "service: line 2: `auht` is none of auth, account, password, session and @include",
        ),
        (
            "auth\n",
            "service: line 1: the line ends before its control, e.g. required",
        ),
        (
            "auth requird pam_unix.so\n",
            "service: line 1: `requird` is no control, e.g. required",
        ),
        (
            "auth required\n",
            "service: line 1: the line ends before the module",
        ),
        (
            "\n@include\n",
            "service: line 2: the line ends before the file to include",
        ),
        (
            "auth include a b\n",
            "service: line 1: `b` after the file to include",
        ),
        (
            "auth [success=ok pam_unix.so\n",
            "service: line 1: `[` without `]`",
        ),
        (
            "auth [success=ok # ] pam_unix.so\n",
            "service: line 1: `[` without `]`",
        ),
        (
            "auth [success=ok]pam_unix.so\n",
            "service: line 1: `]` without a space after it",
        ),
        (
            "auth required \\\n# comment\n pam_unix.so\n",
            "service: line 1: `\\` at the end, and no rule in the next line",
        ),
        (
            "auth required \\\n",
            "service: line 1: `\\` at the end, and no rule in the next line",
        ),
        (
            "auth required\\\n pam_unix.so\n",
            "service: line 1: `\\` at the end needs a space before it, and none after it",
        ),
        (
            "auth required \\ \n pam_unix.so\n",
            "service: line 1: `\\` at the end needs a space before it, and none after it",
        ),
        (
            "auth required pam_unix.so\r\n",
            "service: line 1: the character 0x0d, which versions of libpam read differently",
        ),
        (
            "auth [success=sometimes] pam_unix.so\n",
            "service: line 1: `success=sometimes` in the control: an action, e.g. ok, or a number above 0 is expected",
        ),
    ] {
        assert_eq!(parse(text).expect_err(text), expected);
    }
    let long = format!("auth required pam_unix.so {}\n", "x".repeat(1000));
    assert_eq!(
        parse(&long).expect_err("long"),
        "service: line 1: longer than 1000 bytes"
    );
    let bytes = b"# \xff is no rule\nauth required pam_\xff.so\n".to_vec();
    let error = ServiceFile::parse(Path::new("service"), bytes).expect_err("not text");
    assert_eq!(error.to_string(), "service: line 2: not UTF-8");
}

#[test]
fn files_that_include_one_another_without_end_are_refused() {
    let error = world("broken")
        .stack("loop", Kind::Auth)
        .expect_err("a loop");
    assert!(
        error
            .to_string()
            .ends_with("loop: line 1: too many files include one another"),
        "{error}"
    );
    let error = world("broken").stack("gap", Kind::Auth).expect_err("a gap");
    assert!(
        error
            .to_string()
            .ends_with("gap: line 2: there is no file `not-there` to include"),
        "{error}"
    );
}
