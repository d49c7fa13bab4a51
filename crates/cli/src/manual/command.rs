//! pam-otp(1): commands, options, examples and errors.

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::roff::{bold, ended, sentences, slanted, typed, words};
use super::{Notes, note};
use crate::arguments::Arguments;
use crate::error::Exit;
use crate::error::table::TABLE;
use crate::examples::{self, Example};

/// The command line that the parser has, with what clap adds by itself.
fn program() -> Command {
    let mut program = Arguments::command();
    program.build();
    program
}

/// All commands but `help`, in the order of the help, and of those that it hides the
/// ones for people.
fn each(program: &Command) -> impl Iterator<Item = &Command> {
    let all = program.get_subcommands();
    all.filter(|it| it.get_name() != "help")
        .filter(|it| !it.is_hide_set() || !examples::of(it.get_name()).is_empty())
}

/// What may stand after one command alone.
fn own(command: &Command) -> impl Iterator<Item = &Arg> {
    let all = command.get_arguments();
    all.filter(|it| !it.is_hide_set() && !it.is_global_set() && !is_clap_s(it))
}

/// `--help` and `--version`, which every command has or none.
fn is_clap_s(argument: &Arg) -> bool {
    matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

/// The name of its value, if it takes one.
fn value(argument: &Arg) -> Option<String> {
    let taken = argument.is_positional() || argument.get_action().takes_values();
    taken.then(|| {
        let names = argument.get_value_names().unwrap_or_default();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        names.join(" ")
    })
}

/// As it is typed: `-h`, `--name NAME` or `FILE`.
fn usage(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| bold(&format!("-{short}")));
    let long = argument.get_long().map(|long| bold(&format!("--{long}")));
    let names: Vec<_> = short.into_iter().chain(long).collect();
    match (names.join(", "), value(argument)) {
        (names, None) => names,
        (names, Some(value)) if names.is_empty() => slanted(&value),
        (names, Some(value)) => format!("{names} {}", slanted(&value)),
    }
}

/// The same, and whether it may be left away, and given again.
fn place(argument: &Arg) -> String {
    let many = argument.is_positional() && matches!(argument.get_action(), ArgAction::Append);
    let usage = usage(argument) + if many { " ..." } else { "" };
    if argument.is_required_set() {
        usage
    } else {
        format!("[{usage}]")
    }
}

/// Whether it is about a user who must be named: the parser leaves that to the
/// session, which knows who calls.
fn needs_user(command: &Command) -> bool {
    let usage = command.clone().render_usage().to_string();
    usage.contains(" --user <NAME>")
}

/// What is typed in any case before its own arguments.
fn head(command: &Command) -> String {
    let name = typed(&format!("pam-otp {}", command.get_name()));
    if needs_user(command) {
        format!("{name} {} {}", bold("--user"), slanted("NAME"))
    } else {
        name
    }
}

/// One line for each command.
pub(super) fn synopsis() -> String {
    let mut roff = String::new();
    for command in each(&program()) {
        let name = format!("pam-otp {}", command.get_name());
        roff.push_str(&format!(".SY \"{}\"\n", typed(&name)));
        if needs_user(command) {
            let user = format!("{} {}", bold("--user"), slanted("NAME"));
            roff.push_str(&format!("{}\n", user.replace(' ', "\\ ")));
        }
        for argument in own(command) {
            roff.push_str(&format!("{}\n", place(argument).replace(' ', "\\ ")));
        }
        roff.push_str(&format!("[{} ...]\n.YS\n", slanted("OPTION")));
    }
    roff
}

/// A section for each command, with its own options.
pub(super) fn commands(notes: &mut Notes) -> String {
    let mut roff = String::new();
    for command in each(&program()) {
        let name = command.get_name();
        let words = own(command).filter(|it| it.is_positional());
        let head: Vec<_> = [head(command)]
            .into_iter()
            .chain(words.map(place))
            .collect();
        roff.push_str(&format!(".SS \"{}\"\n", head.join(" ")));
        let about = command.get_about().map(ToString::to_string);
        roff.push_str(&sentences(&about.unwrap_or_default()));
        let note = note(notes, name);
        if !note.is_empty() {
            roff.push_str(&format!(".PP\n{note}"));
        }
        for argument in own(command) {
            let key = argument.get_long().map(|long| format!("{name} --{long}"));
            let key = key.unwrap_or_else(|| format!("{name} {}", value(argument).unwrap()));
            roff.push_str(&tagged(argument, &super::note(notes, &key)));
        }
    }
    roff
}

/// What may stand after every command.
pub(super) fn options(notes: &mut Notes) -> String {
    let program = program();
    let all = program.get_arguments().filter(|it| !it.is_hide_set());
    let tagged = all.map(|argument| {
        let key = format!("--{}", argument.get_long().unwrap());
        tagged(argument, &note(notes, &key))
    });
    tagged.collect()
}

/// An argument with what it does, its values, and what it is if not given.
fn tagged(argument: &Arg, note: &str) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut text = ended(&help.map(ToString::to_string).unwrap_or_default());
    if argument.get_action().takes_values() {
        text.push_str(&values(argument));
        let default = argument.get_default_values().iter();
        let default: Vec<_> = default.map(|it| it.to_string_lossy()).collect();
        if !default.is_empty() {
            text = format!("{text} Default: `{}`.", default.join(" "));
        }
    }
    format!(".TP\n{}\n{}{note}", usage(argument), sentences(&text))
}

/// The words that it takes, if no others.
fn values(argument: &Arg) -> String {
    let values = argument.get_possible_values();
    let values = values.iter().filter(|value| !value.is_hide_set());
    let mut named = Vec::new();
    let mut told = String::new();
    for value in values {
        match value.get_help() {
            Some(help) => told = ended(&format!("{told} `{}`: {help}", value.get_name())),
            None => named.push(format!("`{}`", value.get_name())),
        }
    }
    match named.split_last() {
        Some((last, [])) => format!("{told} It is {last}."),
        Some((last, others)) => format!("{told} It is {} or {last}.", others.join(", ")),
        None => told,
    }
}

/// Every example, in the order of the commands.
pub(super) fn examples() -> String {
    let mut roff = String::new();
    let program = program();
    for command in each(&program) {
        for Example { what, line } in examples::of(command.get_name()) {
            roff.push_str(&format!(
                ".PP\n{}.PP\n.in +4n\n.nf\n{}\n.fi\n.in\n",
                sentences(&format!("{what}:")),
                typed(line)
            ));
        }
    }
    roff.strip_prefix(".PP\n").unwrap().to_owned()
}

/// The words of the errors that end so.
pub(super) fn errors(exit: Exit) -> String {
    let rows = TABLE.iter().filter(|row| row.exit == exit);
    let rows = rows.map(|row| {
        let (word, meaning) = (bold(row.code), words(row.meaning));
        format!(".TP 22n\n{word}\n{meaning}")
    });
    let rows: Vec<_> = rows.collect();
    // Close to each other, but not to what stands before.
    let rows = rows.join("").replacen(".TP 22n\n", ".TP 22n\n.PD 0\n", 1);
    format!(".RS\n{rows}.PD\n.RE\n")
}
