"""A screen without a display, a locker on it, and a person at its keyboard."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time

from apps.application import Application
from apps.cases import ENROLL, NO_DIALOGUE
from apps.sandbox import as_user, wait_until

DISPLAY = ":99"


class ScreenLocker(Application):
    """What all lockers have in common: one field, and no dialogue to enrol by."""

    stack = "screen-locker"
    one_field = True
    runs_as = "the user"
    expected = {ENROLL: NO_DIALOGUE}


class Screen:
    """Xvfb, with xdotool as keyboard."""

    def __init__(self, box):
        box.start("Xvfb", DISPLAY, "-screen", "0", "640x480x24", "-ac")
        wait_until("the screen", lambda: self._xdotool("getmouselocation"))

    def type(self, text):
        """Types a text and Enter."""
        # The locker shows its field somewhat after it says that it has one.
        time.sleep(1)
        self._xdotool("type", "--delay", "20", text)
        self.press("Return")

    def press(self, key):
        self._xdotool("key", key)

    def _xdotool(self, *words):
        ran = subprocess.run(["xdotool", *words], env={"DISPLAY": DISPLAY}, capture_output=True)
        return ran.returncode == 0


class Locker:
    """A locker that a user runs, and what it has said so far."""

    def __init__(self, process, output):
        self.process = process
        self._output = output

    def said(self):
        self._output.seek(0)
        return self._output.read()

    def opened(self):
        """Whether it has ended, as it does when it unlocks."""
        return self.process.poll() == 0

    def wait_for(self, *texts):
        """Waits until it opens or says one of these; which."""
        found = []

        def answers():
            found[:] = [text for text in texts if text in self.said()]
            return found or self.process.poll() is not None

        wait_until(f"one of {texts}", answers)
        return found[0] if found else None


@contextlib.contextmanager
def locker(user, *line, **environment):
    """Runs a locker as a user, until the end of the block."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    with tempfile.TemporaryFile("w+") as output:
        line = as_user(user, ["env", *variables, *line])
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        running = Locker(process, output)
        try:
            yield running
        finally:
            print(running.said(), file=sys.stderr)
            # With its own helpers: one of them would keep the keyboard.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
