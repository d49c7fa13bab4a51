"""The screen locker swaylock, on a compositor without a display."""

import pathlib
import time

from apps.application import Seen
from apps.sandbox import wait_until
from apps.screen import ScreenLocker, locker

DISPLAY = "wayland-1"
REFUSED = "pam_authenticate failed"


class Swaylock(ScreenLocker):
    title = "swaylock"
    package = "swaylock"
    service = "swaylock"

    def start(self, box):
        self.box = box

    def log_in(self, person):
        runtime = pathlib.Path(f"/run/user/{person.name}")
        own = {"XDG_RUNTIME_DIR": runtime, "WAYLAND_DISPLAY": DISPLAY}
        variables = [f"{name}={value}" for name, value in own.items()]
        if not (runtime / DISPLAY).exists():
            self.box.run("install", "-d", "-m", "700", "-o", person.name, runtime)
            backend = ["WLR_BACKENDS=headless", "WLR_LIBINPUT_NO_DEVICES=1", "WLR_RENDERER=pixman"]
            sway = ["env", variables[0], *backend, "sway", "-c", "/dev/null"]
            self.box.start(*sway, user=person.name)
            wait_until("sway", (runtime / DISPLAY).exists)
        with locker(person.name, "swaylock", "--debug", **own) as running:
            running.wait_for("Using ")
            time.sleep(1)
            # The first key of a new keyboard is lost: an Escape, which changes nothing.
            keys = ["wtype", "-k", "Escape", "-s", "500", "-d", "20", person.field, "-k", "Return"]
            self.box.run("env", *variables, *keys, user=person.name)
            running.wait_for(REFUSED)
            return Seen(running.opened())


APPLICATIONS = (Swaylock,)
