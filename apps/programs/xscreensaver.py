"""The screen locker xscreensaver, which asks question by question."""

import re
import time

from apps.application import Application, Seen
from apps.sandbox import wait_until
from apps.screen import DISPLAY, Screen, locker

QUESTION = re.compile(r'ECHO_OFF="([^"]*)"')
# What it says of PAM's last word, right or wrong.
END = re.compile(r"pam_authenticate \(\.\.\.\) ==> (\d+)")


class XScreenSaver(Application):
    title = "xscreensaver"
    package = "xscreensaver"
    service = "xscreensaver"
    stack = "xscreensaver"
    runs_as = "the user"

    def start(self, box):
        self.box = box
        self.screen = Screen(box)

    def log_in(self, person):
        seen = Seen(False)
        line = ["xscreensaver", "--no-splash", "--verbose"]
        with locker(person.name, *line, DISPLAY=DISPLAY) as running:
            running.wait_for("xscreensaver-auth exited normally")
            command = ["env", f"DISPLAY={DISPLAY}", "xscreensaver-command", "-lock"]
            self.box.run(*command, user=person.name)
            running.wait_for("fading")
            time.sleep(1)
            self.screen.press("space")
            while self._asks(running, len(seen.asked)):
                shown = running.said()
                seen.asked.append(QUESTION.findall(shown)[-1].rstrip())
                before = shown[: shown.rindex('ECHO_OFF="')]
                self.screen.type(person.answer(f"{before}\n{seen.asked[-1]}"))
            if END.search(running.said())[1] == "0":
                running.wait_for("unblanking")
                seen.entered = True
            return seen

    def _asks(self, running, asked):
        """Waits for a question more than there were, or for the end."""

        def happens():
            said = running.said()
            return len(QUESTION.findall(said)) > asked or END.search(said)

        wait_until("a question or an end", happens)
        return len(QUESTION.findall(running.said())) > asked


APPLICATIONS = (XScreenSaver,)
