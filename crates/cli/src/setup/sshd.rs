//! What sshd must be set to, and how it is told.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::SetupError;
use super::files;
use super::placing::First;
use crate::sshd::{self, MAIN, Settings, Unasked, method};
pub(crate) use crate::sshd::{DROP_IN, SERVICE, how_to_reload, includes_drop_in};

/// Those that count for a login of this user.
pub(crate) fn settings(user: &str) -> Result<Settings, SetupError> {
    Settings::of(Some(user)).map_err(|it| bad(&it))
}

/// Which keys are not as they must be.
pub(crate) fn lacks(settings: &Settings, first: First) -> Vec<&'static str> {
    let fits = |methods: &Vec<String>| {
        let has = |wanted: &str| methods.iter().any(|it| method(it) == wanted);
        has("keyboard-interactive") && (first == First::Password || has("publickey"))
    };
    let methods = &settings.methods;
    let settings = [
        (settings.use_pam, "UsePAM"),
        (
            settings.keyboard_interactive,
            "KbdInteractiveAuthentication",
        ),
        (!settings.password, "PasswordAuthentication"),
        (
            !methods.is_empty() && methods.iter().all(fits),
            "AuthenticationMethods",
        ),
    ];
    let lacking = settings.into_iter().filter(|(is_so, _)| !is_so);
    lacking.map(|(_, key)| key).collect()
}

/// The lines of the drop-in file.
pub(crate) fn lines(first: First) -> String {
    let methods = match first {
        First::Password => "keyboard-interactive",
        First::Key => "publickey,keyboard-interactive",
    };
    format!(
        "# Written by pam-otp setup sshd. pam-otp setup sshd --undo takes it away again.\n\
         UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
         AuthenticationMethods {methods}\n"
    )
}

/// Has sshd look at the lines, before they are where they count.
pub(crate) fn check(lines: &str, scratch: &Path) -> Result<(), SetupError> {
    let path = scratch.join(".sshd.check");
    files::write(&path, format!("{lines}Include {MAIN}\n").as_bytes())?;
    let checked = run(command(program()?).args(["-t", "-f"]).arg(&path));
    files::remove(&path)?;
    checked.map(drop)
}

/// Has a running sshd read its configuration again; connections stay. Whether one
/// was found.
pub(crate) fn reload() -> Result<bool, SetupError> {
    run(command(program()?).arg("-t"))?;
    if Path::new("/run/systemd/system").is_dir() {
        for unit in ["ssh.service", "sshd.service"] {
            let active = ["is-active", "--quiet", unit];
            if run(command("systemctl").args(active)).is_ok() {
                return run(command("systemctl").args(["reload", unit])).map(|_| true);
            }
        }
    }
    let Some(pid) = running()? else {
        return Ok(false);
    };
    let failed = |errno: nix::Error| SetupError::file(PathBuf::from("sshd"))(errno.into());
    kill(pid, Signal::SIGHUP).map_err(failed)?;
    Ok(true)
}

/// The server, by its file of the process number.
fn running() -> Result<Option<Pid>, SetupError> {
    let settings = settings("root")?;
    let text = fs::read_to_string(settings.pid_file).unwrap_or_default();
    let Ok(number) = text.trim().parse::<i32>() else {
        return Ok(None);
    };
    // A number that is left from before a reboot may be another program's by now.
    let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
    Ok((number > 1 && name.trim().starts_with("sshd")).then(|| Pid::from_raw(number)))
}

fn program() -> Result<&'static str, SetupError> {
    sshd::program().ok_or_else(|| bad(&Unasked::NotInstalled))
}

/// A program of the system's, whatever the caller's environment says.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    // Who came to be root by su may have a PATH of their user's.
    command.env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// What a program prints; what it says if it fails.
fn run(command: &mut Command) -> Result<String, SetupError> {
    sshd::run(command).map_err(|it| bad(&it))
}

fn bad(unasked: &Unasked) -> SetupError {
    let hint = match unasked {
        Unasked::NotInstalled => "nothing was changed; install it first".to_owned(),
        Unasked::NotStarted(name, _) | Unasked::Refuses(name, _) => {
            format!("nothing was changed; see what `{name} -t` says")
        }
    };
    SetupError::Sshd {
        what: unasked.to_string(),
        hint,
    }
}
