"""PostgreSQL, which runs PAM as the user postgres."""

import glob

from apps.application import Application
from apps.cases import CASES, ENROLL, NO_DIALOGUE
from apps.rights import OwnStore, refuses
from apps.sandbox import wait_for_port
from apps.terminal import converse

DATA = "/run/postgresql-data"
PORT = 5432


class PostgreSql(Application):
    title = "PostgreSQL, records in homes"
    package = "postgresql"
    service = "postgresql"
    stack = "one-field-daemon"
    one_field = True
    runs_as = "postgres"
    settings = {"pg_hba.conf": "host all all 127.0.0.1/32 pam pamservice=postgresql\n"}
    expected = refuses("postgres cannot take the rights of the user whose record it is")

    def start(self, box):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        box.run("install", "-d", "-o", "postgres", DATA, "/run/postgresql")
        # It reads the passwords of others by this, as its manual says.
        box.run("usermod", "-a", "-G", "shadow", "postgres")
        options = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        box.run(f"{programs}/initdb", "-D", DATA, *options, user="postgres")
        local = "local all postgres trust\n"
        box.write(f"{DATA}/pg_hba.conf", local + self.settings["pg_hba.conf"])
        line = [f"{programs}/postgres", "-D", DATA, "-p", PORT, "-k", "/run/postgresql"]
        box.start(*line, "-c", "listen_addresses=127.0.0.1", user="postgres")
        wait_for_port(PORT)
        roles = "".join(f"create role {case.user} login;" for case in CASES)
        box.run("psql", "-h", "/run/postgresql", "-d", "postgres", "-c", roles, user="postgres")

    def log_in(self, person):
        line = ["psql", "-h", "127.0.0.1", "-p", PORT, "-U", person.name, "-d", "postgres"]
        # -W: it asks at once. By itself it first tries without a password, and what the
        # log says of that try may come after what it says of the login.
        line += ["-W", "-A", "-t", "-c", "select 'in as ' || current_user"]
        return converse(line, person, f"in as {person.name}", "FATAL: [^\n]*")


class PostgreSqlOwnStore(OwnStore, PostgreSql):
    title = "PostgreSQL, a store of its own"
    store = "/var/lib/postgresql/pam-otp"
    expected = {ENROLL: NO_DIALOGUE}


APPLICATIONS = (PostgreSql, PostgreSqlOwnStore)
