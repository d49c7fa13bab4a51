"""OpenVPN, whose client asks for the code by a static challenge."""

import pathlib

from apps.application import Application
from apps.cases import ENROLL, Expected
from apps.sandbox import wait_until
from apps.terminal import converse

PORT = 1194
PLUGIN = "/usr/lib/openvpn/openvpn-plugin-auth-pam.so"
LOG = pathlib.Path("/run/openvpn.log")


class OpenVpn(Application):
    title = "OpenVPN, static challenge"
    package = "openvpn"
    service = "openvpn"
    stack = "two-field-daemon"
    settings = {
        "the server": f'plugin {PLUGIN} "openvpn login USERNAME password PASSWORD One-time OTP"\n',
        "the client": 'auth-user-pass\nstatic-challenge "One-time code:" 0\n',
    }
    expected = {
        ENROLL: Expected(
            False, "not_shown", "it shows its user no messages, so nobody can enrol by it"
        )
    }

    def start(self, box):
        box.run("mkdir", "-p", "/dev/net")
        box.run("mknod", "-m", "666", "/dev/net/tun", "c", "10", "200")
        certificate = ["-subj", "/CN=vpn.example", "-keyout", "/run/vpn.key", "-out", "/run/vpn.crt"]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        box.run("openssl", "req", "-x509", *kind, *certificate)
        own = (
            f"local 127.0.0.1\nport {PORT}\nproto udp4\ndev tun0\ntopology subnet\n"
            "server 10.8.0.0 255.255.255.0\nca /run/vpn.crt\ncert /run/vpn.crt\nkey /run/vpn.key\n"
            "dh none\nverify-client-cert none\nusername-as-common-name\nduplicate-cn\n"
        )
        box.write("/run/vpn-server.conf", own + self.settings["the server"])
        client = (
            f"client\nremote 127.0.0.1 {PORT} udp4\ndev tun1\nifconfig-noexec\nroute-noexec\n"
            "nobind\nca /run/vpn.crt\nverify-x509-name vpn.example name\nauth-retry none\n"
        )
        box.write("/run/vpn-client.conf", client + self.settings["the client"])
        line = ["openvpn", "--config", "/run/vpn-server.conf", "--log", LOG]
        box.start(*line)
        wait_until("openvpn", lambda: "Initialization Sequence Completed" in self._log())

    def _log(self):
        return LOG.read_text(encoding="utf-8") if LOG.exists() else ""

    def log_in(self, person):
        line = ["openvpn", "--config", "/run/vpn-client.conf"]
        end = "Initialization Sequence Completed"
        return converse(line, person, end, "AUTH_FAILED")


APPLICATIONS = (OpenVpn,)
