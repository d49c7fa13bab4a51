"""The screen locker i3lock."""

from apps.application import Application, Seen
from apps.cases import ENROLL, NO_DIALOGUE
from apps.rights import refuses
from apps.screen import DISPLAY, Screen, locker

REFUSED = "Authentication failure"


class I3lock(Application):
    title = "i3lock"
    package = "i3lock"
    service = "i3lock"
    stack = "screen-locker"
    one_field = True
    runs_as = "the user"
    expected = {ENROLL: NO_DIALOGUE}

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
