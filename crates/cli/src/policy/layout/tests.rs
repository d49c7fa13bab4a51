use super::*;

const KEY: &str = "exempt_users";

fn names(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn added(text: &str, service: Option<&str>, before: &str, new: &str) -> String {
    let mut layout = Layout::parse(text).unwrap();
    let done = layout.append(service, KEY, &names(before), &names(new));
    done.unwrap();
    layout.text()
}

fn taken(text: &str, places: &[usize]) -> String {
    let mut layout = Layout::parse(text).unwrap();
    layout.take_out(None, KEY, &[], places).unwrap();
    layout.text()
}

#[test]
fn a_new_name_stands_where_a_person_would_write_it() {
    for (text, expected) in [
        ("", "exempt_users = [\"new\"]\n"),
        (
            "window = 2 # wide\n",
            "window = 2 # wide\nexempt_users = [\"new\"]\n",
        ),
        ("# rules\n", "# rules\nexempt_users = [\"new\"]\n"),
        (
            "# no line feed",
            "# no line feed\nexempt_users = [\"new\"]\n",
        ),
        (
            "exempt_users=[] # none\n",
            "exempt_users=[\"new\"] # none\n",
        ),
        (
            "exempt_users = [ \"a\" ] # some\nwindow = 2\n",
            "exempt_users = [ \"a\" , \"new\"] # some\nwindow = 2\n",
        ),
        (
            "exempt_users = [\"a\",]\n",
            "exempt_users = [\"a\", \"new\",]\n",
        ),
        (
            "exempt_users = [\n  \"a\", # why a\n  \"b\", # why b\n]\n",
            "exempt_users = [\n  \"a\", # why a\n  \"b\", # why b\n  \"new\",\n]\n",
        ),
        (
            "exempt_users = [\n\t\"a\",\n\t\"b\" # why b\n\t# the end\n]\n",
            "exempt_users = [\n\t\"a\",\n\t\"b\", # why b\n\t# the end\n\t\"new\"\n]\n",
        ),
        (
            "[service.sshd]\nwindow = 2\n",
            "exempt_users = [\"new\"]\n[service.sshd]\nwindow = 2\n",
        ),
    ] {
        assert_eq!(added(text, None, "", "new"), expected, "{text}");
    }
}

#[test]
fn a_section_is_made_at_the_end_and_takes_no_comment_of_others() {
    for (text, expected) in [
        ("", "[service.sshd]\nexempt_users = [\"a\", \"new\"]\n"),
        (
            "window = 2\n\n#remember = \"8h\"\n",
            "window = 2\n\n#remember = \"8h\"\n\n[service.sshd]\nexempt_users = [\"a\", \"new\"]\n",
        ),
        (
            "[service.sudo]\nwindow = 2\n# the end\n",
            "[service.sudo]\nwindow = 2\n# the end\n\n[service.sshd]\nexempt_users = [\"a\", \"new\"]\n",
        ),
        (
            "[service.sshd] # ssh\nwindow = 2\n\n[service.sudo]\nwindow = 3\n",
            "[service.sshd] # ssh\nwindow = 2\nexempt_users = [\"a\", \"new\"]\n\n[service.sudo]\nwindow = 3\n",
        ),
        (
            "[service.sshd]\nexempt_users = [\"b\"]\n",
            "[service.sshd]\nexempt_users = [\"b\", \"new\"]\n",
        ),
        (
            "service.sshd.window = 2\n",
            "service.sshd.window = 2\nservice.sshd.exempt_users = [\"a\", \"new\"]\n",
        ),
        (
            "service = { sudo = { window = 2 } }\n",
            "service = { sudo = { window = 2 } , sshd = { exempt_users = [\"a\", \"new\"] } }\n",
        ),
    ] {
        assert_eq!(added(text, Some("sshd"), "a", "new"), expected, "{text}");
    }
}

#[test]
fn who_is_taken_out_leaves_all_comments() {
    for (text, places, expected) in [
        ("exempt_users = [\"a\"]\n", vec![0], "exempt_users = []\n"),
        (
            "exempt_users = [\"a\", \"b\", \"c\"] # some\n",
            vec![0, 2],
            "exempt_users = [\"b\"] # some\n",
        ),
        (
            "exempt_users = [\n  # first\n  \"a\", # why a\n  \"b\", # why b\n]\n",
            vec![0],
            "exempt_users = [\n  # first\n  # why a\n  \"b\", # why b\n]\n",
        ),
        (
            "exempt_users = [\n  \"a\", # why a\n  \"b\", # why b\n]\n",
            vec![1],
            "exempt_users = [\n  \"a\", # why a\n  # why b\n]\n",
        ),
        (
            "exempt_users = [\n  \"a\", # why a\n  \"b\" # why b\n]\n",
            vec![0, 1],
            "exempt_users = [ # why a\n  # why b\n]\n",
        ),
        (
            "exempt_users = [\n  \"a\",\n  \"b\",\n]\n",
            vec![0, 1],
            "exempt_users = [\n]\n",
        ),
    ] {
        assert_eq!(taken(text, &places), expected, "{text}");
    }
}

#[test]
fn a_name_that_is_added_and_taken_out_leaves_the_text_as_it_was() {
    for text in [
        "exempt_users = [\"a\"] # some\n",
        "exempt_users = [\n  \"a\", # why a\n  \"b\", # why b\n]\n",
        "exempt_users = [\n  # first\n  \"a\",\n]\nwindow = 2\n",
    ] {
        let more = added(text, None, "", "new");
        let count = Layout::parse(text).unwrap();
        let count = count.0[KEY].as_array().unwrap().len();
        assert_eq!(taken(&more, &[count]), text);
    }
}

#[test]
fn a_key_in_a_comment_is_found_before_the_first_section_only() {
    let find = |text| uncommented(text, KEY, "[]");
    assert_eq!(
        find("# Users.\n#exempt_users = []\n\n#x\n").as_deref(),
        Some("# Users.\nexempt_users = []\n\n#x\n")
    );
    for text in [
        "",
        "#exempt_users = [\"a\"]\n",
        "# exempt_users = []\n",
        "[service.sshd]\n#exempt_users = []\n",
    ] {
        assert_eq!(find(text), None, "{text}");
    }
}

#[test]
fn a_word_is_replaced_and_keeps_its_comment() {
    let mut layout = Layout::parse("require_by = \"2027-03-31\" # soon\n").unwrap();
    layout.set_word(None, "require_by", "2028-01-01").unwrap();
    layout.set_word(Some("sshd"), "require_by", "").unwrap();
    assert_eq!(
        layout.text(),
        "require_by = \"2028-01-01\" # soon\n\n[service.sshd]\nrequire_by = \"\"\n"
    );
    assert_eq!(layout.word(None, "require_by"), Some("2028-01-01"));
    assert_eq!(layout.word(Some("sshd"), "require_by"), Some(""));
    assert_eq!(layout.word(Some("sudo"), "require_by"), Some("2028-01-01"));
}
