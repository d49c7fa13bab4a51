"""A host with Cockpit and the page, its users, and a browser to sit down at."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import sys

from apps.browser import Browser
from apps.cases import PASSWORD
from apps.programs.cockpit import ADDRESS, Cockpit
from apps.sandbox import COMMAND, MODULE, OWN, POLICY, Sandbox
from cockpit.check.phone import Phone
from cockpit.check.seat import Seat

SCREENS = OWN / "results"
WIDE = {"viewport": {"width": 1280, "height": 1000}}
INSTALLED = "/usr/local/bin/pam-otp"
ARGUMENTS = OWN / "arguments"
# Notes what it was started with: no code may ever be among that.
NOTING = f"""#!/bin/sh
echo "$*" >>{ARGUMENTS}
exec {COMMAND} "$@"
"""


class Desk:
    def __init__(self, box: Sandbox):
        self.box = box
        self._seats: list[Seat] = []
        self.policy("")
        self._install()
        box.stack("cockpit", "cockpit")
        # Administrative access asks for the password alone; a test may change that.
        box.write("/etc/pam.d/sudo", "auth required pam_unix.so\naccount required pam_unix.so\n")
        box.write("/etc/sudoers.d/check", "%sudo ALL=(ALL) ALL\n", 0o440)
        self.call_host("host")
        cockpit = Cockpit()
        box.write("/etc/cockpit/cockpit.conf", cockpit.settings["/etc/cockpit/cockpit.conf"])
        cockpit.start(box)
        self._browser = Browser()

    def _install(self):
        """As `make install` does."""
        # The machine's own stays what it is.
        self.box.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/usr/local")
        self.box.write(INSTALLED, NOTING, 0o755)
        self.box.write(ARGUMENTS, "", 0o666)
        self.box.run("mkdir", "-p", "/usr/local/share/cockpit")
        self.box.run("cp", "-r", OWN / "page", "/usr/local/share/cockpit/pam-otp")

    def policy(self, rules):
        """The administrator's rules, besides those that each test needs."""
        # Tests are wrong on purpose, and who is enrolled by the page logs in before.
        self.box.write(POLICY, f'fail_delay = 0\nunenrolled = "allow"\n{rules}')

    def call_host(self, name):
        self.box.run("hostname", name)
        # sudo looks for it.
        self.box.write("/etc/hosts", f"127.0.0.1 localhost {name}\n")

    # --- Users

    def add_user(self, name, *groups):
        self.box.add_user(name, PASSWORD)
        for group in groups:
            self.box.run("usermod", "--append", "--groups", group, name)
        return name

    def administrator(self, name, **settings):
        """An administrator, new to this host, in front of the second part of the page."""
        seat = self.sit_down(self.add_user(name, "sudo"), **(WIDE | settings)).arrive()
        seat.administer(("Password", PASSWORD))
        seat.administration()
        return seat

    def add_odd_user(self, name):
        """A user whose name useradd would not take, as directories and panels have."""
        home = "/home/odd"
        for file, line in {
            "passwd": f"{name}:x:60100:60100::{home}:/bin/sh",
            "group": f"{name}:x:60100:",
            "shadow": f"{name}:*:20000:0:99999:7:::",
        }.items():
            with open(f"/etc/{file}", "a", encoding="utf-8") as there:
                there.write(line + "\n")
        self.box.run("install", "-d", "-m", "700", "-o", "60100", "-g", "60100", home)
        self.box.run("chpasswd", given=f"{name}:{PASSWORD}\n")
        return name

    def enrol(self, name):
        """Two-factor login for a user, as root gives it; the phone and, in it, the
        recovery codes."""
        phone = self.begin(name)
        done = self.pam_otp("confirm", "--user", name, given=phone.earlier() + "\n")
        phone.spend(-1)
        phone.recovery = done["recovery_codes"]
        return phone

    def begin(self, name):
        """What waits for its first code; the phone."""
        return Phone(self.pam_otp("enroll", "--user", name)["token"]["key"])

    def pam_otp(self, *words, given=""):
        """What the command answers to root."""
        return json.loads(self.box.run(COMMAND, "--json", "--service", "cockpit", *words, given=given))

    def is_enrolled(self, name):
        return self.pam_otp("status", "--user", name)["enrolled"]

    def install_module(self):
        """Puts the module where libpam looks, as setup wants it; the machine's own
        directory stays what it is."""
        modules = next(pathlib.Path("/usr/lib").glob("*/security/pam_unix.so")).parent
        self.box.run("cp", "-a", modules, OWN / "modules")
        self.box.run("cp", MODULE, OWN / "modules/pam_otp.so")
        self.box.run("mount", "--bind", OWN / "modules", modules)

    # --- What can happen to a host

    def edit(self, path, pattern, replacement):
        """Changes the one place in a file that a pattern fits. Owner and mode stay."""
        path = pathlib.Path(path)
        text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
        assert count == 1, f"{pattern} fits {count} times in {path}"
        path.write_text(text, encoding="utf-8")

    def read(self, path):
        return pathlib.Path(path).read_text(encoding="utf-8")

    @contextlib.contextmanager
    def stack(self, service, example):
        """A stack of pam.d-examples, for a while."""
        before = self.read(f"/etc/pam.d/{service}")
        self.box.stack(service, example)
        try:
            yield
        finally:
            self.box.write(f"/etc/pam.d/{service}", before)

    def end_session(self, name):
        """Kills what Cockpit runs for a user."""
        number = pwd.getpwnam(name).pw_uid
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                ours = process.stat().st_uid == number
                if ours and b"cockpit-bridge" in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)

    @contextlib.contextmanager
    def without_command(self):
        """A host where pam-otp is not installed."""
        os.rename(INSTALLED, f"{INSTALLED}.away")
        try:
            yield
        finally:
            os.rename(f"{INSTALLED}.away", INSTALLED)

    # --- Browsers

    def sit_down(self, name, address=ADDRESS, **settings):
        """A browser of somebody's own, before the login. Settings are Playwright's."""
        seat = Seat(name, self._browser.person(**settings), SCREENS, address)
        self._seats.append(seat)
        return seat

    def leave(self):
        """The end of a test: nothing was wrong behind the page, and nothing is left."""
        seats, self._seats = self._seats, []
        secrets = set().union(*(seat.secrets for seat in seats))
        for seat in seats:
            seat.leave()
        started = ARGUMENTS.read_text(encoding="utf-8")
        for secret in secrets:
            assert secret not in started, "a secret is an argument of a program"

    def abandon(self, test):
        """The end of a test that has failed: what each browser shows is kept."""
        seats, self._seats = self._seats, []
        for number, seat in enumerate(seats, 1):
            try:
                seat.keep(f"FAILED-{test}-{number}")
                print(seat.text(), file=sys.stderr)
            except Exception as error:
                print(f"no screenshot: {error}", file=sys.stderr)
            seat.close()
