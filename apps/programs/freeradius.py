"""FreeRADIUS with its module rlm_pam."""

import subprocess
import sys

from apps.application import Application, Seen
from apps.cases import ENROLL, NO_DIALOGUE
from apps.rights import OwnStore, refuses
from apps.sandbox import wait_until

CONFIGURATION = "/etc/freeradius/3.0"


class FreeRadius(Application):
    title = "FreeRADIUS, records in homes"
    package = "freeradius"
    service = "radiusd"
    stack = "one-field-daemon"
    one_field = True
    runs_as = "freerad"
    settings = {
        "users": "DEFAULT Auth-Type := PAM\n",
        "sites-enabled/default, in authenticate": "pam\n",
        "mods-enabled/pam": "pam {\n    pam_auth = radiusd\n}\n",
    }
    expected = refuses("freerad cannot take the rights of the user whose record it is")

    def start(self, box):
        box.write(f"{CONFIGURATION}/mods-enabled/pam", self.settings["mods-enabled/pam"])
        box.write(f"{CONFIGURATION}/mods-config/files/authorize", self.settings["users"])
        box.run("sed", "-i", r"s/^#\(\s*pam\)$/\1/", f"{CONFIGURATION}/sites-available/default")
        # It would run without a user of its own, if root.
        box.run("install", "-d", "-o", "freerad", "/run/freeradius", "/var/log/freeradius")
        box.start("freeradius", "-f", "-l", "stdout")
        wait_until("the answer of freeradius", lambda: self._ask("status", "status")[1])

    def _ask(self, user, password):
        """Whether it lets in, and what it answers."""
        attributes = f'User-Name="{user}"\nUser-Password="{password}"\n'
        line = ["radclient", "-x", "-r", "1", "-t", "20", "127.0.0.1", "auth", "testing123"]
        ran = subprocess.run(line, input=attributes, capture_output=True, text=True, timeout=60)
        print(ran.stdout, ran.stderr, file=sys.stderr)
        words = ran.stdout.split()
        answers = [word for word in words if word in ("Access-Accept", "Access-Reject")]
        return ran.returncode == 0, (answers or [""])[-1]

    def log_in(self, person):
        entered, answer = self._ask(person.name, person.field)
        return Seen(entered, said="" if entered else answer)


class FreeRadiusOwnStore(OwnStore, FreeRadius):
    title = "FreeRADIUS, a store of its own"
    store = "/var/lib/freerad-otp"
    expected = {ENROLL: NO_DIALOGUE}


APPLICATIONS = (FreeRadius, FreeRadiusOwnStore)
