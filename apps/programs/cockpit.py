"""Cockpit's login, by HTTP as its page does it."""

import base64
import http.client
import json

from apps.application import Application, Seen
from apps.sandbox import wait_for_port
from apps.terminal import last_line

PORT = 9090


class Cockpit(Application):
    title = "Cockpit"
    package = "cockpit-ws, cockpit-bridge"
    service = "cockpit"
    stack = "cockpit"
    notes = (
        "Tried over HTTP, as the login page does it. There the QR code of a first login arrives "
        "as question marks: the key below it is to be typed into the app.",
    )
    settings = {"/etc/cockpit/cockpit.conf": "[WebService]\nAllowUnencrypted = true\n"}

    def start(self, box):
        # Newer versions ask systemd for a session, and there is none here.
        text = self.settings["/etc/cockpit/cockpit.conf"]
        basic = "[Basic]\nCommand = /usr/lib/cockpit/cockpit-session\n"
        box.write("/etc/cockpit/cockpit.conf", text + basic)
        program = "/usr/lib/cockpit/cockpit-ws"
        box.start(program, "--no-tls", "--address=127.0.0.1", f"--port={PORT}")
        wait_for_port(PORT)

    def log_in(self, person):
        seen, shown = Seen(False), ""
        response = self._ask(f"Basic {b64(f'{person.name}:{person.password}')}")
        while "conversation" in response:
            shown += response["message"] + "\n" + response["prompt"]
            seen.asked.append(last_line(response["prompt"]))
            answer = b64(person.answer(shown))
            response = self._ask(f"X-Conversation {response['conversation']} {answer}")
        seen.entered = response["status"] == 200
        seen.said = "" if seen.entered else response["reason"]
        return seen

    def _ask(self, authorization):
        """What Cockpit answers: `status`, `reason` and, if it asks on, what its page
        shows."""
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        connection.request("GET", "/cockpit/login", headers={"Authorization": authorization})
        response = connection.getresponse()
        answer = {"status": response.status, "reason": response.reason}
        challenge = response.getheader("WWW-Authenticate", "").split(" ")
        # Where it lets in, it repeats the last question in that field.
        if response.status == 401 and challenge[0] == "X-Conversation":
            prompt = base64.b64decode(challenge[2]).decode()
            answer |= {"message": "", "prompt": prompt, "conversation": challenge[1]}
            answer |= json.loads(response.read())
        return answer


def b64(text):
    return base64.b64encode(text.encode()).decode()


APPLICATIONS = (Cockpit,)
