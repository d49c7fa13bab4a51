"""login, of the text console."""

from apps.application import Application
from apps.terminal import converse


class Login(Application):
    title = "login"
    package = "login"
    service = "login"
    stack = "login"

    def log_in(self, person):
        # The shell's prompt has the user's name by nothing else.
        self.box.write("/etc/profile", 'echo "in as $(id -un)"\n')
        return converse(["login"], person, f"in as {person.name}", "Login incorrect")

    def start(self, box):
        self.box = box


APPLICATIONS = (Login,)
