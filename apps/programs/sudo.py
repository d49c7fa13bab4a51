"""sudo, on a terminal and with its input from a program."""

import subprocess
import sys

from apps.application import Application, Seen
from apps.cases import ENROLL, Expected
from apps.sandbox import as_user
from apps.terminal import converse, last_line

INSIDE = "in as root"
COMMAND = ["echo in as $(id -un)"]


class Sudo(Application):
    title = "sudo on a terminal"
    package = "sudo"
    service = "sudo"
    stack = "sudo"
    settings = {"/etc/sudoers.d/everybody": "ALL ALL=(ALL) ALL\n"}

    def start(self, box):
        # What comes of one try, and not of three.
        box.write("/etc/sudoers.d/one-try", "Defaults passwd_tries=1\n")

    def log_in(self, person):
        line = ["sudo", "-k", "sh", "-c", *COMMAND]
        return converse(line, person, INSIDE, "sudo: [^\n]*attempt", user=person.name)


class SudoByInput(Sudo):
    title = "sudo -S"
    expected = {
        ENROLL: Expected(False, "no_conversation", "a code cannot be made of a key that is not read")
    }

    def log_in(self, person):
        line = ["sudo", "-k", "-S", "sh", "-c", *COMMAND]
        # All at once, as a script does it.
        given = f"{person.password}\n{person.code}\n"
        ran = subprocess.run(
            as_user(person.name, line), input=given, capture_output=True, text=True, timeout=60
        )
        print(ran.stderr, file=sys.stderr)
        entered = ran.stdout.strip() == INSIDE
        return Seen(entered, said="" if entered else last_line(ran.stderr))


APPLICATIONS = (Sudo, SudoByInput)
