//! A real OpenSSH server and its clients, in a sandbox.

use crate::process::{Guard, descendants, poll_until, signal};
use crate::pty::Pty;
use crate::sandbox::{Sandbox, run};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A server on a port of its own on 127.0.0.1, ended on drop with all logins
/// that came through it.
#[derive(Debug)]
pub struct Sshd<'sandbox> {
    sandbox: &'sandbox Sandbox,
    process: Guard,
    port: u16,
    log: PathBuf,
}

impl<'sandbox> Sshd<'sandbox> {
    /// Starts a server whose PAM service is `service`. Lines of `config` win
    /// over the kit's own; it may end in `Match` blocks.
    #[must_use]
    pub fn start(sandbox: &'sandbox Sandbox, service: &str, config: &str) -> Self {
        let program = program(sandbox, service);
        let host_key = sandbox.own().join(format!("{service}.key"));
        run(sandbox.command("rm").arg("-f").arg(&host_key), "");
        keygen(sandbox, &host_key);
        // Between finding a free port and using it another process may take
        // it; then the server ends at once, and there are other ports.
        (0..5)
            .find_map(|_| Self::try_start(sandbox, &program, service, config, &host_key))
            .unwrap_or_else(|| panic!("sshd does not start: {}", log(sandbox, service)))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server itself logged (it logs to a file, not to syslog).
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.sandbox.read(&self.log)).into_owned()
    }

    /// A client about to log in as `user`.
    #[must_use]
    pub fn client<'server>(&'server self, user: &str) -> Client<'server> {
        Client {
            server: self,
            user: user.to_owned(),
            methods: "keyboard-interactive".to_owned(),
            prompts: 1,
            identity: None,
            remote_command: "echo in-as $(id -un)".to_owned(),
        }
    }

    /// The client on a terminal, with all defaults: keyboard-interactive,
    /// one try, and `in-as USER` printed once inside.
    #[must_use]
    pub fn ssh(&self, user: &str) -> Pty {
        self.client(user).spawn()
    }

    fn try_start(
        sandbox: &'sandbox Sandbox,
        program: &Program,
        service: &str,
        config: &str,
        host_key: &Path,
    ) -> Option<Self> {
        let port = free_port();
        let own = sandbox.own();
        let config_file = own.join(format!("{service}.conf"));
        let (log, pid_file) = (
            own.join(format!("{service}.log")),
            own.join(format!("{service}.pid")),
        );
        // sshd takes the first of two values, and a Match runs to the end.
        let matches_from = if config.starts_with("Match ") {
            Some(0)
        } else {
            config.find("\nMatch ")
        };
        let (config, matches) = config.split_at(matches_from.unwrap_or(config.len()));
        let config = format!(
            "{config}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile {}\nUsePAM yes\n\
             UseDNS no\nPermitRootLogin no\nKbdInteractiveAuthentication yes\n\
             PasswordAuthentication no\nPrintMotd no\nMaxStartups 100\nLogLevel VERBOSE\n{}\n{matches}\n",
            host_key.display(),
            pid_file.display(),
            program.config,
        );
        sandbox.write(&config_file, config, 0o600);
        let mut command = sandbox.command(&program.path);
        command
            .args(["-D", "-E"])
            .arg(&log)
            .arg("-f")
            .arg(&config_file);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Guard(command.spawn().expect("start sshd"));
        let mut server = Self {
            sandbox,
            process,
            port,
            log,
        };
        server.answers().then_some(server)
    }

    fn answers(&mut self) -> bool {
        let mut ended = false;
        let up = poll_until(TIMEOUT, || {
            ended = self.process.try_wait().expect("wait for sshd").is_some();
            ended || greets(self.port)
        });
        up && !ended
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        // Each login is in a session of its own, so no group holds them all.
        // Stopped first, the server starts no more while they are counted.
        let server = self.process.id();
        signal(server, libc::SIGSTOP);
        descendants(server)
            .into_iter()
            .for_each(|pid| signal(pid, libc::SIGKILL));
    }
}

/// A login by the OpenSSH client.
#[derive(Debug)]
pub struct Client<'server> {
    server: &'server Sshd<'server>,
    user: String,
    methods: String,
    prompts: u32,
    identity: Option<PathBuf>,
    remote_command: String,
}

impl Client<'_> {
    /// `PreferredAuthentications`, such as `publickey,keyboard-interactive`.
    #[must_use]
    pub fn methods(mut self, methods: &str) -> Self {
        methods.clone_into(&mut self.methods);
        self
    }

    /// `NumberOfPasswordPrompts`: how often a person tries.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.prompts = tries;
        self
    }

    /// The private key (a path inside) to log in with; see [`new_identity`].
    #[must_use]
    pub fn identity(mut self, path: &Path) -> Self {
        self.identity = Some(path.to_owned());
        self
    }

    /// What runs once inside. Empty: a shell.
    #[must_use]
    pub fn remote_command(mut self, command: &str) -> Self {
        command.clone_into(&mut self.remote_command);
        self
    }

    /// Starts the client on a terminal.
    #[must_use]
    pub fn spawn(self) -> Pty {
        Pty::spawn(self.command())
    }

    /// The command line of the client, to be started by the test.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = self.server.sandbox.command("ssh");
        // No configuration and no agent of whoever runs the test.
        command.args([
            "-F",
            "none",
            "-o",
            "IdentityAgent=none",
            "-o",
            "LogLevel=ERROR",
        ]);
        command.args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ]);
        command.args(["-o", &format!("PreferredAuthentications={}", self.methods)]);
        command.args(["-o", &format!("NumberOfPasswordPrompts={}", self.prompts)]);
        match &self.identity {
            Some(path) => command.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(path),
            None => command.args(["-o", "PubkeyAuthentication=no"]),
        };
        command.args(["-p", &self.server.port.to_string()]);
        command.arg(format!("{}@127.0.0.1", self.user));
        if !self.remote_command.is_empty() {
            command.arg(&self.remote_command);
        }
        command
    }
}

/// Makes a key pair and lets it log in as `user`; returns the private key's
/// path inside.
#[must_use]
pub fn new_identity(sandbox: &Sandbox, user: &str) -> PathBuf {
    let key = sandbox.own().join(format!("{user}.id"));
    keygen(sandbox, &key);
    let public = sandbox.read(key.with_extension("id.pub"));
    let directory = format!("/home/{user}/.ssh");
    sandbox.write(format!("{directory}/authorized_keys"), public, 0o600);
    run(
        sandbox
            .command("chown")
            .args(["-R", &format!("{user}:"), &directory]),
        "",
    );
    key
}

struct Program {
    path: PathBuf,
    config: String,
}

/// The server under the name of its PAM service. Up to 9.7 the service is
/// the program's name; since then it is an option, and a server that blocks
/// an address after failures must not.
fn program(sandbox: &Sandbox, service: &str) -> Program {
    let test = sandbox.own().join("sshd-options.conf");
    sandbox.write(&test, "PAMServiceName sshd\n", 0o600);
    let host_key = sandbox.own().join("sshd-options.key");
    run(sandbox.command("rm").arg("-f").arg(&host_key), "");
    keygen(sandbox, &host_key);
    let output = sandbox
        .command("/usr/sbin/sshd")
        .args(["-t", "-f"])
        .arg(&test)
        .arg("-h")
        .arg(&host_key)
        .output()
        .expect("start sshd (package openssh-server)");
    if output.status.success() {
        let config = format!("PAMServiceName {service}\nPerSourcePenalties no\n");
        return Program {
            path: "/usr/sbin/sshd".into(),
            config,
        };
    }
    let path = sandbox.own().join(service);
    run(
        sandbox
            .command("ln")
            .args(["-sfn", "/usr/sbin/sshd"])
            .arg(&path),
        "",
    );
    Program {
        path,
        config: String::new(),
    }
}

fn keygen(sandbox: &Sandbox, path: &Path) {
    run(
        sandbox
            .command("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path),
        "",
    );
}

fn log(sandbox: &Sandbox, service: &str) -> String {
    let path = sandbox.own().join(format!("{service}.log"));
    String::from_utf8_lossy(&sandbox.read(path)).into_owned()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn greets(port: u16) -> bool {
    let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut greeting = [0; 4];
    connection.set_read_timeout(Some(TIMEOUT)).is_ok()
        && connection.read_exact(&mut greeting).is_ok()
        && &greeting == b"SSH-"
}
