//! The module's file: is it where the stack says, and can it be loaded?
//!
//! Nothing of it is run. Its header says for which machine it is and what it
//! offers; the dynamic loader, called to list only, says which libraries and
//! names it does not find.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use elf::ElfBytes;
use elf::abi::{EM_AARCH64, EM_X86_64, ET_DYN, PT_INTERP};
use elf::endian::AnyEndian;

use super::finding::{Finding, Severity, Subject};
use super::said;
use super::shell::shell;
use crate::setup::module_is_installed;

/// The module's own name.
pub(super) const FILE: &str = "pam_otp.so";

/// What libpam calls of a module in an auth line.
const ENTRIES: [&str; 2] = ["pam_sm_authenticate", "pam_sm_setcred"];

/// A module that every system with PAM has: it lies where libpam looks.
const USUAL: &str = "pam_permit.so";

/// More than any module has.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Where libpam looks for a module that is named without a path; `None` if no
/// module is found anywhere.
pub(super) fn directory(root: &Path) -> Option<PathBuf> {
    let libraries = ["lib", "usr/lib", "lib64", "usr/lib64"].map(|name| root.join(name));
    let tripled = libraries.iter().flat_map(|library| {
        let entries = fs::read_dir(library).ok().into_iter().flatten().flatten();
        let mut below: Vec<_> = entries.map(|entry| entry.path()).collect();
        below.sort();
        below
    });
    let mut all = libraries.iter().cloned().chain(tripled);
    all.find_map(|library| {
        let directory = library.join("security");
        directory.join(USUAL).is_file().then_some(directory)
    })
}

/// The file that a line names.
pub(super) fn path(module: &str, directory: Option<&Path>) -> Option<PathBuf> {
    if module.starts_with('/') {
        return Some(PathBuf::from(module));
    }
    Some(directory?.join(module))
}

fn error(code: &'static str, says: String) -> Finding {
    Finding::new(Severity::Error, Subject::Module, code, says)
}

/// In the directory of the package: apt cannot fetch it from anywhere.
const DEB: &str = "apt-get install --reinstall ./pam-otp_*.deb";
const RPM: &str = "rpm -U --replacepkgs ./pam-otp-[0-9]*.rpm";
/// In the source's directory.
const MAKE: &str = "make install";

/// What brings the module, of the ways that this command can have come.
fn install() -> &'static str {
    let by_hand = std::env::current_exe().is_ok_and(|own| own.starts_with("/usr/local"));
    let is_there = |program: &str| Path::new(program).exists();
    match () {
        () if by_hand => MAKE,
        () if is_there("/usr/bin/dpkg") => DEB,
        () if is_there("/usr/bin/rpm") => RPM,
        () => MAKE,
    }
}

/// What `pam-otp setup` with these arguments mends. Without the module it refuses,
/// so that is to be installed first.
pub(super) fn setup(arguments: &[&str]) -> String {
    if !module_is_installed() {
        return install().to_owned();
    }
    let words = ["pam-otp", "setup"].iter().chain(arguments);
    let words = words
        .map(|word| word as &dyn std::fmt::Display)
        .collect::<Vec<_>>();
    shell(&words)
}

/// Whether it can be loaded.
pub(super) fn look(path: &Path) -> Finding {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(failed) => {
            let says = format!("{shown}, which the stack names: {failed}");
            return error("module_missing", says).mend(install());
        }
    };
    if let Some(finding) = insecure(path, &metadata) {
        return finding;
    }
    let content = (metadata.len() <= MAX_FILE).then(|| fs::read(path));
    let content = match content {
        Some(Ok(content)) => content,
        Some(Err(failed)) => {
            return Finding::new(
                Severity::Warning,
                Subject::Module,
                "module_unseen",
                format!("{shown} cannot be read: {failed}"),
            )
            .mend(shell(&[&"chmod", &"0644", &shown]));
        }
        None => return error("module_unloadable", format!("{shown} is far too large")),
    };
    let object = Object::parse(&content).map_err(str::to_owned);
    if let Err(what) = object.and_then(|it| it.fits()) {
        return error("module_unloadable", format!("{shown} {what}")).mend(install());
    }
    match unresolved(path) {
        Some(missing) => error(
            "module_unloadable",
            format!("{shown} cannot be loaded: {missing}"),
        )
        .mend(install()),
        None => Finding::new(
            Severity::Ok,
            Subject::Module,
            "module",
            format!("{shown} can be loaded"),
        ),
    }
}

/// Who could put another module in its place lets anybody in.
fn insecure(path: &Path, metadata: &Metadata) -> Option<Finding> {
    let mut above: Vec<_> = path.ancestors().skip(1).map(Path::to_owned).collect();
    above.push(path.to_owned());
    let mut looked: Vec<(PathBuf, Metadata)> = Vec::new();
    for directory in above {
        if let Ok(found) = fs::metadata(&directory) {
            looked.push((directory, found));
        }
    }
    looked.push((path.to_owned(), metadata.clone()));
    looked.iter().find_map(|(path, metadata)| {
        let (shown, mode) = (path.display(), metadata.mode());
        let sticky = metadata.is_dir() && mode & 0o1000 != 0;
        if metadata.uid() != 0 {
            let uid = metadata.uid();
            let says = format!("{shown} belongs to user id {uid}, who could replace the module");
            return Some(error("module_insecure", says).mend(shell(&[&"chown", &"root", &shown])));
        }
        (mode & 0o022 != 0 && !sticky).then(|| {
            let mode = mode & 0o7777;
            let says = format!("{shown} has mode {mode:04o}: others could replace the module");
            error("module_insecure", says).mend(shell(&[&"chmod", &"go-w", &shown]))
        })
    })
}

/// What a header says, as far as the loader cares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    machine: u16,
    wide: bool,
    library: bool,
    lacks: Option<&'static str>,
}

impl Object {
    fn parse(content: &[u8]) -> Result<Self, &'static str> {
        let file = ElfBytes::<AnyEndian>::minimal_parse(content)
            .map_err(|_| "is no library, or a damaged one")?;
        let symbols = file.dynamic_symbol_table();
        let symbols = symbols.map_err(|_| "is a damaged library")?;
        let offers = |name: &str| {
            symbols.iter().any(|(table, texts)| {
                table.iter().any(|symbol| {
                    let text = usize::try_from(symbol.st_name).ok();
                    let text = text.and_then(|at| texts.get(at).ok());
                    !symbol.is_undefined() && text == Some(name)
                })
            })
        };
        Ok(Self {
            machine: file.ehdr.e_machine,
            wide: file.ehdr.class == elf::file::Class::ELF64,
            library: file.ehdr.e_type == ET_DYN,
            lacks: ENTRIES.into_iter().find(|name| !offers(name)),
        })
    }

    /// Whether programs of this machine can load it; this command is one.
    fn fits(&self) -> Result<(), String> {
        let own = own().and_then(|content| Self::parse(&content).ok());
        let machine = |it: &Self| (it.machine, it.wide);
        if let Some(own) = own.filter(|own| machine(own) != machine(self)) {
            return Err(format!(
                "is for another machine, {}, and this one is {}",
                name(self.machine),
                name(own.machine)
            ));
        }
        match self.lacks {
            _ if !self.library => Err("is a program or an object, and no library".to_owned()),
            Some(entry) => Err(format!(
                "is no PAM module for auth lines: it has no {entry}"
            )),
            None => Ok(()),
        }
    }
}

fn own() -> Option<Vec<u8>> {
    fs::read("/proc/self/exe").ok()
}

fn name(machine: u16) -> String {
    match machine {
        EM_X86_64 => "x86_64".to_owned(),
        EM_AARCH64 => "aarch64".to_owned(),
        other => format!("number {other}"),
    }
}

/// The loader that started this command; it loads modules too. `None` for a
/// command that was linked without it.
fn loader() -> Option<PathBuf> {
    let content = own()?;
    let file = ElfBytes::<AnyEndian>::minimal_parse(&content).ok()?;
    let interpreter = file.segments()?.iter().find(|it| it.p_type == PT_INTERP)?;
    let name = file.segment_data(&interpreter).ok()?;
    let name = name.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(std::str::from_utf8(name).ok()?))
}

/// The first thing that the loader does not find. It maps the module and what
/// that needs, and runs nothing of it. Names of libpam are the host's to offer.
fn unresolved(path: &Path) -> Option<String> {
    let mut loader = Command::new(loader()?);
    loader.arg("--list").arg(path).env_clear();
    let said = said(&mut loader).ok()?;
    missing(&said.stdout, &said.stderr, said.success)
}

fn missing(stdout: &str, stderr: &str, success: bool) -> Option<String> {
    let lines = || stdout.lines().chain(stderr.lines()).map(str::trim);
    let fault = lines().find(|line| line.contains("not found") || line.contains("cannot"));
    match fault {
        Some(line) => Some(line.to_owned()),
        None if success => None,
        None => Some(lines().next().unwrap_or("the loader refuses it").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use pam_otp_testkit::temp::TempDir;

    use super::*;

    #[test]
    fn modules_are_where_one_that_all_systems_have_is() {
        let root = TempDir::new();
        assert_eq!(directory(root.path()), None);
        let security = root.path().join("usr/lib/x86_64-linux-gnu/security");
        fs::create_dir_all(&security).unwrap();
        fs::create_dir_all(root.path().join("lib/security")).unwrap();
        fs::write(security.join(USUAL), "").unwrap();
        assert_eq!(directory(root.path()), Some(security.clone()));
        let relative = path("pam_otp.so", Some(&security));
        assert_eq!(relative, Some(security.join("pam_otp.so")));
        assert_eq!(path("/x/y.so", None), Some(PathBuf::from("/x/y.so")));
        assert_eq!(path("y.so", None), None);
    }

    #[test]
    fn what_is_no_module_of_this_machine_is_told() {
        for (content, said) in [
            (b"".as_slice(), "is no library"),
            (b"#!/bin/sh\n", "is no library"),
            (b"\x7fELF\x02\x01\x01", "is no library"),
        ] {
            assert!(Object::parse(content).unwrap_err().contains(said));
        }
        let mut own = own().unwrap();
        let whole = Object::parse(&own).unwrap();
        assert_eq!(whole.lacks, Some("pam_sm_authenticate"));
        assert!(whole.fits().unwrap_err().contains("no PAM module"));
        // The machine's number stands at byte 18.
        own[18] ^= 0x55;
        let other = Object::parse(&own).unwrap().fits().unwrap_err();
        assert!(other.contains("another machine, number"), "{other}");
    }

    #[test]
    fn what_the_loader_misses_is_in_its_words() {
        let list = "\tlinux-vdso.so.1 (0x1)\n\tlibpam.so.0 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n";
        assert_eq!(
            missing(list, "", true),
            Some("libpam.so.0 => not found".to_owned())
        );
        assert_eq!(missing("\tlibc.so.6 => /lib/libc.so.6\n", "", true), None);
        assert_eq!(
            missing("", "x.so: wrong ELF class\n", false),
            Some("x.so: wrong ELF class".to_owned())
        );
        assert!(loader().is_some_and(|loader| loader.exists()));
    }

    #[test]
    fn what_mends_a_missing_module_names_the_package_that_is_made() {
        let control = include_str!("../../../../packaging/debian/control");
        let mut lines = control.lines();
        let name = lines
            .find_map(|line| line.strip_prefix("Package: "))
            .unwrap();
        assert!(DEB.ends_with(&format!(" ./{name}_*.deb")), "{DEB}");
        assert!(RPM.contains(&format!(" ./{name}-")), "{RPM}");
    }

    #[test]
    fn a_file_that_others_can_replace_is_told_before_it_is_read() {
        let directory = TempDir::new();
        let path = directory.path().join(FILE);
        assert_eq!(look(&path).code, "module_missing");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(look(&path).code, "module_insecure");
    }
}
