use super::*;

const PHONE: &str = r#"
version = 1
[[token]]
name = "phone"
type = "totp"
secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"#;

fn fault(text: &str) -> String {
    TokenFile::parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_short_file_means_what_apps_assume() {
    let file = TokenFile::parse(PHONE.as_bytes()).unwrap();
    let token = &file.tokens()[0];
    assert_eq!(token.algorithm, Algorithm::Sha1);
    assert_eq!(token.digits, Digits::DEFAULT);
    assert_eq!(
        token.kind,
        Kind::Totp {
            period: Period::DEFAULT
        }
    );
    assert!(file.recovery().is_none());
    assert_eq!(token.label, Label::default());
    assert_eq!((token.added, file.since()), (None, None));
}

#[test]
fn a_label_is_kept_whatever_quotes_it_has_and_is_no_part_of_the_token_s_id() {
    let mut token = TokenFile::parse(PHONE.as_bytes()).unwrap().tokens()[0].clone();
    let id = token.id();
    for label in [
        Label::of(Some("Acme \"B&C\" \\ Söhne"), "alice@example.org"),
        Label::of(Some("''"), ""),
        Label::of(None, "\\u0041\"\"\"#"),
    ] {
        token.label = label.clone();
        let written = TokenFile::new(vec![token.clone()], None).unwrap().to_toml();
        let again = TokenFile::parse(written.as_bytes()).unwrap();
        assert_eq!(
            (&again.tokens()[0].label, again.tokens()[0].id()),
            (&label, id)
        );
    }
}

#[test]
fn what_is_written_is_read_again() {
    let (recovery, _) = RecoverySet::generate(&[5; RecoverySet::ENTROPY]);
    let token = |name, kind, algorithm| Token {
        name: TokenName::new(name).unwrap(),
        label: Label::default(),
        kind,
        secret: Secret::new(&[3; 20]).unwrap(),
        algorithm,
        digits: Digits::new(8).unwrap(),
        added: Some(UnixTime(1_700_000_000)),
    };
    let file = TokenFile::new(
        vec![
            token(
                "Telefon für zu Hause",
                Kind::Totp {
                    period: Period::new(60).unwrap(),
                },
                Algorithm::Sha512,
            ),
            token("key ring", Kind::Hotp { counter: 7 }, Algorithm::Sha256),
        ],
        Some(recovery),
    )
    .unwrap();
    let again = TokenFile::parse(file.to_toml().as_bytes()).unwrap();
    assert_eq!(*again.to_toml(), *file.to_toml());
    assert_eq!(again.tokens()[1].kind, Kind::Hotp { counter: 7 });
    assert_eq!(again.recovery(), file.recovery());
    assert_eq!(again.since(), Some(UnixTime(1_700_000_000)));
}

#[test]
fn a_record_is_as_old_as_its_oldest_token_if_the_age_of_each_is_known() {
    let phone = TokenFile::parse(PHONE.as_bytes()).unwrap().tokens()[0].clone();
    let since = |ages: &[Option<u64>]| {
        let tokens = ages.iter().enumerate().map(|(number, added)| Token {
            name: TokenName::new(&format!("phone {number}")).unwrap(),
            added: added.map(UnixTime),
            ..phone.clone()
        });
        TokenFile::new(tokens.collect(), None).unwrap().since()
    };
    assert_eq!(since(&[Some(7), Some(5), Some(6)]), Some(UnixTime(5)));
    // Who knows of no day was written before days were kept.
    assert_eq!(since(&[Some(7), None]), None);
}

#[test]
fn a_token_s_day_stays_when_it_gets_another_name() {
    let text = format!("{PHONE}added = 1700000000\n");
    let file = TokenFile::parse(text.as_bytes()).unwrap();
    let phone = TokenName::new("phone").unwrap();
    let renamed = file.renamed(&phone, TokenName::new("tablet").unwrap());
    assert_eq!(renamed.unwrap().since(), Some(UnixTime(1_700_000_000)));
    assert_eq!(
        file.tokens()[0].id(),
        TokenFile::parse(PHONE.as_bytes()).unwrap().tokens()[0].id()
    );
}

#[test]
fn an_unknown_version_is_refused_with_its_number() {
    let text = PHONE.replace("version = 1", "version = 7\nnovelty = 1");
    assert_eq!(
        fault(&text),
        "line 2: `version`: version 7 is not known here; this program reads version 1"
    );
}

#[test]
fn every_fault_names_its_line_and_key() {
    for (from, to, expected) in [
        ("version = 1\n", "", "line 1: `version` is missing"),
        (
            "name = \"phone\"",
            "nom = \"phone\"",
            "line 4: unknown key `nom`; known here: name, issuer, account, type, secret, algorithm, digits, period, counter, added",
        ),
        (
            "\"totp\"",
            "\"clock\"",
            "line 5: `type`: must be \"totp\" or \"hotp\"",
        ),
        (
            "\"totp\"",
            "\"totp\"\ncounter = 1",
            "line 6: `counter`: only a token of type \"hotp\" has one",
        ),
        (
            "\"totp\"",
            "\"hotp\"\nperiod = 30",
            "line 6: `period`: only a token of type \"totp\" has one",
        ),
        (
            "\"totp\"",
            "\"totp\"\nperiod = 9",
            "line 6: `period`: a period is 10 to 300 seconds",
        ),
        (
            "\"totp\"",
            "\"totp\"\nperiod = -30",
            "line 6: `period`: must not be negative",
        ),
        (
            "\"totp\"",
            "\"totp\"\ndigits = 9",
            "line 6: `digits`: a code has 6 to 8 digits",
        ),
        (
            "\"totp\"",
            "\"totp\"\ndigits = \"6\"",
            "line 6: `digits`: must be a whole number",
        ),
        (
            "\"totp\"",
            "\"totp\"\nalgorithm = \"MD5\"",
            "line 6: `algorithm`: must be SHA1, SHA256 or SHA512",
        ),
        (
            "\"phone\"",
            "\"\"",
            "line 4: `name`: a token's name has 1 to 64 characters, and no quotes, backslashes or control characters",
        ),
        (
            "\"totp\"",
            "\"totp\"\nissuer = \"a:b\"",
            "line 6: `issuer`: issuer and account have 1 to 128 bytes, no colon and no control characters",
        ),
        (
            "\"totp\"",
            "\"totp\"\naccount = \"\"",
            "line 6: `account`: issuer and account have 1 to 128 bytes, no colon and no control characters",
        ),
        (
            "\"totp\"",
            "\"totp\"\naccount = 5",
            "line 6: `account`: must be a string",
        ),
        (
            "\"totp\"",
            "\"totp\"\nadded = \"today\"",
            "line 6: `added`: must be a whole number",
        ),
        ("[[token]]", "[token]", "line 3: `token`: must be an array"),
        (
            "[[token]]",
            "extra = 1\n[[token]]",
            "line 3: unknown key `extra`; known here: version, token, recovery",
        ),
    ] {
        assert_eq!(fault(&PHONE.replace(from, to)), expected);
    }
    assert_eq!(fault(""), "line 1: `version` is missing");
    assert_eq!(fault("version = 1\n"), "line 1: `token` is missing");
    assert_eq!(
        fault("version = 1\ntoken = []\n"),
        "line 2: `token`: there is no token"
    );
}

#[test]
fn no_fault_shows_the_secret() {
    for (from, to) in [
        ("OJQ\"", "OJ1\""),
        ("OJQ\"", "OJQ"),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZDGNBVGY3"),
    ] {
        let said = fault(&PHONE.replace(from, to));
        assert!(
            said.starts_with("line 6: ") && !said.contains("GEZD"),
            "{said}"
        );
    }
}

#[test]
fn two_tokens_cannot_share_a_name() {
    let twice = format!("{PHONE}{}", PHONE.replace("version = 1", ""));
    assert_eq!(
        fault(&twice),
        "line 3: `token`: another token has the name \"phone\""
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_by_line() {
    let error = TokenFile::parse(b"version = 1\n\xff\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: not UTF-8 text");
}

#[test]
fn a_token_is_remembered_by_its_secret_not_by_its_name() {
    let read = |text: &str| TokenFile::parse(text.as_bytes()).unwrap().tokens()[0].id();
    let id = read(PHONE);
    assert_eq!(read(&PHONE.replace("\"phone\"", "\"tablet\"")), id);
    assert_ne!(read(&PHONE.replace("OJQ\"", "OJA\"")), id);
    assert_ne!(
        read(&PHONE.replace("\"totp\"", "\"totp\"\nperiod = 60")),
        id
    );
}
