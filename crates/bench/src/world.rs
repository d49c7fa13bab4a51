//! Who is enrolled where, and how what a login changed is put back.
//!
//! All modules are asked for the same: a time-based code of six digits, within one
//! step of now, that opens once; secrets in files of root's on one disk. All users
//! have the same secret, so one code is right for each of them.

use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pam_otp_testkit::{artifacts, authenticator};

use crate::application::Application;

/// Base32, and the same bytes in hexadecimal.
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const SECRET_HEX: &str = "48656c6c6f21deadbeef48656c6c6f21deadbeef";

/// In the user database (`scripts/bench.sh`), and enrolled nowhere.
const STRANGER: &str = "nobody";

/// Most that one file can be linked, on the file systems there are.
const LINKS: usize = 30_000;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Module {
    /// No check at all: what PAM itself costs.
    Permit,
    /// No check, and 4 KiB written durably: what no such module can be below.
    Floor,
    Ours,
    /// As its program writes files by default.
    Google,
    /// The same without its rate limit: wrong codes leave no trace.
    GoogleUnlimited,
    Oath,
}

impl Module {
    pub(crate) const ALL: [Self; 6] = [
        Self::Permit,
        Self::Floor,
        Self::Ours,
        Self::Google,
        Self::GoogleUnlimited,
        Self::Oath,
    ];

    /// Those that look at codes.
    pub(crate) const CHECKING: [Self; 4] =
        [Self::Ours, Self::Google, Self::GoogleUnlimited, Self::Oath];

    pub(crate) const PEERS: [Self; 3] = [Self::Google, Self::GoogleUnlimited, Self::Oath];

    /// For people, and in the JSON report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Permit => "pam_permit",
            Self::Floor => "floor",
            Self::Ours => "pam_otp",
            Self::Google => "google",
            Self::GoogleUnlimited => "google-no-limit",
            Self::Oath => "oath",
        }
    }

    fn service(self) -> &'static str {
        match self {
            Self::Floor => Self::Permit.name(),
            other => other.name(),
        }
    }
}

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Case {
    Right,
    /// The same order again. Follows [`Case::Right`], with nothing put back.
    Used,
    Wrong,
    /// By a user without a record.
    Unenrolled,
}

impl Case {
    pub(crate) const ALL: [Self; 4] = [Self::Right, Self::Used, Self::Wrong, Self::Unenrolled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Used => "used",
            Self::Wrong => "wrong",
            Self::Unenrolled => "unenrolled",
        }
    }
}

/// The directory of the measurement.
pub(crate) struct World {
    directory: PathBuf,
    peers: PathBuf,
    application: PathBuf,
}

impl World {
    /// With one user enrolled.
    pub(crate) fn new(directory: &Path, peers: &Path, application: &Path) -> Self {
        let world = Self {
            directory: directory.to_owned(),
            peers: peers.to_owned(),
            application: application.to_owned(),
        };
        for name in ["stacks", "records", "pristine"] {
            fs::create_dir_all(world.path(name)).expect("make a directory");
        }
        fs::write(world.pristine(Module::Floor), [0; 4096]).expect("write a file");
        copy(
            &world.pristine(Module::Floor),
            &world.changed(Module::Floor, 0),
        );
        for module in Module::ALL
            .into_iter()
            .filter(|module| *module != Module::Floor)
        {
            let line = format!("auth required {}\n", world.line(module));
            fs::write(world.path("stacks").join(module.service()), line).expect("write a stack");
        }
        // libpam looks for it, and logs that it is not there.
        fs::write(world.path("stacks/other"), "auth required pam_deny.so\n")
            .expect("write a stack");
        let policy = format!(
            "store = \"system\"\nsystem_store = \"{}\"\n",
            world.path("records").display()
        );
        fs::write(world.path("policy.toml"), policy).expect("write the policy");
        fs::write(world.path("pristine/token.toml"), token_file()).expect("write a token file");
        for (module, limit) in [
            (Module::Google, "\" RATE_LIMIT 3 30\n"),
            (Module::GoogleUnlimited, ""),
        ] {
            fs::create_dir_all(world.path(module.name())).expect("make a directory");
            let text = format!(
                "{SECRET}\n{limit}\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n\
                 11111111\n22222222\n33333333\n44444444\n55555555\n"
            );
            fs::write(world.pristine(module), text).expect("write a secret file");
        }
        world.enrol(1);
        // A login without a code makes the state, as the first one does.
        world
            .start()
            .login(&format!("login {} u0 none", Module::Ours.name()));
        copy(
            &world.path("records/u0/state"),
            &world.pristine(Module::Ours),
        );
        world
    }

    /// Enrols users `u0` to `u<count - 1>` everywhere, if they are not yet.
    pub(crate) fn enrol(&self, count: usize) {
        let mut lines = String::new();
        for number in 0..count {
            let _ = writeln!(lines, "HOTP/T30/6 u{number} - {SECRET_HEX}");
            self.enrol_user(number);
        }
        fs::write(self.pristine(Module::Oath), lines).expect("write a users file");
        self.start().restore(&self.put_back(Module::Oath, 1));
    }

    fn enrol_user(&self, number: usize) {
        let record = self.path(&format!("records/u{number}"));
        if record.exists() {
            return;
        }
        let mut private = fs::DirBuilder::new();
        private.mode(0o700).create(&record).expect("make a record");
        // Thousands of files take long to write. Those who log in need their own.
        let first = number / LINKS * LINKS;
        let linked = number >= CROWD && number != first;
        let enrol = |file: &str, pristine: &Path| {
            let path = self.path(&file.replace('#', &number.to_string()));
            if linked {
                let first = self.path(&file.replace('#', &first.to_string()));
                fs::hard_link(first, path).expect("link a file");
            } else {
                copy(pristine, &path);
            }
        };
        enrol("records/u#/token.toml", &self.path("pristine/token.toml"));
        for module in [Module::Google, Module::GoogleUnlimited] {
            enrol(&format!("{}/u#", module.name()), &self.pristine(module));
        }
    }

    /// The application, started.
    pub(crate) fn start(&self) -> Application {
        Application::start(&self.application, &self.path("stacks"))
    }

    /// The program and its argument.
    pub(crate) fn program(&self) -> [PathBuf; 2] {
        [self.application.clone(), self.path("stacks")]
    }

    /// The module's file.
    pub(crate) fn file(&self, module: Module) -> PathBuf {
        let system = || self.peers.join(format!("{}.so", Module::Permit.name()));
        match module {
            Module::Permit | Module::Floor => system(),
            Module::Ours => artifacts::module(),
            Module::Google | Module::GoogleUnlimited => {
                self.peers.join("pam_google_authenticator.so")
            }
            Module::Oath => self.peers.join("pam_oath.so"),
        }
    }

    /// The order for one login of the first user.
    pub(crate) fn login(&self, module: Module, case: Case) -> String {
        match case {
            Case::Right | Case::Used => self.login_of(module, "u0", &right()),
            Case::Wrong => self.login_of(module, "u0", &wrong()),
            Case::Unenrolled => self.login_of(module, STRANGER, &right()),
        }
    }

    /// The order for one login.
    pub(crate) fn login_of(&self, module: Module, user: &str, code: &str) -> String {
        let service = module.service();
        match module {
            Module::Floor => {
                let floor = self.changed(module, 0);
                format!("login {service} {user} {code} {}", floor.display())
            }
            _ => format!("login {service} {user} {code}"),
        }
    }

    /// The orders that put back what logins of the first `users` have changed.
    pub(crate) fn put_back(&self, module: Module, users: usize) -> Vec<String> {
        let files: Vec<PathBuf> = match module {
            Module::Permit => Vec::new(),
            Module::Floor | Module::Oath => vec![self.changed(module, 0)],
            _ => (0..users)
                .map(|number| self.changed(module, number))
                .collect(),
        };
        let from = self.pristine(module);
        let order = |to: PathBuf| format!("restore {} {}", from.display(), to.display());
        files.into_iter().map(order).collect()
    }

    /// What a user's login changes.
    fn changed(&self, module: Module, number: usize) -> PathBuf {
        match module {
            Module::Ours => self.path(&format!("records/u{number}/state")),
            Module::Oath => self.path("users.oath"),
            Module::Floor => self.path("floor"),
            _ => self.path(&format!("{}/u{number}", module.name())),
        }
    }

    fn line(&self, module: Module) -> String {
        let file = self.file(module);
        let (file, directory) = (file.display(), self.directory.display());
        match module {
            Module::Permit | Module::Floor => format!("{file}"),
            Module::Ours => format!("{file} policy={directory}/policy.toml"),
            Module::Google | Module::GoogleUnlimited => {
                format!(
                    "{file} secret={directory}/{}/${{USER}} user=root",
                    module.name()
                )
            }
            Module::Oath => format!("{file} usersfile={directory}/users.oath window=1"),
        }
    }

    fn pristine(&self, module: Module) -> PathBuf {
        self.path("pristine").join(module.name())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Most users who log in at once: they are in the user database.
pub(crate) const CROWD: usize = 64;

/// The code of now.
pub(crate) fn right() -> String {
    authenticator::code(SECRET, authenticator::now())
}

fn wrong() -> String {
    let right: u32 = right().parse().expect("digits");
    format!("{:06}", (right + 1) % 1_000_000)
}

/// As `pam-otp enroll` writes it.
fn token_file() -> String {
    let mut text = format!(
        "version = 1\n\n[[token]]\nname = \"phone\"\ntype = \"totp\"\nsecret = \"{SECRET}\"\n\
         algorithm = \"SHA1\"\ndigits = 6\nperiod = 30\n\n[recovery]\nsalt = \"{:032}\"\nhashes = [\n",
        0
    );
    for number in 0..10 {
        let _ = writeln!(text, "    \"{number:02}{:062}\",", 0);
    }
    text.push_str("]\n");
    text
}

/// With its time, which a state keeps a mark in.
fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).expect("close a file to others");
    let modified = fs::metadata(from).and_then(|metadata| metadata.modified());
    let file = File::options().write(true).open(to).expect("open a copy");
    file.set_modified(modified.expect("a time"))
        .expect("set a time");
}
