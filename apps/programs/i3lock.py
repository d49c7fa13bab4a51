"""The screen locker i3lock."""

from apps.application import Seen
from apps.rights import refuses
from apps.screen import DISPLAY, Screen, ScreenLocker, locker

REFUSED = "Authentication failure"


class I3lock(ScreenLocker):
    title = "i3lock"
    package = "i3lock"
    service = "i3lock"

    def start(self, box):
        self.screen = Screen(box)

    def log_in(self, person):
        with locker(person.name, "i3lock", "-n", "--debug", DISPLAY=DISPLAY) as running:
            self.screen.type(person.field)
            running.wait_for(REFUSED)
            return Seen(running.opened())


class I3lockSystemStore(I3lock):
    title = "i3lock, system store"
    rules = 'store = "system"\n'
    expected = refuses("the user who is locked out cannot read root's store", "unreadable_record")


APPLICATIONS = (I3lock, I3lockSystemStore)
