//! Which services name the module.

use std::collections::BTreeSet;

use pam_otp_stack::{DIRECTORIES, Entry, Kind, Services, Stack};

use super::module;

/// Files that services include, and that no program asks for.
const PARTS: [&str; 6] = [
    "system-auth",
    "password-auth",
    "fingerprint-auth",
    "smartcard-auth",
    "postlogin",
    "other",
];

/// A service that another program of the same name, or another option of it, asks
/// for: who secures the first means the second too.
const TWINS: [(&str, &str); 4] = [
    ("sudo", "sudo-i"),
    ("su", "su-l"),
    ("login", "remote"),
    ("gdm-password", "gdm-fingerprint"),
];

/// All kinds of lines.
pub(super) const KINDS: [Kind; 4] = [Kind::Auth, Kind::Account, Kind::Password, Kind::Session];

/// Whether a line calls the module.
pub(super) fn is_ours(entry: &Entry) -> bool {
    entry
        .module()
        .is_some_and(|line| line.file_name() == module::FILE)
}

/// Whether any line of the stack does.
pub(super) fn has_ours(stack: &Stack) -> bool {
    stack.entries().iter().any(is_ours)
}

/// All services with a line for the module, by name. Those that cannot be read
/// are passed over, unless they name it themselves.
pub(super) fn with_module(services: &Services) -> Vec<String> {
    let names = names().into_iter().filter(|name| !is_part(name));
    names.filter(|name| concerned(services, name)).collect()
}

fn concerned(services: &Services, name: &str) -> bool {
    let stacks = KINDS.into_iter().map(|kind| services.stack(name, kind));
    let stacks: Result<Vec<_>, _> = stacks.collect();
    stacks.map_or_else(|_| names_it(services, name), |all| all.iter().any(has_ours))
}

/// Whether the service's own file names it, be it understood or not.
fn names_it(services: &Services, name: &str) -> bool {
    let path = services.find(name).ok().flatten();
    let bytes = path.and_then(|path| std::fs::read(path).ok());
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let mut lines = text.lines().filter(|line| !line.trim().starts_with('#'));
    lines.any(|line| line.contains(module::FILE))
}

/// The services that those who use this one use as well, and that are there.
pub(super) fn twin(services: &Services, service: &str) -> Option<&'static str> {
    let twin = TWINS.iter().find(|twins| twins.0 == service)?.1;
    services.find(twin).ok().flatten().map(|_| twin)
}

fn names() -> BTreeSet<String> {
    let entries = DIRECTORIES
        .iter()
        .filter_map(|it| std::fs::read_dir(it).ok());
    let names = entries.flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).collect()
}

/// Is it only included by others, or not a service's file at all?
fn is_part(name: &str) -> bool {
    let leftovers = [".dpkg-", ".rpm", ".bak", "~", ".pam-otp"];
    name.starts_with("common-")
        || name.starts_with('.')
        || PARTS.contains(&name.strip_suffix("-ac").unwrap_or(name))
        || leftovers.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_leftovers_are_no_services() {
        for (name, part) in [
            ("common-auth", true),
            ("system-auth-ac", true),
            ("sshd.dpkg-old", true),
            ("sshd~", true),
            ("sshd", false),
            ("sudo-i", false),
        ] {
            assert_eq!(is_part(name), part, "{name}");
        }
    }
}
