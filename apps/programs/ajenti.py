"""Ajenti, a hosting panel, which logs its users in by `su -`."""

import json
import urllib.request

from apps.application import Application, Seen
from apps.cases import ENROLL, Expected
from apps.sandbox import TOOLS, wait_for_port

PORT = 8000


class Ajenti(Application):
    title = "Ajenti"
    package = "ajenti-panel (PyPI)"
    service = "su-l"
    stack = "su-one-field"
    one_field = True
    settings = {"/etc/ajenti/config.yml": "auth:\n  provider: os\n"}
    expected = {
        ENROLL: Expected(
            False, ("split", "no_conversation"), "it answers one question and shows nothing"
        )
    }

    def start(self, box):
        own = f"bind:\n  host: 127.0.0.1\n  mode: tcp\n  port: {PORT}\nssl:\n  enable: false\n"
        box.write("/etc/ajenti/config.yml", self.settings["/etc/ajenti/config.yml"] + own)
        program = TOOLS / "ajenti/bin"
        box.start(program / "python", program / "ajenti-panel", "-v")
        wait_for_port(PORT)

    def log_in(self, person):
        body = {"mode": "normal", "username": person.name, "password": person.field}
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}/api/core/auth",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            entered = json.load(answer)["success"]
        return Seen(entered, said="" if entered else "success: false")


APPLICATIONS = (Ajenti,)
