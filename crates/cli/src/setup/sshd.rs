//! What sshd is set to, and what it must be set to.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::SetupError;
use super::files;
use super::placing::First;

/// The service's name.
pub(crate) const SERVICE: &str = "sshd";
/// The main file.
const MAIN: &str = "/etc/ssh/sshd_config";
/// Ours, among those that it includes.
pub(crate) const DROP_IN: &str = "/etc/ssh/sshd_config.d/10-pam-otp.conf";

/// What `sshd -T` says: keys in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Those that count for a login of this user, from an address of nobody's.
    pub(crate) fn of(user: &str) -> Result<Self, SetupError> {
        let connection =
            format!("user={user},host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22");
        let said = run(command(program()).args(["-T", "-C", &connection]))?;
        let lines = said.lines().filter_map(|line| line.split_once(' '));
        let pairs = lines.map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()));
        Ok(Self(pairs.collect()))
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Which keys are not as they must be.
    pub(crate) fn lacks(&self, first: First) -> Vec<&'static str> {
        let mut lacks = Vec::new();
        let is_on = |key| self.get(key) == "yes";
        if !is_on("usepam") {
            lacks.push("UsePAM");
        }
        // Before OpenSSH 8.7 it had another name.
        if !is_on("kbdinteractiveauthentication") && !is_on("challengeresponseauthentication") {
            lacks.push("KbdInteractiveAuthentication");
        }
        if self.get("passwordauthentication") != "no" {
            lacks.push("PasswordAuthentication");
        }
        let mut methods = self.get("authenticationmethods").split(' ');
        let fits = |methods: &str| {
            let methods = methods
                .split(',')
                .map(|it| it.split(':').next().unwrap_or(it));
            let methods = methods.collect::<Vec<_>>();
            methods.contains(&"keyboard-interactive")
                && (first == First::Password || methods.contains(&"publickey"))
        };
        if !methods.all(fits) {
            lacks.push("AuthenticationMethods");
        }
        lacks
    }

    /// Whether root is refused whatever is typed.
    pub(crate) fn refuses_root(&self) -> bool {
        let value = self.get("permitrootlogin");
        [
            "no",
            "prohibit-password",
            "without-password",
            "forced-commands-only",
        ]
        .contains(&value)
    }
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

/// Whether the main file includes the drop-in file.
pub(crate) fn includes_drop_in() -> bool {
    let text = fs::read(MAIN).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().any(|line| {
        let mut words = line
            .split([' ', '\t', '=', '"'])
            .filter(|it| !it.is_empty());
        let includes = words
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case("include"));
        let directory = [
            "/etc/ssh/sshd_config.d/*.conf",
            "sshd_config.d/*.conf",
            DROP_IN,
        ];
        includes && words.any(|it| directory.contains(&it))
    })
}

/// Has sshd look at the lines, before they are where they count.
pub(crate) fn check(lines: &str, scratch: &Path) -> Result<(), SetupError> {
    let path = scratch.join(".sshd.check");
    files::write(&path, format!("{lines}Include {MAIN}\n").as_bytes())?;
    let checked = run(command(program()).args(["-t", "-f"]).arg(&path));
    files::remove(&path)?;
    checked.map(drop)
}

/// Has a running sshd read its configuration again; connections stay. Whether one
/// was found.
pub(crate) fn reload() -> Result<bool, SetupError> {
    run(command(program()).arg("-t"))?;
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
    let settings = Settings::of("root")?;
    let text = fs::read_to_string(settings.get("pidfile")).unwrap_or_default();
    let Ok(number) = text.trim().parse::<i32>() else {
        return Ok(None);
    };
    // A number that is left from before a reboot may be another program's by now.
    let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
    Ok((number > 1 && name.trim().starts_with("sshd")).then(|| Pid::from_raw(number)))
}

/// How the administrator does it.
pub(crate) fn how_to_reload() -> &'static str {
    if Path::new("/lib/systemd/system/ssh.service").exists() {
        "sshd -t && systemctl reload ssh"
    } else {
        "sshd -t && systemctl reload sshd"
    }
}

fn program() -> PathBuf {
    let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];
    let found = places.into_iter().find(|path| Path::new(path).is_file());
    found.unwrap_or("sshd").into()
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
    let name = command.get_program().to_string_lossy().into_owned();
    let bad = |what: String| SetupError::Sshd {
        what,
        hint: format!("nothing was changed; see what `{name} -t` says"),
    };
    command.stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| bad(format!("{name}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it fails").to_owned();
    Err(bad(format!("{name}: {said}")))
}
