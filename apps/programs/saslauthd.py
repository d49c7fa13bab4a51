"""saslauthd, which checks passwords for mail servers."""

import os
import subprocess

from apps.application import Application, Seen
from apps.cases import ENROLL, NO_DIALOGUE
from apps.sandbox import wait_until


class Saslauthd(Application):
    title = "saslauthd"
    package = "sasl2-bin"
    service = "smtp"
    stack = "one-field-daemon"
    one_field = True
    settings = {"/etc/default/saslauthd": 'START=yes\nMECHANISMS="pam"\nOPTIONS="-m /run/saslauthd"\n'}
    expected = {ENROLL: NO_DIALOGUE}

    def start(self, box):
        os.makedirs("/run/saslauthd", exist_ok=True)
        box.start("/usr/sbin/saslauthd", "-d", "-a", "pam", "-m", "/run/saslauthd")
        wait_until("saslauthd's socket", lambda: os.path.exists("/run/saslauthd/mux"))

    def log_in(self, person):
        line = ["testsaslauthd", "-f", "/run/saslauthd/mux", "-s", self.service]
        line += ["-u", person.name, "-p", person.field]
        ran = subprocess.run(line, capture_output=True, text=True, timeout=30)
        return Seen(ran.returncode == 0, said=ran.stdout.strip())


APPLICATIONS = (Saslauthd,)
