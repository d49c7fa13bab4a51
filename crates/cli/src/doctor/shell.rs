//! Commands to be typed into a shell. They hold names and paths of strangers, and
//! whoever types them is root: each word is quoted where it must be.

use std::fmt::Display;

/// A command of these words.
pub(super) fn shell(words: &[&dyn Display]) -> String {
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    // No name, no path and no text of a terminal has a NUL; without one it cannot
    // fail.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

/// Opens an editor at a line of a file.
pub(super) fn edit(path: impl Display, line: usize) -> String {
    let place = shell(&[&format!("+{line}"), &path]);
    format!("${{EDITOR:-vi}} {place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_have_named_is_a_word_and_no_command() {
        let name = "phone\"; rm -rf /; echo $(id) `id` '";
        let line = shell(&[&"printf", &"%s", &name]);
        let said = std::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        assert_eq!(String::from_utf8(said.unwrap().stdout).unwrap(), name);
        assert_eq!(
            shell(&[&"chmod", &"go-w", &"/home/alice"]),
            "chmod go-w /home/alice"
        );
        assert_eq!(edit("/etc/a b", 3), "${EDITOR:-vi} +3 '/etc/a b'");
    }
}
