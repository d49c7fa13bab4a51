"""su: another user's password and code."""

from apps.application import Application
from apps.terminal import converse


class Su(Application):
    title = "su"
    package = "util-linux"
    service = "su"
    stack = "su"

    def log_in(self, person):
        line = ["su", person.name, "-c", "echo in as $(id -un)"]
        return converse(line, person, f"in as {person.name}", "su: [^\n]*", user="nobody")


APPLICATIONS = (Su,)
