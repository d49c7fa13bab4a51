//! What enrolment and `show` show, in every locale; and what is said of clocks.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails here fails as it should"
)]

use std::io::{Read as _, Write as _};

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

/// What a decoder reads from light ink on a dark screen, four pixels by eight for
/// each character.
fn decode(picture: &[String]) -> String {
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
        if lit { 230 } else { 20 }
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
