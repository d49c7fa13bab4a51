use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// What both readers make of a text: ours, if it knows it, must agree.
fn both(text: &str) -> Option<Table<'_>> {
    let plain = plain::read(text)?;
    match library::read(text) {
        Ok(table) => assert_eq!(plain, table, "another meaning of {text:?}"),
        Err(error) => panic!("no TOML, says the library: {}: {text:?}", error.what),
    }
    Some(plain)
}

/// As `pam-otp` and administrators write files.
const PLAIN: &[&str] = &[
    "",
    "\n\n",
    "# nothing but a comment",
    "version = 1\n",
    "version=1 # one\n\n  indented = true",
    "version = 1\n\n[[token]]\nname = \"phone\"\nperiod = 30\n\n[[token]]\nname = \"ö\"\n",
    "[recovery]\nsalt = \"00\"\nhashes = [\n    \"a\",\n    # two\n    \"b\",\n]\n",
    "a = []\nb = [ \"x\" , \"y\" ] # z\nc = [\"#\"]\n",
    "[confirmed]\nnext = 5\n\n[confirmed.recovery]\nhashes = []\n",
    "store = \"system\"\n[service.sshd]\nwindow = 2\n[service.su]\n",
    "[service]\n[service.sshd]\n",
    "n = 999999999999999999\nz = 0\n",
];

/// TOML, or nearly, that is left to the library.
const OTHER: &[&str] = &[
    "a = \"\\\"\"",
    "a = 'x'",
    "a = \"\"\"x\"\"\"",
    "a = \"x\"y",
    "a.b = 1",
    "\"a\" = 1",
    "a = { b = 1 }",
    "a = -1",
    "a = +1",
    "a = 01",
    "a = 1_000",
    "a = 0x10",
    "a = 1.5",
    "a = 1e5",
    "a = 1979-05-27",
    "a = 9223372036854775807",
    "a = 99999999999999999999999999",
    "a = [1, 2]",
    "a = [[\"x\"]]",
    "a = [\"x\" \"y\"]",
    "a = [,]",
    "a = [\"x\"",
    "a = truee",
    "a = True",
    "a = 1 b = 2",
    "a = 1\na = 2",
    "a = 1\n[a]",
    "[a]\n[a]",
    "[a.b]\n[a]",
    "[a.b.c]",
    "[[a.b]]",
    "[a]\nb = 1\n[a.b]",
    "a = []\n[[a]]",
    "a = [\"x\"]\n[[a]]",
    "[[a]]\n[a]",
    "[a]\n[[a]]",
    "[[a]]\n[a.b]",
    "[a",
    "[a]]",
    "[[a]",
    "[[a] ]",
    "[]",
    "[a] b = 1",
    "= 1",
    "a",
    "a =",
    "a =\n1",
    "ä = 1",
    "a\t=\t1",
    "a = \"\t\"",
    "a = \"\x00\"",
    "a = \"\x7f\"",
    "a = \"x\n\"",
    "# \x07",
    "# \x7f",
    "a = 1\r\n",
    "a = 1\rb = 2",
    "\u{feff}a = 1",
    "a = \"x",
];

#[test]
fn our_reader_knows_what_our_programs_write_as_the_library_does() {
    for text in PLAIN {
        assert!(both(text).is_some(), "{text:?}");
    }
}

#[test]
fn all_else_is_left_to_the_library() {
    for text in OTHER {
        assert_eq!(plain::read(text), None, "{text:?}");
    }
    let many = |line: fn(usize) -> String| (0..65).map(line).collect::<String>();
    for text in [many(|n| format!("k{n} = 1\n")), many(|_| "[[t]]\n".into())] {
        assert_eq!(plain::read(&text), None);
        assert!(library::read(&text).is_ok());
    }
}

#[test]
fn where_it_stands_in_the_file_does_not_depend_on_the_reader() {
    let text = "a = 1\n\n[[token]]\nname = 5\n[service.sshd]\nx = true\n";
    for ending in ["", "y = 'the library reads it'\n"] {
        let text = format!("{text}{ending}");
        let lines = read(text.as_bytes(), |top| {
            let token = top.require("token")?;
            let [table] = &token.tables()?[..] else {
                return Err(token.fault("one"));
            };
            let services = top.require("service")?;
            let sshd = services.table()?.require("sshd")?;
            let faults = [
                top.only(&["a", "token"]).unwrap_err(),
                top.require("none").err().unwrap(),
                table.require("none").err().unwrap(),
                table.require("name")?.text().unwrap_err(),
                token.fault(""),
                services.fault(""),
                sshd.table()?.fault(String::new()),
            ];
            Ok(faults.map(|fault| fault.line))
        });
        assert_eq!(lines, Ok([5, 1, 3, 4, 3, 5, 5]));
    }
}

/// Parts of documents, right and wrong.
fn part() -> impl Strategy<Value = String> {
    let whole = PLAIN.iter().chain(OTHER).map(|text| (*text).to_owned());
    let parts = [
        "\n",
        "\n",
        "\n",
        " ",
        "a",
        "b",
        "token",
        " = ",
        "=",
        ".",
        "\"x\"",
        "\"",
        "\"\"",
        "1",
        "0",
        "true",
        "[",
        "]",
        "[a]\n",
        "[b]\n",
        "[a.b]\n",
        "[[a]]\n",
        "[[b]]\n",
        ",",
        "#",
        "\\",
        "\t",
        "\r\n",
        "'",
        "ö",
        "\u{7f}",
        "a = 1\n",
        "b = \"x\"\n",
        "c = [\"x\", \"y\"]\n",
    ];
    let parts = parts.map(str::to_owned);
    prop_oneof![
        4 => select(parts.to_vec()),
        1 => select(whole.collect::<Vec<_>>()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 2000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_our_reader_takes_the_library_takes_with_the_same_meaning(
        parts in vec(part(), 0..12),
    ) {
        both(&parts.concat());
    }

    #[test]
    fn a_damaged_document_means_the_same_to_both(
        text in select(PLAIN),
        place in any::<proptest::sample::Index>(),
        part in part(),
        cut in 0..3_usize,
    ) {
        let letters: Vec<char> = text.chars().collect();
        let place = place.index(letters.len() + 1);
        let after = (place + cut).min(letters.len());
        let damaged: String = letters[..place].iter().collect();
        let rest: String = letters[after..].iter().collect();
        both(&format!("{damaged}{part}{rest}"));
    }
}
