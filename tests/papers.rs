//! What the documents say of the tests is true.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails is a broken test"
)]

use std::collections::BTreeSet;
use std::path::Path;

/// A row of the table in `docs/prior-faults.md`.
struct Row {
    class: String,
    answer: String,
    tests: String,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    let text = read("docs/prior-faults.md");
    let lines = text.lines().filter(|line| line.starts_with('|'));
    // Head and rule.
    let rows: Vec<Row> = lines.skip(2).map(row).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let ["", class, answer, tests, ""] = cells[..] else {
        panic!("not three cells: {line}")
    };
    let [class, answer, tests] = [class, answer, tests].map(str::to_owned);
    Row {
        class,
        answer,
        tests,
    }
}

/// The tests that a row names: file and function. Nothing else stands between
/// backquotes there.
fn named(row: &Row) -> Vec<(&str, &str)> {
    let mut named = Vec::new();
    let mut file = None;
    let quoted = row.tests.split('`').skip(1).step_by(2);
    for word in quoted {
        if Path::new(word).extension().is_some_and(|it| it == "rs") {
            let empty = file.is_some_and(|file| !named.iter().any(|(named, _)| *named == file));
            assert!(!empty, "a file without a function: {}", row.tests);
            file = Some(word);
        } else {
            let file = file.unwrap_or_else(|| panic!("a function without its file: {word}"));
            named.push((file, word));
        }
    }
    let last = file.is_none_or(|file| named.iter().any(|(named, _)| *named == file));
    assert!(last, "a file without a function: {}", row.tests);
    named
}

/// Whether a test of this name stands in the source, and is not left out.
fn has_test(source: &str, function: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let begins = format!("fn {function}(");
    let Some(place) = lines.iter().position(|line| line.starts_with(&begins)) else {
        return false;
    };
    let above = lines.iter().take(place).rev();
    let attributes: Vec<_> = above.take_while(|line| line.starts_with("#[")).collect();
    attributes.contains(&&"#[test]") && !attributes.iter().any(|line| line.starts_with("#[ignore"))
}

#[test]
fn every_test_that_stands_for_a_prior_fault_is_there() {
    let mut missing = Vec::new();
    for row in &rows() {
        for (file, function) in named(row) {
            if !has_test(&read(file), function) {
                missing.push(format!("{file}: {function} ({})", row.class));
            }
        }
    }
    assert!(missing.is_empty(), "no such test:\n{}", missing.join("\n"));
}

#[test]
fn every_test_that_the_threats_name_is_there() {
    let text = read("docs/threats.md");
    let mut seen = 0;
    let mut file = None;
    for word in text.split('`').skip(1).step_by(2) {
        if Path::new(word).extension().is_some_and(|it| it == "rs") {
            file = Some(word);
        } else if let Some(file) = file.filter(|_| word.contains('_') && word.len() > 25) {
            assert!(has_test(&read(file), word), "{file}: {word}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn every_prior_fault_has_a_test_but_two_that_say_why() {
    let rows = rows();
    let without = rows.iter().filter(|row| named(row).is_empty());
    let reasons: Vec<&str> = without.map(|row| &*row.tests).collect();
    let [nothing, by_hand] = reasons[..] else {
        panic!("{reasons:#?}")
    };
    assert!(nothing.starts_with("Nothing to test: "), "{nothing}");
    assert!(by_hand.starts_with("Tried by hand "), "{by_hand}");
    for row in &rows {
        assert!(!row.answer.is_empty(), "{}", row.class);
        for text in [&row.answer, &row.tests] {
            assert!(!text.contains("not yet"), "{text}");
        }
    }
    let classes: BTreeSet<_> = rows.iter().map(|row| &row.class).collect();
    assert_eq!(classes.len(), rows.len(), "a class stands there twice");
}

/// What is known of others in public may be told with their name, and nothing
/// else.
#[test]
fn another_module_is_named_only_beside_a_public_cve() {
    for row in rows() {
        // Without files and functions, which may begin like a module.
        let prose = row.tests.split('`').step_by(2);
        let texts = [&*row.class, &*row.answer].into_iter().chain(prose);
        for text in texts {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let mut modules = words.filter(|word| word.starts_with("pam_"));
            let others = modules.any(|word| word != "pam_otp");
            assert!(!others || row.class.contains("CVE-"), "{text}");
        }
    }
}

/// The name under which a page's heading is linked to.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    for directory in [root.to_path_buf(), root.join("docs")] {
        let entries = std::fs::read_dir(&directory).expect("the pages");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|it| it == "md")));
    }
    let mut seen = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page");
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or(rest);
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let there = match file {
                "" => page.clone(),
                file => page.parent().expect("its directory").join(file),
            };
            assert!(there.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&there).expect("text");
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line) == heading);
                assert!(found, "{}: {link}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}
