"""Cockpit's login: its page in a browser, and by HTTP as that page does it."""

import base64
import http.client
import json

from apps.application import Application, Seen
from apps.browser import Browser
from apps.sandbox import wait_for_port
from apps.terminal import last_line

PORT = 9090
ADDRESS = f"http://127.0.0.1:{PORT}"
LOGGED = (
    "Cockpit writes what PAM shows into its own log: after a first login key and recovery codes "
    "stand in the journal. Let its users enrol elsewhere: `[service.cockpit]` with "
    '`unenrolled = "allow"` or `"deny"`.'
)


class Cockpit(Application):
    title = "Cockpit over HTTP"
    package = "cockpit-ws, cockpit-bridge"
    service = "cockpit"
    stack = "cockpit"
    notes = (
        "Tried with the requests that the login page sends. The QR code of a first login arrives "
        "as question marks.",
        LOGGED,
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


class CockpitPage(Cockpit):
    title = "Cockpit's login page"
    package = "cockpit-ws, cockpit-bridge, cockpit-system"
    notes = (
        "Tried in Chromium. A code has a field of its own, on a page of its own after the "
        "password's. It is hidden as a password is.",
        "At a first login the page runs all lines together: the QR code, which is question marks "
        "here, then account, issuer, key and URI, all in one paragraph; the key is to be typed "
        "into the app. The ten recovery codes stand in one paragraph too.",
        LOGGED,
    )

    def start(self, box):
        super().start(box)
        self._browser = Browser()

    def log_in(self, person):
        with self._browser.person() as context:
            return LoginPage(context.new_page()).log_in(person)


class LoginPage:
    """Cockpit's login page, as who sits in front of it sees it."""

    # Of its shell, which is there once somebody is in.
    SHELL = "#topnav"

    def __init__(self, page, address=ADDRESS):
        self.page = page
        self._address = address

    def log_in(self, person):
        """One login: what was asked, and how it ended."""
        self.open()
        self.give_password(person.name, person.password)
        seen, shown = Seen(False), ""
        while self.asks():
            shown += self.message() + "\n" + self.question()
            seen.asked.append(last_line(self.question()))
            self.give(person.answer(shown))
        seen.entered = self.is_in()
        seen.said = "" if seen.entered else self.refusal()
        return seen

    def open(self, path="/"):
        """Where somebody gets after the login."""
        self.page.goto(self._address + path)
        self.page.locator("#login-user-input").wait_for()

    def give_password(self, name, password):
        self.page.fill("#login-user-input", name)
        self.page.fill("#login-password-input", password)
        self._send()

    def give(self, answer):
        """Answers the question that is shown."""
        self.page.fill("#conversation-input", answer)
        self._send()

    def _send(self):
        # Disabled by the click, and until Cockpit has answered.
        self.page.click("#login-button")
        answered = self.page.locator("#login-button:not([disabled])")
        answered.or_(self.page.locator(self.SHELL)).first.wait_for()

    def asks(self):
        return self.page.locator("#conversation-input").is_visible()

    def is_in(self):
        return self.page.locator(self.SHELL).is_visible()

    def question(self):
        return self.page.locator("#conversation-prompt").text_content()

    def message(self):
        """What stands above the question; nothing if it is hidden."""
        message = self.page.locator("#conversation-message")
        return message.text_content() if message.is_visible() else ""

    def refusal(self):
        return self.page.locator("#login-error-message").text_content()


APPLICATIONS = (Cockpit, CockpitPage)
