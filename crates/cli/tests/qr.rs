//! What enrolment and `show` show, in every locale; and what is said of clocks.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails here fails as it should"
)]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use pam_otp_testkit::authenticator;

mod common;

use common::{Enrolled, World};

/// What `show` prints in this environment: the URI, and the picture's lines.
fn shown(
    world: &World,
    enrolled: &Enrolled,
    place: usize,
    locale: &[(&str, &str)],
) -> (String, Vec<String>) {
    let mut command = world.command(&["show"]);
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
        command.env_remove(name);
    }
    let mut child = command.envs(locale.iter().copied()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(enrolled.recovery[place].as_bytes())
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (facts, picture) = text.split_once("\n\n").unwrap();
    let uri = facts
        .lines()
        .find_map(|line| line.strip_prefix("URI:"))
        .unwrap();
    let picture = picture.trim_end_matches('\n').lines().map(str::to_owned);
    (uri.trim().to_owned(), picture.collect())
}

/// What a decoder reads from light ink on a dark screen.
fn decode(picture: &[String]) -> String {
    decode_on(picture, false)
}

/// What a decoder reads, four pixels by eight for each character.
fn decode_on(picture: &[String], light: bool) -> String {
    let (columns, margin) = (picture[0].chars().count(), 16);
    let lit = picture
        .iter()
        .flat_map(|line| line.chars())
        .map(|c| match c {
            ' ' => (false, false),
            '▀' => (true, false),
            '▄' => (false, true),
            _ => (true, true),
        })
        .collect::<Vec<_>>();
    let (width, height) = (4 * columns + 2 * margin, 8 * picture.len() + 2 * margin);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let inside = |place: usize, end: usize| {
            let place = place.checked_sub(margin)?;
            (place < end).then_some(place)
        };
        let lit = inside(x, 4 * columns)
            .zip(inside(y, 8 * picture.len()))
            .is_some_and(|(x, y)| {
                let (upper, lower) = lit[y / 8 * columns + x / 4];
                if y % 8 < 4 { upper } else { lower }
            });
        if lit == light { 20 } else { 230 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn the_picture_can_be_scanned_in_every_locale_and_has_its_characters_alone() {
    let world = World::new();
    let enrolled = world.enroll();
    for (place, (locale, ascii)) in [
        (&[("LC_ALL", "C.UTF-8")][..], false),
        (&[("LANG", "en_US.utf8")], false),
        (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], true),
        (&[("LANG", "de_DE.ISO-8859-1")], true),
        (&[], true),
    ]
    .into_iter()
    .enumerate()
    {
        let (uri, picture) = shown(&world, &enrolled, place, locale);
        assert_eq!(uri, enrolled.uri);
        assert_eq!(decode(&picture), uri, "{locale:?}");
        let all_ascii = picture.iter().all(|line| line.is_ascii());
        assert_eq!(all_ascii, ascii, "{locale:?}");
        // No colours: it is no terminal.
        let written = |c| matches!(c, ' ' | '@' | '▀' | '▄' | '█');
        assert!(picture.iter().all(|line| line.chars().all(written)));
    }
}

/// As most hosts and users are called.
const USUAL: [&str; 4] = ["--issuer", "web1.example.org", "--account", "alice"];

#[test]
fn a_usual_token_s_picture_fits_80_columns_in_every_form_and_can_be_scanned() {
    let world = World::new();
    for (options, ascii, light) in [
        (&["--background", "dark"][..], false, false),
        (&["--background", "light"], false, true),
        (&["--background", "dark", "--ascii"], true, false),
        (&["--background", "light", "--ascii"], true, true),
        (&[], false, false),
        (&["--ascii"], true, false),
    ] {
        let begun = world.done(&[&["enroll"], &USUAL[..], options].concat(), "");
        let uri = begun["token"]["uri"].as_str().unwrap();
        let for_programs = begun["token"]["qr_text"].as_str().unwrap();
        let for_programs: Vec<_> = for_programs.lines().map(str::to_owned).collect();

        let (mut child, _stdout, shown) = world.start_enrolment_with(&[&USUAL, options].concat());
        for (uri, picture) in [(uri, &for_programs), (&*shown.uri, &shown.picture)] {
            let columns = picture.iter().map(|line| line.chars().count()).max();
            assert!(columns.unwrap() <= 80, "{options:?}: {columns:?}");
            let all_ascii = picture.iter().all(|line| line.is_ascii());
            assert_eq!(all_ascii, ascii, "{options:?}");
            assert_eq!(decode_on(picture, light), uri, "{options:?}");
        }
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn what_is_no_background_is_wrong_usage() {
    let world = World::new();
    let error = world.usage(&["show", "--background", "green"]);
    assert!(error.contains("dark, light"), "{error}");
}

/// What a decoder reads from a picture file of 8 pixels for each module.
fn scan_png(bytes: &[u8]) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image.detect_grids()[0].decode().unwrap().1
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_picture_goes_to_files_that_their_owner_alone_can_read() {
    let world = World::new();
    let (png, svg) = (world.path("code.png"), world.path("code.svg"));
    let files = [
        "--png",
        png.to_str().unwrap(),
        "--svg",
        svg.to_str().unwrap(),
    ];
    let begun = world.done(&[&["enroll"], &files[..]].concat(), "");
    let token = &begun["token"];
    assert_eq!(
        scan_png(&std::fs::read(&png).unwrap()),
        token["uri"].as_str().unwrap()
    );
    assert_eq!(
        std::fs::read_to_string(&svg).unwrap(),
        token["qr_svg"].as_str().unwrap()
    );
    assert_eq!((mode(&png), mode(&svg)), (0o600, 0o600));

    // Nothing begins over them, and they stay what they are.
    let before = std::fs::read(&png).unwrap();
    for file in [&png, &svg] {
        let option = if *file == png { "--png" } else { "--svg" };
        let error = world.refused(&["enroll", option, file.to_str().unwrap()], "", "bad_file");
        assert!(error["hint"].as_str().unwrap().contains("another name"));
    }
    assert_eq!(std::fs::read(&png).unwrap(), before);
    assert_eq!(
        world.done(&["status"], "")["pending"]["expires"],
        begun["expires"]
    );
}

#[test]
fn show_draws_as_it_is_asked_to_and_one_token_alone_into_a_file() {
    let world = World::new();
    let enrolled = world.enroll();
    let mut paper = enrolled.recovery.iter();
    let mut paper = || paper.next().unwrap().as_str();
    let png = world.path("code.png");
    let name = png.to_str().unwrap();
    let shown = world.done(
        &["show", "--png", name, "--ascii", "--background", "light"],
        paper(),
    );
    let token = &shown["tokens"][0];
    assert_eq!(scan_png(&std::fs::read(&png).unwrap()), enrolled.uri);
    assert_eq!(mode(&png), 0o600);
    let text = token["qr_text"].as_str().unwrap();
    let text: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(text.concat().is_ascii());
    assert_eq!(decode_on(&text, true), enrolled.uri);

    let tablet = world.done(&["enroll", "--name", "tablet"], paper());
    let key = tablet["token"]["key"].as_str().unwrap();
    let code = authenticator::code(key, authenticator::now());
    world.done(&["confirm"], &code);
    // Told before a code is spent: there is none in the input.
    let two = world.path("two.png");
    let two = two.to_str().unwrap();
    let error = world.refused(&["show", "--png", two], "", "usage");
    assert!(error["message"].as_str().unwrap().contains("--name NAME"));
    world.refused(&["show", "--name", "watch"], "", "no_such_token");
    world.refused(&["show", "--name", "tablet", "--png", name], "", "bad_file");
    let shown = world.done(&["show", "--name", "tablet", "--png", two], paper());
    assert_eq!(shown["tokens"].as_array().unwrap().len(), 1);
    let uri = scan_png(&std::fs::read(two).unwrap());
    assert_eq!(shown["tokens"][0]["uri"], uri.as_str());
}

#[test]
fn a_file_that_cannot_be_made_is_told_before_anything_else_is_done() {
    let world = World::new();
    let enrolled = world.enroll();
    let link = world.path("link");
    let elsewhere = world.path("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let missing = world.path("missing/code.png");
    for path in [&link, &missing, &world.store()] {
        let name = path.to_str().unwrap();
        for command in [&["show", "--png", name][..], &["show", "--svg", name]] {
            let error = world.refused(command, &enrolled.recovery[0], "bad_file");
            assert!(
                error["message"].as_str().unwrap().starts_with(name),
                "{error}"
            );
        }
    }
    assert!(!elsewhere.exists());
    // None of it cost the recovery code.
    assert_eq!(world.done(&["status"], "")["recovery_codes_left"], 10);
}

#[test]
fn an_enrolment_that_comes_to_nothing_leaves_no_file() {
    let world = World::new();
    let (png, svg) = (world.path("code.png"), world.path("code.svg"));
    let files = [
        "--png",
        png.to_str().unwrap(),
        "--svg",
        svg.to_str().unwrap(),
    ];
    let ran = world.run(
        &[&["enroll"], &files[..]].concat(),
        "000000\n000000\n000000\n",
    );
    assert!(
        ran.stderr.contains("the codes do not match"),
        "{}",
        ran.stderr
    );
    assert!(!png.exists() && !svg.exists());
    // One name for both: the first one is taken back.
    let twice = [
        "enroll",
        "--png",
        png.to_str().unwrap(),
        "--svg",
        png.to_str().unwrap(),
    ];
    world.refused(&twice, "", "bad_file");
    assert!(!png.exists());
    assert_eq!(
        world.done(&["status"], "")["pending"],
        serde_json::Value::Null
    );
}

#[test]
fn colours_are_for_terminals_alone_and_not_where_nobody_wants_them() {
    use pam_otp_testkit::pty::Pty;
    let world = World::new();
    let plain = |text: &str| !text.contains('\x1b');
    let on_terminal = |arguments: &[&str], no_colour: Option<&str>| {
        let mut command = world.command(arguments);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        if let Some(value) = no_colour {
            command.env("NO_COLOR", value);
        }
        let mut terminal = Pty::spawn(command);
        if arguments[0] == "enroll" {
            terminal.expect("\nCode: ", std::time::Duration::from_secs(20));
            terminal.send(&[4]);
        }
        terminal.wait();
        terminal.output()
    };
    for arguments in [
        &["enroll"][..],
        &["enroll", "--ascii"],
        &["--help"],
        &["nonsense"],
    ] {
        assert!(!plain(&on_terminal(arguments, None)), "{arguments:?}");
        assert!(plain(&on_terminal(arguments, Some("1"))), "{arguments:?}");
        let ran = world.run(arguments, "");
        assert!(plain(&ran.stdout) && plain(&ran.stderr), "{arguments:?}");
    }
    // A background that was asked for is drawn in its own colours.
    assert!(plain(&on_terminal(
        &["enroll", "--background", "light"],
        None
    )));
}

#[test]
fn status_says_how_the_clock_stands() {
    let world = World::new();
    let clock = |status: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix("clock: "));
        line.unwrap_or_else(|| panic!("{status}")).to_owned()
    };
    let off = clock(&world.run(&["status"], "").stdout);
    world.enroll();
    let on = clock(&world.run(&["status"], "").stdout);
    let kinds = [
        "synchronised",
        "not synchronised",
        "cannot tell whether it is synchronised (",
    ];
    for said in [off, on] {
        assert!(kinds.iter().any(|kind| said.starts_with(kind)), "{said}");
    }
}

#[test]
fn a_phone_that_is_off_is_told_by_how_much_and_may_try_again() {
    let world = World::new();
    let (mut child, mut stdout, mut shown) = world.start_enrolment();
    shown.time = pam_otp_testkit::authenticator::now();
    let mut input = child.stdin.take().unwrap();
    // Ten minutes behind, nonsense, and right.
    write!(input, "{}\nnonsense\n{}\n", shown.code(-20), shown.code(0)).unwrap();
    drop(input);
    stdout.read_to_end(&mut Vec::new()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("That code is about 10m"), "{said}");
    assert!(
        said.contains(" behind this machine's clock.\nThis machine's clock"),
        "{said}"
    );
    let again = "That is no code of the app's: it shows 6 digits.\n\
                 Try the one that it shows next.\n";
    assert!(said.contains(again), "{said}");
}
