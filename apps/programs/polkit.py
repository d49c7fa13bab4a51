"""polkit's pkexec on a terminal."""

import os

from apps.application import Application
from apps.cases import ENROLL, Expected
from apps.sandbox import wait_until
from apps.terminal import converse

# What a user types in a shell. pkexec has an agent of its own, but without logind
# polkitd does not find its dialogue again ("No session for cookie").
SHELL = """
mkfifo ~/ready
pkttyagent --process $$ --notify-fd 3 3>~/ready &
cat ~/ready; rm ~/ready
pkexec --disable-internal-agent sh -c 'echo in as $(id -un)'
exit $?
"""
BUS = "/run/dbus/system_bus_socket"


class Polkit(Application):
    title = "polkit: pkexec on a terminal"
    package = "pkexec, polkitd"
    service = "polkit-1"
    stack = "polkit-1"
    settings = {
        # Each user administers with their own password.
        "/etc/polkit-1/rules.d/10-self.rules": "polkit.addAdminRule(function(action, subject) {\n"
        '    return ["unix-user:" + subject.user];\n'
        "});\n"
    }

    sets_credentials = False
    expected = {
        ENROLL: Expected(
            True,
            "first_login",
            "polkit never calls pam_setcred, so the enrolment does not take effect, and is "
            "asked again the next time; enrol otherwise",
        )
    }
    notes = (
        "Run here without systemd and logind: polkitd and the helper are the real ones, on a "
        "system bus of their own. pkexec's own agent does not get to the end without logind "
        "(`No session for cookie`), so `pkttyagent` asks in its place. A desktop's agent was "
        "not tried.",
    )

    def start(self, box):
        os.makedirs("/run/dbus", exist_ok=True)
        box.start("dbus-daemon", "--system", "--nofork", "--nopidfile")
        wait_until("the bus", lambda: os.path.exists(BUS))
        box.start("/usr/lib/polkit-1/polkitd", "--no-debug")

    def log_in(self, person):
        refused = "Error executing command[^\n]*"
        return converse(["sh", "-c", SHELL], person, "in as root", refused, user=person.name)


APPLICATIONS = (Polkit,)
