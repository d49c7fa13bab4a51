//! Text of the definitions as roff.

/// As long as a line of the source should be, in bytes.
const WIDTH: usize = 78;

/// Sentences, as [`words`] are. A full stop is added.
pub(super) fn sentences(text: &str) -> String {
    words(&ended(text))
}

/// Each sentence on a line of its own, or more. Words between backquotes are bold, or
/// slanted if they are paths; so is the name before the section of another manual
/// page.
pub(super) fn words(text: &str) -> String {
    let mut roff = String::new();
    for sentence in parted(text) {
        let mut line = String::new();
        for word in spans(&sentence) {
            if !line.is_empty() && line.len() + word.len() >= WIDTH {
                push(&mut roff, &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        push(&mut roff, &line);
    }
    roff
}

/// The text, ended as a sentence is.
pub(super) fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// As it is typed: its hyphens can be copied.
pub(super) fn typed(text: &str) -> String {
    let mut roff = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => roff.push_str("\\e"),
            '-' => roff.push_str("\\-"),
            '~' => roff.push_str("\\(ti"),
            '^' => roff.push_str("\\(ha"),
            '`' => roff.push_str("\\(ga"),
            '\'' => roff.push_str("\\(aq"),
            '"' => roff.push_str("\\(dq"),
            letter => roff.push(letter),
        }
    }
    roff
}

/// Bold, as it is typed.
pub(super) fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", typed(text))
}

/// Slanted: somebody else puts it in.
pub(super) fn slanted(text: &str) -> String {
    format!("\\fI{}\\fR", typed(text))
}

fn push(roff: &mut String, line: &str) {
    // Which would be a request.
    if line.starts_with(['.', '\'']) {
        roff.push_str("\\&");
    }
    roff.push_str(line);
    roff.push('\n');
}

/// One sentence each. A new one begins with a capital, or with what is typed.
fn parted(text: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    for word in text.split_whitespace() {
        let begins = word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '`');
        let last = sentences.last_mut().unwrap();
        if begins && last.ends_with(['.', '?']) && !last.ends_with("e.g.") {
            sentences.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    sentences
}

/// Stands for a space at which no line ends.
const SPACE: &str = "\0";

/// Words as roff. What stands between backquotes is one word.
fn spans(sentence: &str) -> Vec<String> {
    let parts = sentence.split('`').enumerate().map(|(place, part)| {
        if place % 2 == 0 {
            let words: Vec<_> = part.split(' ').map(word).collect();
            words.join(" ")
        } else if part.starts_with(['/', '~']) {
            slanted(part).replace(' ', SPACE)
        } else {
            bold(part).replace(' ', SPACE)
        }
    });
    let roff: String = parts.collect();
    let words = roff.split_whitespace();
    words.map(|word| word.replace(SPACE, " ")).collect()
}

/// A word of prose.
fn word(word: &str) -> String {
    let (name, rest) = word.split_once('(').unwrap_or((word, ""));
    let page = rest.starts_with(|c: char| c.is_ascii_digit()) && rest.get(1..2) == Some(")");
    if page && !name.is_empty() {
        return format!("{}({rest}", bold(name));
    }
    // What is typed, though it does not stand between backquotes.
    let code = word.starts_with("--") || word.contains('/') || word.contains("pam-otp");
    if code || !word.contains('-') {
        typed(word).replace("\\(aq", "\\(cq")
    } else {
        word.replace('\\', "\\e").replace('"', "\\(dq")
    }
}

mod tests {
    use super::*;

    #[test]
    fn sentences_stand_on_lines_of_their_own() {
        let text = "Read it. See pam_otp(8), e.g. Anna's; -x stays";
        let roff = "Read it.\nSee \\fBpam_otp\\fR(8), e.g. Anna\\(cqs; -x stays.\n";
        assert_eq!(sentences(text), roff);
    }

    #[test]
    fn what_is_typed_is_bold_and_paths_are_slanted() {
        let text = "As `enroll --json` (`a`, \"b\"), or `~/.x`: ~ --two`c`";
        let roff = "As \\fBenroll \\-\\-json\\fR (\\fBa\\fR, \\(dqb\\(dq), or \\fI\\(ti/.x\\fR: \\(ti\n\
                    \\-\\-two\\fBc\\fR.\n";
        assert_eq!(sentences(text), roff);
    }

    #[test]
    fn no_text_becomes_a_request_or_an_escape() {
        assert_eq!(sentences("'a \\fB"), "\\(cqa \\efB.\n");
        assert_eq!(sentences(".so \\-x"), "\\&.so \\e-x.\n");
    }
}
