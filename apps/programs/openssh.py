"""sshd of OpenSSH, with its own client and with a library's."""

import asyncio
import pathlib
import subprocess

import asyncssh

from apps.application import Application, Seen
from apps.cases import ALLOW, ENROLL, NO_DIALOGUE, WRONG_PASSWORD, Expected
from apps.sandbox import wait_for_port
from apps.terminal import converse

PORT = 2222
HOST_KEY = "/run/sshd/host-key"
CONFIG = "/etc/ssh/sshd_config.d/10-pam-otp.conf"
KEY = "/root/key"


class OpenSsh(Application):
    """sshd with OpenSSH's client on a terminal."""

    package = "openssh-server"
    service = "sshd"
    methods = "keyboard-interactive"

    def start(self, box):
        self.box = box
        box.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY)
        own = f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {HOST_KEY}\nPidFile none\nUseDNS no\n"
        box.write("/run/sshd/config", f"{own}PrintMotd no\nInclude {CONFIG}\n")
        box.start("/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd/config")
        wait_for_port(PORT)

    def equip(self, person):
        """What a user's account needs for a login."""

    def log_in(self, person):
        self.equip(person)
        line = ["ssh", "-F", "none", "-p", PORT, "-o", "StrictHostKeyChecking=no"]
        line += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        line += ["-o", "NumberOfPasswordPrompts=1", "-i", KEY, "-o", "IdentitiesOnly=yes"]
        line += ["-o", f"PreferredAuthentications={self.methods}"]
        line += [f"{person.name}@127.0.0.1", "echo in as $(id -un)"]
        return converse(line, person, f"in as {person.name}", "Permission denied[^\n]*")


class LibraryClient:
    """The same server with asyncssh, a library, in the place of the client."""

    def log_in(self, person):
        self.equip(person)
        return asyncio.run(asyncio.wait_for(self._connect(person), 60))

    async def _connect(self, person):
        client = Client(person)
        options = asyncssh.SSHClientConnectionOptions(
            known_hosts=None,
            username=person.name,
            client_keys=[KEY] if pathlib.Path(KEY).exists() else None,
            agent_path=None,
            config=None,
            preferred_auth=self.methods,
            client_factory=lambda: client,
        )
        try:
            connection = await asyncssh.connect("127.0.0.1", PORT, options=options)
        except asyncssh.PermissionDenied as refused:
            return Seen(False, client.asked, refused.reason)
        async with connection:
            ran = await connection.run("id -un", check=True)
        return Seen(ran.stdout.strip() == person.name, client.asked)


class Client(asyncssh.SSHClient):
    """Answers by the person. Each method once: it would try for ever."""

    def __init__(self, person):
        self.person = person
        self.asked = []
        self.passwords = 0
        self.logins = 0

    def password_auth_requested(self):
        self.passwords += 1
        return self.person.field if self.passwords == 1 else None

    def kbdint_auth_requested(self):
        self.logins += 1
        return "" if self.logins == 1 else None

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        answers = []
        for question, _ in prompts:
            shown = f"{instructions}\n{question}"
            self.asked.append(question.strip("\n").rpartition("\n")[2].rstrip())
            answers.append(self.person.answer(shown))
        return answers


class Password(OpenSsh):
    title = "OpenSSH: password and code"
    stack = "sshd-password-and-code"
    settings = {
        CONFIG: "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
        "AuthenticationMethods keyboard-interactive\n"
    }


class PasswordByLibrary(LibraryClient, Password):
    title = "OpenSSH: password and code, asyncssh as client"


class Key(OpenSsh):
    title = "OpenSSH: key and code"
    stack = "sshd-key-and-code"
    methods = "publickey,keyboard-interactive"
    settings = {
        CONFIG: "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
        "AuthenticationMethods publickey,keyboard-interactive\n"
    }
    expected = {
        WRONG_PASSWORD: Expected(False, None, "here: the wrong key; PAM is not asked"),
        ALLOW: Expected(
            False,
            "unenrolled",
            "nothing else in the stack decides; add `auth required pam_permit.so` after the line",
        ),
    }

    def equip(self, person):
        # In the place of a wrong password: a key that is not the user's.
        own = person.password == "correct horse"
        keys = pathlib.Path(f"/home/{person.name}/.ssh/authorized_keys")
        pathlib.Path(KEY).unlink(missing_ok=True)
        self.box.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)
        self.box.write(keys, pathlib.Path(f"{KEY}.pub").read_text() if own else "")
        self.box.run("chown", "-R", person.name, keys.parent)


class KeyByLibrary(LibraryClient, Key):
    title = "OpenSSH: key and code, asyncssh as client"


class OneField(OpenSsh):
    title = "OpenSSH: one field"
    stack = "sshd-one-field"
    one_field = True
    methods = "password"
    settings = {CONFIG: "UsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n"}
    expected = {ENROLL: NO_DIALOGUE}


class OneFieldByLibrary(LibraryClient, OneField):
    title = "OpenSSH: one field, asyncssh as client"


APPLICATIONS = (Password, PasswordByLibrary, Key, KeyByLibrary, OneField, OneFieldByLibrary)
