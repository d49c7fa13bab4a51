//! Examples: data for `pam-otp COMMAND --help` and for the manual page. Tests parse
//! every one, and run those that act on a record.

/// A command line, and what it is for.
#[derive(Debug)]
pub(crate) struct Example {
    /// What for; without a full stop.
    pub(crate) what: &'static str,
    /// As it is typed.
    pub(crate) line: &'static str,
}

const fn example(what: &'static str, line: &'static str) -> Example {
    Example { what, line }
}

/// One to three for each command, by its name.
pub(crate) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "enroll",
        &[
            example("Switch two-factor login on for yourself", "pam-otp enroll"),
            example("Add a second device", "pam-otp enroll --name tablet"),
            example(
                "As root, put a new phone in the place of alice's lost one",
                "pam-otp enroll --user alice --replace phone",
            ),
        ],
    ),
    (
        "confirm",
        &[
            example("Type the code of what a program began", "pam-otp confirm"),
            example(
                "In a program, which writes the code to standard input",
                "pam-otp confirm --json",
            ),
        ],
    ),
    (
        "cancel",
        &[example(
            "Forget what was begun and not confirmed",
            "pam-otp cancel",
        )],
    ),
    (
        "status",
        &[
            example("See how your own two-factor login stands", "pam-otp status"),
            example(
                "As root, see alice's under the policy for ssh",
                "pam-otp status --user alice --service sshd",
            ),
        ],
    ),
    (
        "verify",
        &[example(
            "Try a code or a recovery code without logging in",
            "pam-otp verify",
        )],
    ),
    (
        "resync",
        &[
            example(
                "Follow your own token, by two codes in a row",
                "pam-otp resync",
            ),
            example(
                "As root, follow alice's, by two codes that she reads out",
                "pam-otp resync --user alice",
            ),
        ],
    ),
    (
        "show",
        &[example(
            "Take the same token to a new phone",
            "pam-otp show",
        )],
    ),
    (
        "disable",
        &[
            example("Switch it off for yourself", "pam-otp disable"),
            example(
                "As root, switch it off for alice",
                "pam-otp disable --user alice",
            ),
        ],
    ),
    (
        "recovery",
        &[
            example(
                "The paper with the codes is lost or used up",
                "pam-otp recovery",
            ),
            example(
                "As root, make new ones for alice",
                "pam-otp recovery --user alice",
            ),
        ],
    ),
    (
        "rename",
        &[example(
            "Call the token \"phone\" something else",
            "pam-otp rename phone old-phone",
        )],
    ),
    (
        "remove",
        &[example("The tablet is sold", "pam-otp remove tablet")],
    ),
    (
        "import",
        &[
            example(
                "Go on with the token of pam_google_authenticator",
                "pam-otp import ~/.google_authenticator",
            ),
            example(
                "Add what an app has exported to your record",
                "pam-otp import --add export.txt",
            ),
            example(
                "As root, take over all users of pam_oath",
                "pam-otp import --from oath /etc/users.oath",
            ),
        ],
    ),
    (
        "export",
        &[
            example("Show the URIs of all tokens", "pam-otp export"),
            example("Show the URI of one token", "pam-otp export --name phone"),
        ],
    ),
    (
        "list",
        &[
            example("List who has it switched on", "pam-otp list"),
            example("List everybody else, too", "pam-otp list --all"),
        ],
    ),
    (
        "reset",
        &[example(
            "Phone and recovery codes of alice are lost",
            "pam-otp reset --user alice",
        )],
    ),
    (
        "unlock",
        &[example(
            "Somebody has guessed, and alice must not wait for it",
            "pam-otp unlock --user alice",
        )],
    ),
    (
        "events",
        &[
            example("See the last logins and changes", "pam-otp events"),
            example(
                "See what happened to alice at ssh in the last two days",
                "pam-otp events --user alice --service sshd --since 2days",
            ),
        ],
    ),
    (
        "require",
        &[
            example(
                "As root, see who needs a code in any case",
                "pam-otp require",
            ),
            example(
                "Who may use sudo needs one, and has until a day to enrol",
                "pam-otp require --group sudo --by 2027-03-31",
            ),
        ],
    ),
    (
        "exempt",
        &[
            example(
                "Over ssh, the office needs no code",
                "pam-otp exempt --network 192.0.2.0/24 --service sshd",
            ),
            example(
                "A robot's account needs one again",
                "pam-otp exempt --remove backup",
            ),
        ],
    ),
    (
        "setup",
        &[
            example(
                "Have ssh ask for a code, and undo it unless it works",
                "pam-otp setup sshd --try 5m",
            ),
            example(
                "Keep it, once somebody has logged in with a code",
                "pam-otp setup sshd --confirm",
            ),
            example("Put back what was there", "pam-otp setup sshd --undo"),
        ],
    ),
    (
        "doctor",
        &[
            example(
                "See whether you would get in, by all that asks for codes",
                "pam-otp doctor",
            ),
            example(
                "As root, see whether alice would get in by ssh, and how",
                "pam-otp doctor --user alice --service sshd",
            ),
        ],
    ),
    (
        "completions",
        &[
            example(
                "Complete its command line in your own bash",
                "pam-otp completions bash >> ~/.bashrc",
            ),
            example(
                "In your own fish",
                "pam-otp completions fish > ~/.config/fish/completions/pam-otp.fish",
            ),
        ],
    ),
];

/// Those of a command.
pub(crate) fn of(command: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(name, _)| *name == command);
    found.map_or(&[], |(_, examples)| examples)
}

/// The end of a command's help.
pub(crate) fn help(command: &str) -> String {
    let mut text = "Examples:".to_owned();
    for Example { what, line } in of(command) {
        text = format!("{text}\n  {what}:\n    {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn every_command_has_one_to_three_examples() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let few = (1..=3).contains(&of(name).len());
            let place = "a row in EXAMPLES, crates/cli/src/examples.rs";
            assert!(few || command.is_hide_set(), "{name} wants {place}");
        }
    }

    #[test]
    fn every_example_is_a_command_line_of_its_command() {
        for (name, examples) in EXAMPLES {
            for Example { what, line } in *examples {
                // What the shell does itself.
                let words = line
                    .split(' ')
                    .take_while(|word| !["<", ">", ">>", "|"].contains(word));
                let parsed = Arguments::command().try_get_matches_from(words.clone());
                let parsed = parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(parsed.subcommand_name(), Some(*name), "{line}");
                Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
                // With the indent of the manual page.
                assert!(line.len() <= 69 && !what.ends_with('.'), "{what}: {line}");
            }
        }
    }

    #[test]
    fn the_help_of_every_command_ends_with_its_examples() {
        for command in Arguments::command().get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let wide = command.clone().term_width(80);
            let said = wide.clone().render_long_help().to_string();
            assert!(said.trim_end().ends_with(&help(&name)), "{said}");
            assert!(
                said.lines().all(|line| line.chars().count() <= 80),
                "{said}"
            );
        }
    }
}
