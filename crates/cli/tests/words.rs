//! What the command says to people, and never to their terminals.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use pam_otp_testkit::pty::Pty;

mod common;

use common::World;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn what_a_file_says_cannot_move_the_cursor_or_end_the_line() {
    let world = World::new();
    world.enroll();
    let path = world.record().join("token.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("\"a\\u001b[2J\\u0007\\npam-otp: error: b\\u202e\" = 1\n");
    fs::write(&path, text).unwrap();
    for command in ["status", "verify", "show", "enroll"] {
        let ran = world.run(&[command], "123456\n");
        assert!(!ran.success);
        let (said, _) = ran.stderr.split_once("pam-otp: hint: ").unwrap();
        assert!(
            said.ends_with('\n') && said.lines().count() == 1,
            "{said:?}"
        );
        let escaped = "a\\u{1b}[2J\\u{7}\\npam-otp: error: b\\u{202e}";
        assert!(said.contains(escaped), "{said:?}");
        let plain = |c: char| c == '\n' || c.is_ascii_graphic() || c == ' ';
        assert!(ran.stderr.chars().all(plain), "{:?}", ran.stderr);
    }
}

#[test]
fn a_token_s_name_cannot_hide_what_stands_after_it() {
    let world = World::new();
    world.enroll();
    let path = world.record().join("token.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"phone\"", "\"Jürgen\u{202e}\"")).unwrap();
    let status = world.run(&["status"], "").stdout;
    assert!(
        status.contains("token: Jürgen\\u{202e} (totp, SHA1,"),
        "{status}"
    );
}

#[test]
fn a_malformed_token_file_comes_with_what_to_do() {
    let world = World::new();
    world.enroll();
    let path = world.record().join("token.toml");
    for content in ["", "version = 3\n", "[[token]]\n", "nonsense"] {
        fs::write(&path, content).unwrap();
        let ran = world.run(&["status"], "");
        assert!(
            ran.stderr.contains("token.toml: ")
                && ran
                    .stderr
                    .contains("\npam-otp: hint: mend the file, restore it"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn who_is_off_is_told_where_a_record_was_looked_for() {
    let world = World::new();
    let status = world.run(&["status"], "").stdout;
    let place = format!("no record: {}/", world.store().display());
    assert!(
        status.contains(&place) && status.ends_with(" (system store)\n"),
        "{status}"
    );
}

#[test]
fn a_reader_who_has_read_enough_is_told_nothing_more() {
    let world = World::new();
    let shown = world.enroll();
    let mut child = world.command(&["show"]).spawn().unwrap();
    // Gone before a line is written, as `head -0` is.
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(shown.recovery[0].as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_full_disk_is_named_as_standard_output() {
    let world = World::new();
    for command in [
        &["status"][..],
        &["--json", "status"],
        &["completions", "bash"],
    ] {
        let full = fs::File::create("/dev/full").unwrap();
        let output = world.command(command).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8(output.stderr).unwrap();
        // JSON has no other place than that.
        let json = command.contains(&"--json");
        assert!(
            json || said.starts_with("pam-otp: error: standard output: No space left"),
            "{said}"
        );
    }
}

#[test]
fn the_question_says_what_is_taken() {
    let world = World::new();
    let shown = world.enroll();
    for (place, command) in ["verify", "show", "disable"].iter().enumerate() {
        let mut terminal = Pty::spawn(world.command(&[command]));
        terminal.expect("Code or recovery code: ", SOON);
        terminal.send_line(&shown.recovery[place]);
        assert!(terminal.wait().success());
    }
    // A recovery code proves nothing about the phone.
    let mut terminal = Pty::spawn(world.command(&["enroll"]));
    terminal.expect("\nCode: ", SOON);
}

#[test]
fn a_program_is_asked_nothing() {
    let world = World::new();
    let shown = world.enroll();
    for (place, command) in ["verify", "show", "disable"].iter().enumerate() {
        let ran = world.run(&[command], &shown.recovery[place]);
        assert!(ran.success && ran.stderr.is_empty(), "{ran:?}");
    }
    let ran = world.run(&["enroll"], "");
    assert_eq!(
        ran.stderr,
        "pam-otp: error: no code was given; nothing was changed\n"
    );
}

#[test]
fn zsh_and_fish_understand_their_scripts() {
    let world = World::new();
    for (shell, check, completed) in [
        (
            "zsh",
            "autoload -U compinit; compinit -D -u; eval \"$(cat)\"; whence _pam-otp",
            "_pam-otp",
        ),
        (
            "fish",
            "source; complete -C 'pam-otp enroll --re' | string replace -r '\t.*' ''",
            "--replace",
        ),
    ] {
        let script = world.run(&["completions", shell], "").stdout;
        let started = Command::new(shell)
            .args(["-c", check])
            .env("HOME", world.store())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            println!("SKIPPED: {shell} is not installed");
            continue;
        };
        let mut input = child.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        // Newer fishes add what only resembles it.
        assert!(
            said.lines().any(|line| line == completed),
            "{shell}: {output:?}"
        );
        assert!(output.stderr.is_empty(), "{shell}: {output:?}");
    }
}

#[test]
fn bash_completes_commands_and_options_by_the_script() {
    let world = World::new();
    let script = world.run(&["completions", "bash"], "").stdout;
    let mut bash = Command::new("bash");
    // What pressing the tab key does.
    let tab = "source /dev/stdin
        function=$(complete -p pam-otp | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        COMP_WORDS=(pam-otp enroll --re) COMP_CWORD=2
        $function pam-otp --re enroll
        echo \"${COMPREPLY[*]}\"";
    bash.args(["-c", tab])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = bash.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--replace\n");
}
