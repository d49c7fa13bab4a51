use std::os::unix::fs::PermissionsExt;

use super::keys::{KEYS, Key};
use super::*;

fn read(text: &str, service: &str) -> Result<Policy, String> {
    file::read(text.as_bytes(), service).map_err(|fault| fault.to_string())
}

fn arguments(list: &[&str]) -> Result<Arguments, String> {
    Arguments::parse(list.iter().map(|text| text.as_bytes())).map_err(|error| error.to_string())
}

#[test]
fn the_table_s_defaults_are_the_defaults() {
    let mut policy = Policy::default();
    for key in KEYS {
        key.check_argument(key.default).unwrap().apply(&mut policy);
        assert_eq!(policy, Policy::default(), "{}", key.name);
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(read("", "sshd").unwrap(), Policy::default());
}

#[test]
fn every_key_can_be_set_in_the_file_in_a_section_and_as_an_argument() {
    let examples = [
        ("store", "\"system\"", "system"),
        ("system_store", "\"/srv/otp\"", "/srv/otp"),
        ("unwritable", "\"volatile\"", "volatile"),
        ("legacy", "false", "false"),
        ("window", "2", "2"),
        ("look_ahead", "20", "20"),
        ("drift", "0", "0"),
        ("tries", "5", "5"),
        ("wait", "60", "60"),
        ("unenrolled", "\"enroll\"", "enroll"),
        ("enroll_by", "\"2027-03-31\"", "2027-03-31"),
        (
            "exempt_users",
            "[\"alice\", \"bob@example.org\"]",
            "alice,bob@example.org",
        ),
        ("exempt_groups", "[\n\"robots\",\n]", "robots"),
        (
            "exempt_networks",
            "[\"192.0.2.0/24\", \"2001:db8::1\"]",
            "192.0.2.0/24,2001:db8::1",
        ),
        ("require_users", "[\"alice\"]", "alice"),
        ("require_groups", "[\"adm\", \"sudo\"]", "adm,sudo"),
        ("require_by", "\"2027-03-31\"", "2027-03-31"),
        ("remember", "\"8h\"", "8h"),
        ("prompt", "\"Code? \"", "Code? "),
        ("echo", "true", "true"),
        ("fail_delay", "0", "0"),
    ];
    assert_eq!(
        examples.map(|row| row.0).to_vec(),
        KEYS.iter().map(|key| key.name).collect::<Vec<_>>()
    );
    for (name, toml, argument) in examples {
        let file = read(&format!("{name} = {toml}\n"), "sshd").unwrap();
        assert_ne!(file, Policy::default(), "{name}");
        let section = format!("[service.sshd]\n{name} = {toml}\n");
        assert_eq!(read(&section, "sshd").unwrap(), file);
        assert_eq!(read(&section, "sudo").unwrap(), Policy::default());
        let mut policy = Policy::default();
        arguments(&[&format!("{name}={argument}")])
            .unwrap()
            .apply(&mut policy);
        assert_eq!(policy, file);
    }
}

#[test]
fn arguments_overrule_the_section_and_the_section_the_file() {
    let text =
        "window = 3\nlook_ahead = 3\nfail_delay = 3\n[service.sshd]\nwindow = 2\nlook_ahead = 2\n";
    let mut policy = read(text, "sshd").unwrap();
    arguments(&["window=0", "window=1"])
        .unwrap()
        .apply(&mut policy);
    assert_eq!((policy.rules.window, policy.rules.look_ahead), (1, 2));
    assert_eq!(policy.fail_delay, Duration::from_millis(3));
}

#[test]
fn whatever_is_unknown_or_malformed_is_named_by_line_and_key() {
    let known = "store, system_store, unwritable, legacy, window, look_ahead, drift, tries, wait, unenrolled, enroll_by, exempt_users, exempt_groups, exempt_networks, require_users, require_groups, require_by, remember, prompt, echo, fail_delay";
    for (text, expected) in [
        (
            "\nwidnow = 1",
            format!("line 2: unknown key `widnow`; known here: {known}, service"),
        ),
        (
            "[service.sshd]\nwidnow = 1",
            format!("line 2: unknown key `widnow`; known here: {known}"),
        ),
        (
            "[service.other]\nwindow = 11",
            "line 2: `window`: must be a whole number from 0 to 10".into(),
        ),
        (
            "window = \"1\"",
            "line 1: `window`: must be a whole number from 0 to 10".into(),
        ),
        (
            "window = -1",
            "line 1: `window`: must be a whole number from 0 to 10".into(),
        ),
        (
            "unenrolled = \"ignore\"",
            "line 1: `unenrolled`: must be one of: deny, allow, enroll".into(),
        ),
        (
            "enroll_by = \"2027-02-29\"",
            "line 1: `enroll_by`: must be a day as in 2027-03-31, or empty".into(),
        ),
        (
            "\nenroll_by = 2027-03-31",
            "line 2: `enroll_by`: must be a day as in 2027-03-31, or empty".into(),
        ),
        (
            "unenrolled = true",
            "line 1: `unenrolled`: must be one of: deny, allow, enroll".into(),
        ),
        (
            "echo = \"true\"",
            "line 1: `echo`: must be true or false".into(),
        ),
        (
            "system_store = \"otp\"",
            "line 1: `system_store`: must be an absolute path".into(),
        ),
        (
            "prompt = \"a\\nb\"",
            "line 1: `prompt`: must be text of at most 200 characters on one line".into(),
        ),
        (
            "[service.SSHD]\nwindow = 1",
            "line 1: `SSHD`: no service has such a name: libpam writes them in lower case".into(),
        ),
        ("service = 1", "line 1: `service`: must be a table".into()),
        (
            "[service]\nsshd = 1",
            "line 2: `sshd`: a section is written [service.NAME]".into(),
        ),
    ] {
        assert_eq!(read(text, "sshd").unwrap_err(), expected);
    }
    for text in ["window = ", "= 1", "[service", "window = 1\nwindow = 2"] {
        let said = read(text, "sshd").unwrap_err();
        assert!(
            said.starts_with("line ") && said.contains("not TOML"),
            "{said}"
        );
    }
}

#[test]
fn a_malformed_item_of_a_list_is_named_by_its_own_line_and_not_shown() {
    let names = "must be a list of plain names, without wildcards";
    let networks = "must be a list of networks: ADDRESS or ADDRESS/BITS, with no bit set after \
                    those, and no host names";
    for (text, expected) in [
        (
            "exempt_users = \"alice\"",
            format!("line 1: `exempt_users`: {names}"),
        ),
        (
            "exempt_users = [\n\"alice\",\n\"\",\n]",
            format!("line 3: `exempt_users`: {names}"),
        ),
        (
            "require_users = [\"*\"]",
            format!("line 1: `require_users`: {names}"),
        ),
        (
            "require_users = [\"@admins\"]",
            format!("line 1: `require_users`: {names}"),
        ),
        (
            "require_groups = [\"%wheel\"]",
            format!("line 1: `require_groups`: {names}"),
        ),
        (
            "require_groups = [\"wheel \"]",
            format!("line 1: `require_groups`: {names}"),
        ),
        (
            "require_groups = [\"a,b\"]",
            format!("line 1: `require_groups`: {names}"),
        ),
        (
            "exempt_groups = [1]",
            format!("line 1: `exempt_groups`: {names}"),
        ),
        (
            "exempt_groups = [[\"a\"]]",
            format!("line 1: `exempt_groups`: {names}"),
        ),
        (
            "exempt_networks = [\n\"192.0.2.0/24\",\n\"host.example.org\"]",
            format!("line 3: `exempt_networks`: {networks}"),
        ),
        (
            "[service.other]\nexempt_networks = [\"192.0.2.7/24\"]",
            format!("line 2: `exempt_networks`: {networks}"),
        ),
        (
            "exempt_networks = [\"\"]",
            format!("line 1: `exempt_networks`: {networks}"),
        ),
    ] {
        assert_eq!(read(text, "sshd").unwrap_err(), expected);
    }
    for argument in [
        "exempt_users=a,,b",
        "exempt_users=,",
        "exempt_users=a, b",
        "exempt_networks=localhost",
    ] {
        let said = arguments(&[argument]).unwrap_err();
        assert!(said.contains("must be a list"), "{argument}: {said}");
    }
}

#[test]
fn a_section_s_list_takes_the_place_of_the_file_s() {
    let text = "exempt_users = [\"a\", \"b\"]\n[service.sshd]\nexempt_users = []\n";
    let users = |service| read(text, service).unwrap().exceptions.exempt_users;
    assert_eq!((users("sudo").len(), users("sshd").len()), (2, 0));
}

#[test]
fn a_time_to_remember_is_zero_or_has_a_unit_and_ends_at_thirty_days() {
    for (text, expected) in [
        ("0", Some(0)),
        ("0h", Some(0)),
        ("90s", Some(90)),
        ("30m", Some(30 * 60)),
        ("8h", Some(8 * 3600)),
        ("30d", Some(30 * 86_400)),
        ("720h", Some(30 * 86_400)),
        ("721h", None),
        ("31d", None),
        ("8", None),
        ("h", None),
        ("", None),
        ("-1h", None),
        ("+1h", None),
        ("1.5h", None),
        ("8 h", None),
        ("8H", None),
        ("1h30m", None),
        ("1w", None),
        ("99999999999999999999d", None),
        ("9999999999999999999d", None),
    ] {
        let read = read(&format!("remember = \"{text}\""), "sshd");
        let seconds = read.map(|policy| policy.rules.remember);
        let fault = "line 1: `remember`: must be 0 or a time as in 90s, 30m, 8h or 2d, up to 30d";
        assert_eq!(seconds, expected.ok_or_else(|| fault.to_owned()), "{text}");
    }
    assert!(
        read("remember = 8", "sshd").is_err(),
        "a number has no unit"
    );
}

#[test]
fn arguments_that_are_unknown_malformed_or_contradictory_are_named() {
    for (list, expected) in [
        (
            &["widnow=1"][..],
            "module argument `widnow` is unknown; known are: split forward_pass",
        ),
        (&["debugg"], "module argument `debugg` is unknown"),
        (&[""], "module argument `` is unknown"),
        (
            &["window"],
            "module argument `window` needs a value: window=VALUE",
        ),
        (&["nullok=yes"], "module argument `nullok` takes no value"),
        (
            &["policy"],
            "module argument `policy` needs a value: policy=VALUE",
        ),
        (
            &["window="],
            "module argument `window`: must be a whole number from 0 to 10",
        ),
        (
            &["window=+1"],
            "module argument `window`: must be a whole number from 0 to 10",
        ),
        (
            &["policy=etc"],
            "module argument `policy`: must be an absolute path",
        ),
        (
            &["split", "use_first_pass"],
            "module arguments `split` and `use_first_pass` exclude each other",
        ),
        (
            &["forward_pass", "split"],
            "module arguments `split` and `forward_pass` exclude each other",
        ),
        (
            &["secret=ga"],
            "module argument `secret`: must be an absolute path, or begin with ~/ or ${HOME}/",
        ),
        (
            &["secret"],
            "module argument `secret` needs a value: secret=VALUE",
        ),
        (
            &["user=root"],
            "module argument `user` needs `secret` beside it",
        ),
        (
            &["user=root", "secret=~/ga"],
            "module argument `secret`: ~ and ${HOME} cannot stand beside the argument `user`",
        ),
        (
            &["user=root", "secret=/ga"],
            "module argument `secret`: must have ${USER} in it beside the argument `user`",
        ),
        (
            &["user=a/b", "secret=/ga"],
            "module argument `user`: a user name has",
        ),
        (
            &["allowed_perm=0640"],
            "module argument `allowed_perm`: lets others read the secret, which is refused here; \
             make each file its owner's alone (chmod 0600) and take this away",
        ),
        (
            &["allowed_perm=0"],
            "module argument `allowed_perm`: must be a mode in octal",
        ),
        (
            &["allowed_perm=+600"],
            "module argument `allowed_perm`: must be a mode in octal",
        ),
        (
            &["grace_period=-1"],
            "module argument `grace_period`: must be a number of seconds",
        ),
        (
            &["grace_period="],
            "module argument `grace_period`: must be a number of seconds",
        ),
    ] {
        let said = arguments(list).unwrap_err();
        assert!(said.starts_with(expected), "{said}");
    }
    assert_eq!(
        Arguments::parse([&b"\xff"[..]]).unwrap_err(),
        arguments::ArgumentError::NotUtf8
    );
}

#[test]
fn names_known_from_other_modules_mean_what_users_know() {
    let mut policy = Policy::default();
    let list = [
        "nullok",
        "echo_verification_code",
        "authtok_prompt=Your code: ",
    ];
    arguments(&list).unwrap().apply(&mut policy);
    assert_eq!(policy.unenrolled, Unenrolled::Allow);
    assert!(policy.echo);
    assert_eq!(policy.prompt.as_deref(), Some("Your code: "));

    let list = [
        "noskewadj",
        "allow_readonly",
        "no_strict_owner",
        "allowed_perm=0400",
        "user=root",
        "secret=/etc/otp/${USER}",
        "debug",
        "no_increment_hotp",
        "grace_period=0",
    ];
    let arguments = arguments(&list).unwrap();
    let mut policy = Policy::default();
    arguments.apply(&mut policy);
    assert_eq!(policy.rules.drift, 0);
    assert_eq!(policy.unwritable, Unwritable::Volatile);
    let expected = LegacyFile {
        path: Some(legacy::Pattern::parse("/etc/otp/${USER}").unwrap()),
        user: Some(crate::user::UserName::new("root").unwrap()),
        lax_owner: true,
        mode: 0o400,
    };
    assert_eq!(policy.legacy, Some(expected));
    // The policy's word is the last.
    policy.legacy = None;
    arguments.apply(&mut policy);
    assert_eq!(policy.legacy, None);
}

#[test]
fn a_grace_period_is_what_is_remembered() {
    for (argument, seconds) in [
        ("grace_period=0", 0),
        ("grace_period=3600", 3600),
        ("grace_period=99999999", 30 * 24 * 3600),
    ] {
        let mut policy = Policy::default();
        arguments(&[argument]).unwrap().apply(&mut policy);
        assert_eq!(policy.rules.remember, seconds, "{argument}");
    }
}

#[test]
fn a_policy_file_that_others_can_change_is_refused() {
    let directory = crate::store::tests::TempDir::new();
    let path = directory.path().join("policy.toml");
    let arguments = arguments(&[&format!("policy={}", path.display())]).unwrap();
    let load = || Policy::for_login(&arguments, "sshd").map_err(|error| error.to_string());

    assert!(load().unwrap_err().ends_with("policy.toml: no such file"));
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    assert!(
        matches!(file::load(&path), Err(FileError::Missing)),
        "a policy that was lost"
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "window = 2\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(load().unwrap().rules.window, 2);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o664)).unwrap();
    assert!(
        load()
            .unwrap_err()
            .contains("mode 0664 lets others write to it")
    );
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(&path, "# long\n".repeat(10_000)).unwrap();
    assert!(load().unwrap_err().contains("more than 65536 bytes"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(load().unwrap_err().contains("not a regular file"));
}

#[test]
fn a_key_is_found_by_its_name_only() {
    assert!(Key::find("window").is_some());
    assert!(Key::find("Window").is_none());
}

#[test]
fn the_sections_of_a_file_are_told_by_name() {
    let names = |text: &str| file::sections(text.as_bytes()).unwrap();
    assert!(names("window = 2\n").is_empty());
    let text = "[service.sshd]\nwindow = 2\n[service.sudo]\n";
    assert_eq!(names(text), ["sshd", "sudo"]);
}
