"""The proxy squid, with its helper basic_pam_auth."""

import base64
import http.client
import http.server
import threading

from apps.application import Application, Seen
from apps.cases import ENROLL, NO_DIALOGUE, USED_CODE, Expected
from apps.rights import OwnStore, refuses
from apps.sandbox import wait_for_port

PORT, TARGET = 3128, 8080


class Squid(Application):
    title = "squid, records in homes"
    package = "squid"
    service = "squid"
    stack = "one-field-daemon"
    one_field = True
    runs_as = "proxy"
    settings = {
        "squid.conf": "auth_param basic program /usr/lib/squid/basic_pam_auth -n squid\n"
        "auth_param basic credentialsttl 8 hours\n"
        "acl users proxy_auth REQUIRED\n"
        "http_access allow users\n"
        "http_access deny all\n"
    }
    expected = refuses("proxy cannot take the rights of the user whose record it is")

    def start(self, box):
        box.run("usermod", "-a", "-G", "shadow", "proxy")
        box.run("install", "-d", "-o", "proxy", "/run/squid", "/var/log/squid", "/var/spool/squid")
        own = f"http_port 127.0.0.1:{PORT}\npid_filename /run/squid/pid\nshutdown_lifetime 0\n"
        own += "visible_hostname host\naccess_log none\npinger_enable off\ncache deny all\n"
        box.write("/etc/squid/squid.conf", own + self.settings["squid.conf"])
        target = http.server.HTTPServer(("127.0.0.1", TARGET), Target)
        threading.Thread(target=target.serve_forever, daemon=True).start()
        box.start("squid", "-N", "-d", "1")
        wait_for_port(PORT)

    def log_in(self, person):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        credentials = base64.b64encode(f"{person.name}:{person.field}".encode()).decode()
        url = f"http://127.0.0.1:{TARGET}/"
        connection.request("GET", url, headers={"Proxy-Authorization": f"Basic {credentials}"})
        response = connection.getresponse()
        if response.status == 200 and response.read() == Target.TEXT:
            return Seen(True)
        return Seen(False, said=f"{response.status} {response.reason}")


class Target(http.server.BaseHTTPRequestHandler):
    """What is behind the proxy."""

    TEXT = b"behind the proxy"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.TEXT)))
        self.end_headers()
        self.wfile.write(self.TEXT)


class SquidOwnStore(OwnStore, Squid):
    title = "squid, a store of its own"
    store = "/var/lib/squid-otp"
    expected = {
        ENROLL: Expected(False, "not_shown", NO_DIALOGUE.why),
        USED_CODE: Expected(
            True,
            None,
            "squid itself remembers the field for credentialsttl, and does not ask PAM again",
        ),
    }


APPLICATIONS = (Squid, SquidOwnStore)
