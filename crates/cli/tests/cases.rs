//! The command line as data: what is typed, what is said, how it ends.

#[test]
fn every_case_ends_as_its_file_says() {
    trycmd::TestCases::new().case("tests/cmd/*.toml");
}
