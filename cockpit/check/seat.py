"""One person's browser: Cockpit's login page, its shell, and our page in it."""

import contextlib
import re
import sys

from playwright.sync_api import TimeoutError

from apps.cases import PASSWORD
from apps.programs.cockpit import ADDRESS, LoginPage
from cockpit.check.accessibility import violations
from cockpit.check.phone import Phone

PATH = "/pam-otp"
FRAME = 'iframe[name="cockpit1:localhost/pam-otp"]'
AT_REST = """() => Promise.all(document.getAnimations()
    .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
    .map(one => one.finished.catch(() => null)))"""
STORAGE = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


class Seat:
    def __init__(self, name, context, screens, address=ADDRESS):
        self.name = name
        self.context = context
        self.address = address
        # What belongs to Cockpit's own origin, or to nobody's.
        host = re.escape(address.removeprefix("http"))
        self._own = re.compile(rf"((http|ws){host}/|data:|blob:|about:)")
        # Keys and codes that this browser has seen or been given.
        self.secrets: set[str] = set()
        self._screens = screens
        self._faults: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        self.tab = context.new_page()

    # --- Cockpit

    @property
    def login(self):
        return LoginPage(self.tab, self.address)

    def log_in(self, code=None, password=PASSWORD):
        """Logs in on Cockpit's own login page, in order to see ours; whether that lets in."""
        login = self.login
        login.open(PATH)
        login.give_password(self.name, password)
        if code is not None:
            assert login.asks(), "Cockpit asks for no code"
            login.give(code)
        else:
            assert not login.asks(), f"Cockpit asks {login.question()!r}"
        return login.is_in()

    def speak(self, language):
        """Chooses a language of Cockpit's, as its menu does."""
        self.context.add_cookies([{"name": "CockpitLang", "value": language, "url": self.address}])

    def arrive(self):
        """Logs in with the password alone, and waits for our page."""
        assert self.log_in(), self.login.refusal()
        self.await_page()
        return self

    def await_page(self):
        self.page.get_by_role("heading", name="Two-factor login").first.wait_for()

    def reload(self):
        self.tab.reload()
        self.tab.locator(FRAME).wait_for()

    def log_out(self):
        # The shell's menu closes again if the shell is just drawing itself.
        while True:
            self.tab.locator("#toggle-menu").click()
            with contextlib.suppress(TimeoutError):
                self.tab.locator("#logout").click(timeout=5000)
                break
        self.tab.locator("#login-user-input").wait_for()

    def administer(self, *answers):
        """Switches administrative access on, with an answer to each of its questions."""
        self.tab.locator("#super-user-indicator button").click()
        dialogue = self.tab.get_by_role("dialog")
        for question, answer in answers:
            dialogue.get_by_label(question).fill(answer)
            dialogue.get_by_role("button", name="Authenticate").click()
        self.tab.locator("#super-user-indicator button", has_text="Administrative access").wait_for()

    def administration(self):
        """The second part of our page, when all of it is there."""
        self.page.get_by_role("tab", name="Administration").click()
        for name in ("Users", "Services"):
            self.page.get_by_role("table", name=name).wait_for()

    def another_tab(self):
        """Our page in a second tab of the same browser."""
        other = Seat.__new__(Seat)
        other.__dict__ |= self.__dict__
        other.tab = self.context.new_page()
        other.tab.goto(self.address + PATH)
        other.await_page()
        return other

    # --- Our page

    @property
    def page(self):
        """Where its locators begin."""
        return self.tab.frame_locator(FRAME)

    @property
    def frame(self):
        return self.tab.locator(FRAME).element_handle().content_frame()

    @property
    def dialogue(self):
        return self.page.get_by_role("dialog")

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name):
        self.button(name).click()

    def field(self, name):
        return self.page.get_by_role("textbox", name=name)

    def fill(self, name, text):
        self.field(name).fill(text)

    def type_code(self, code):
        """Types a code into the field for it."""
        self.secrets.add(code)
        self.fill("Code", code)

    def shows(self, text):
        """Waits until it shows a text, or one of that form; its place."""
        place = self.page.get_by_text(text).first
        place.wait_for()
        return place

    def text(self):
        return self.page.locator("body").inner_text()

    def key_of_a_first_device(self):
        """Begins to switch it on; the phone, which has scanned the key."""
        self.press("Enable two-factor login")
        self.press("Next")
        return self.scan()

    def activate(self, code):
        """Gives the first code of a device."""
        self.type_code(code)
        self.press("Activate")

    def finish_what_waits(self, phone):
        """Goes on with a first device that was begun elsewhere; its recovery codes."""
        self.shows("waits for its first code")
        self.press("Enter its code")
        self.activate(phone.fresh())
        return self.recovery_codes()

    def store_codes(self):
        """Says that the recovery codes are stored, which ends their dialogue."""
        self.page.get_by_role("checkbox", name="I have stored the recovery codes").check()
        self.press("Done")

    def recovery_codes(self):
        """Those that it shows now."""
        shown = self.dialogue.get_by_role("list", name="Recovery codes").get_by_role("listitem")
        shown.first.wait_for()
        codes = [code.strip() for code in shown.all_inner_texts()]
        self.secrets.update(codes)
        assert len(codes) == 10, codes
        return codes

    def clipboard(self):
        return self.tab.evaluate("navigator.clipboard.readText()")

    def scan(self):
        """The phone, after it has read the QR code from the page's picture."""
        picture = self.page.get_by_role("img", name=re.compile("QR.code", re.IGNORECASE))
        phone = Phone.scan(picture.screenshot())
        self.secrets.add(phone.text)
        return phone

    def walk_to(self, name):
        """Presses Tab until what has the focus is called so."""
        target = self.page.get_by_role("button", name=name, exact=True)
        target = target.or_(self.page.get_by_role("checkbox", name=name))
        target = target.or_(self.page.get_by_role("textbox", name=name)).first
        target.wait_for()
        for _ in range(60):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.tab.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not lead to {name!r}")

    def key(self, name):
        self.tab.keyboard.press(name)

    # --- What a test looks at

    def state(self, name):
        """A state of the page that a person may come to: its picture is kept, and it can
        be used by everybody."""
        self.frame.evaluate(AT_REST)
        self.keep(name)
        found = violations(self.frame)
        assert not found, f"axe-core, {name}: " + "\n".join(found)

    def keep(self, name):
        """A picture of all that is seen."""
        self.tab.screenshot(path=self._screens / f"{name}.png")

    def leave(self):
        """Closes the browser, if all was right behind the page."""
        for tab in self.context.pages:
            # Also what the shell keeps; its origin is the same.
            kept = [tab.url, *(frame.url for frame in tab.frames), tab.evaluate(STORAGE)]
            for secret in self.secrets:
                for place in kept:
                    assert secret not in place, f"a secret is kept: {place}"
        self.close()
        assert not self._faults, "\n".join(self._faults)

    def close(self):
        self.context.close()

    def _console(self, message):
        print(f"{self.name}: console: {message.type}: {message.text}", file=sys.stderr)
        ours = "/pam-otp/" in message.location["url"] or "Content Security" in message.text
        if message.type in ("error", "warning") and ours:
            self._faults.append(f"console: {message.text} ({message.location['url']})")

    def _error(self, error):
        stack = error.error.stack or str(error.error)
        print(f"{self.name}: error: {stack}", file=sys.stderr)
        if "/pam-otp/" in stack:
            self._faults.append(f"error: {stack}")

    def _request(self, request):
        if not self._own.match(request.url):
            self._faults.append(f"asks elsewhere: {request.url}")
