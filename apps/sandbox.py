"""The sandbox from inside: its users, their records, PAM's files and the log.

Everything here may be changed; see enter.sh. A program that was started ends with
the sandbox, which is a PID namespace.
"""

import json
import os
import pathlib
import pwd
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from apps.person import Phone

OWN = pathlib.Path("/run/pam-otp-test")
TREE, TOOLS = OWN / "tree", OWN / "tools"
MODULE, COMMAND = OWN / "pam_otp.so", OWN / "pam-otp"
POLICY = "/etc/security/pam_otp.toml"
SOON = 30


class Sandbox:
    def __init__(self):
        # Copied: who runs PAM without rights may not get into the tree.
        shutil.copyfile(OWN / "built/libpam_otp.so", MODULE)
        shutil.copyfile(OWN / "built/pam-otp", COMMAND)
        MODULE.chmod(0o644)
        COMMAND.chmod(0o755)
        self._log = Log()

    # --- Files and users

    def write(self, path, text, mode=0o644):
        """Writes a file of root's, and the directories above it."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def stack(self, service, example, change=lambda text: text):
        """Puts a stack of pam.d-examples into force, with the place of our module."""
        text = change((TREE / "pam.d-examples" / example).read_text(encoding="utf-8"))
        rules = re.sub(r"(?m)^([^#].*)\bpam_otp\.so\b", rf"\1{MODULE}", text)
        self.write(f"/etc/pam.d/{service}", rules)

    def add_user(self, name, password):
        self.run("useradd", "--create-home", "--shell", "/bin/sh", name)
        self.run("chpasswd", given=f"{name}:{password}\n")

    def enrol(self, user, application):
        """A record for the user, made by who owns the store; the user's phone."""
        begun = self.pam_otp(application, "enroll", "--user", user)
        phone = Phone(begun["token"]["key"])
        # The code of a moment ago: the present one is for the login.
        done = self.pam_otp(application, "confirm", "--user", user, given=phone.earlier())
        phone.recovery = done["recovery_codes"]
        return phone

    def pam_otp(self, application, *arguments, given=""):
        """What the command answers to who makes the application's records."""
        line = [COMMAND, "--json", "--service", application.service, *arguments]
        return json.loads(self.run(*line, given=given, user=application.enrolled_by))

    # --- Programs

    def run(self, *line, given="", user="root"):
        """Runs a command to its end; what it printed."""
        ran = subprocess.run(
            as_user(user, line), input=given, capture_output=True, text=True, timeout=SOON
        )
        if ran.returncode != 0:
            raise RuntimeError(f"{line}: {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def start(self, *line, user="root", **environment):
        """Starts a daemon, which ends with the sandbox; what it prints is kept."""
        print("+", *line, file=sys.stderr, flush=True)
        return subprocess.Popen(
            as_user(user, line),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            env=os.environ | environment,
            start_new_session=True,
        )

    # --- The log

    def reasons(self):
        """The module's words since the last call, the last one last."""
        lines = [line for line in self._log.take() if "pam_otp(" in line]
        return [re.search(r"\breason=(\S+)", line)[1] for line in lines]


class Log:
    """The system's log: /dev/log, read at once, since who logs waits otherwise."""

    PATH = "/dev/log"

    def __init__(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.PATH)
        os.chmod(self.PATH, 0o666)
        self._lines = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            line = self._socket.recv(1 << 16).decode(errors="replace")
            print("log:", line, file=sys.stderr, flush=True)
            self._lines.put(line)

    def take(self):
        """Lines since the last call."""
        # Behind all that was logged before.
        mark = f"mark {time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark.encode(), self.PATH)
        return list(iter(lambda: self._lines.get(timeout=SOON), mark))


def as_user(user, line):
    """The command line that runs another as a user, without PAM."""
    line = [str(word) for word in line]
    if user == "root":
        return line
    entry = pwd.getpwnam(user)
    change = ["setpriv", "--reuid", user, f"--regid={entry.pw_gid}", "--init-groups", "--"]
    return [*change, "env", f"HOME={entry.pw_dir}", f"USER={user}", f"LOGNAME={user}", *line]


def wait_until(what, happens):
    """Waits until a call returns something true, and returns that."""
    end = time.monotonic() + SOON
    while True:
        if result := happens():
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"{what} does not come")
        time.sleep(0.05)


def wait_for_port(port):
    """Waits until somebody listens on a port of 127.0.0.1."""

    def answers():
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    wait_until(f"port {port}", answers)
