//! sshd's own settings: as it tells them, and where ours go.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Its PAM service.
pub(crate) const SERVICE: &str = "sshd";
/// The main file.
pub(crate) const MAIN: &str = "/etc/ssh/sshd_config";
/// Ours, among those that the main file includes. Of two values sshd takes the first
/// that it reads: this comes before what distributions put there, which are 40 and
/// above for all that we set, and leaves 00 to 09 to the administrator.
pub(crate) const DROP_IN: &str = "/etc/ssh/sshd_config.d/10-pam-otp.conf";

const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// Values of `PermitRootLogin` by which a password and a code let no root in.
const ROOT_WITHOUT_PASSWORD: [&str; 4] = [
    "no",
    "without-password",
    "prohibit-password",
    "forced-commands-only",
];

/// What sshd does, as far as codes care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "sshd's own settings are such"
)]
pub(crate) struct Settings {
    pub(crate) use_pam: bool,
    pub(crate) keyboard_interactive: bool,
    pub(crate) password: bool,
    pub(crate) key: bool,
    /// Each inner list: methods that must all succeed. Empty: any one does.
    pub(crate) methods: Vec<Vec<String>>,
    pub(crate) permit_root: String,
    /// The PAM service that it asks, if it says so: OpenSSH 9.8 and newer do.
    pub(crate) service: Option<String>,
    /// Where the server that runs has its process number.
    pub(crate) pid_file: PathBuf,
}

impl Settings {
    /// Those that count for a login of this user from an address of nobody's; without
    /// one, those outside all Match blocks.
    pub(crate) fn of(user: Option<&str>) -> Result<Self, Unasked> {
        let program = program().ok_or(Unasked::NotInstalled)?;
        let mut command = Command::new(program);
        command.arg("-T").env_clear();
        if let Some(user) = user {
            // Match blocks count for whom they match; it may be on anything.
            let from = "host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22";
            command.args(["-C", &format!("user={user},{from}")]);
        }
        run(&mut command).map(|said| Self::parse(&said))
    }

    /// Reads the output of `sshd -T`: a keyword in lower case and its value.
    pub(crate) fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let value = value.trim();
            let yes = value == "yes";
            match key.to_ascii_lowercase().as_str() {
                "usepam" => settings.use_pam = yes,
                // Before OpenSSH 8.7 it had another name.
                "kbdinteractiveauthentication" | "challengeresponseauthentication" => {
                    settings.keyboard_interactive |= yes;
                }
                "passwordauthentication" => settings.password = yes,
                "pubkeyauthentication" => settings.key = yes,
                "pamservicename" => settings.service = Some(value.to_owned()),
                "permitrootlogin" => value.clone_into(&mut settings.permit_root),
                "pidfile" => settings.pid_file = value.into(),
                "authenticationmethods" if value != "any" => {
                    let lists = value.split_whitespace();
                    settings.methods = lists
                        .map(|list| list.split(',').map(str::to_owned).collect())
                        .collect();
                }
                _ => {}
            }
        }
        settings
    }

    /// Whether root is let in by a key at most.
    pub(crate) fn refuses_root(&self) -> bool {
        ROOT_WITHOUT_PASSWORD.contains(&self.permit_root.as_str())
    }
}

/// The method of an entry such as `keyboard-interactive:pam`.
pub(crate) fn method(entry: &str) -> &str {
    entry.split(':').next().unwrap_or(entry)
}

/// Why sshd says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// There is no sshd on this machine.
    NotInstalled,
    /// It cannot be started: program and reason.
    NotStarted(String, String),
    /// It fails: program and the first line that it says.
    Refuses(String, String),
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("there is no sshd on this machine"),
            Self::NotStarted(program, why) => write!(f, "{program} cannot be asked: {why}"),
            Self::Refuses(program, said) => write!(f, "{program}: {said}"),
        }
    }
}

/// sshd's own program.
pub(crate) fn program() -> Option<&'static str> {
    let mut there = PROGRAMS.into_iter();
    there.find(|path| Path::new(path).is_file())
}

/// What a program prints. It gets nothing to read.
pub(crate) fn run(command: &mut Command) -> Result<String, Unasked> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => return Err(Unasked::NotStarted(name, error.to_string())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("no reason given");
    Err(Unasked::Refuses(name, line.to_owned()))
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

/// How the administrator has a running server read its settings again.
pub(crate) fn how_to_reload() -> &'static str {
    if Path::new("/lib/systemd/system/ssh.service").exists() {
        "sshd -t && systemctl reload ssh"
    } else {
        "sshd -t && systemctl reload sshd"
    }
}
