"""JupyterHub, whose login page has a second field."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from apps.application import Application, Seen
from apps.cases import ENROLL, WRONG_PASSWORD, Expected
from apps.rights import OwnStore, refuses
from apps.sandbox import TOOLS, wait_for_port, wait_until

PORT = 8000
HOME = "/var/lib/jupyterhub"
CONFIG = f"{HOME}/jupyterhub_config.py"


class JupyterHub(Application):
    title = "JupyterHub, two fields"
    package = "jupyterhub (PyPI), configurable-http-proxy (npm)"
    service = "jupyterhub"
    stack = "two-field-daemon"
    settings = {
        "jupyterhub_config.py": 'c.JupyterHub.authenticator_class = "pam"\n'
        'c.PAMAuthenticator.service = "jupyterhub"\n'
        "c.Authenticator.request_otp = True\n"
        "c.Authenticator.allow_all = True\n"
    }
    expected = {
        ENROLL: Expected(
            False, "no_conversation", "it shows its user no messages, so nobody can enrol by it"
        )
    }

    def start(self, box):
        proxy = TOOLS / "node/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
        own = (
            f'c.JupyterHub.bind_url = "http://127.0.0.1:{PORT}/"\n'
            f'c.ConfigurableHTTPProxy.command = ["node", "{proxy}"]\n'
            'c.JupyterHub.hub_ip = "127.0.0.1"\n'
        )
        box.run("install", "-d", "-o", self.runs_as, HOME)
        box.write(CONFIG, own + self.settings["jupyterhub_config.py"])
        line = ["env", "-C", HOME, TOOLS / "jupyterhub/bin/python", "-m", "jupyterhub", "-f", CONFIG]
        box.start(*line, user=self.runs_as)
        wait_for_port(PORT)
        wait_until("JupyterHub's login page", lambda: self._page(Browser())[0] == 200)

    def _page(self, browser):
        return browser.open(f"http://127.0.0.1:{PORT}/hub/login")

    def log_in(self, person):
        browser = Browser()
        _, page = self._page(browser)
        labels = re.findall(r'<label for="(?:password|otp)_input">([^<]*)<', page)
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)[1]
        form = {"username": person.name, "password": person.password, "otp": person.code}
        status, page = browser.open(
            f"http://127.0.0.1:{PORT}/hub/login?_xsrf={urllib.parse.quote(token)}",
            urllib.parse.urlencode(form | {"_xsrf": token}).encode(),
        )
        error = re.search(r'class="login_error">\s*([^<]+?)\s*<', page)
        # A page of the user's own is behind the login; their server is not started.
        home, _ = browser.open(f"http://127.0.0.1:{PORT}/hub/token")
        entered = home == 200 and not error and "jupyterhub-session-id" in browser.cookies()
        return Seen(entered, [label.strip() for label in labels], error[1] if error else "")


class Browser:
    """Keeps cookies; follows nothing."""

    def __init__(self):
        self._jar = CookieJar()
        stay = type("Stay", (urllib.request.HTTPRedirectHandler,), {"redirect_request": lambda *_: None})
        cookies = urllib.request.HTTPCookieProcessor(self._jar)
        self._opener = urllib.request.build_opener(cookies, stay, urllib.request.ProxyHandler({}))

    def open(self, url, form=None):
        """The status and the text of a page."""
        try:
            answer = self._opener.open(url, form, timeout=60)
        except urllib.error.HTTPError as other:
            answer = other
        return answer.status, answer.read().decode()

    def cookies(self):
        return [cookie.name for cookie in self._jar]


class JupyterHubAsUser(JupyterHub):
    title = "JupyterHub as a user, records in homes"
    runs_as = "jupyterhub"
    expected = refuses("its user cannot take the rights of the user whose record it is") | {
        WRONG_PASSWORD: Expected(False, "no_rights")
    }

    def prepare(self, box):
        box.run("useradd", "--system", "--create-home", "--groups", "shadow", self.runs_as)


class JupyterHubOwnStore(OwnStore, JupyterHubAsUser):
    title = "JupyterHub as a user, a store of its own"
    store = "/var/lib/jupyterhub-otp"
    expected = JupyterHub.expected


APPLICATIONS = (JupyterHub, JupyterHubAsUser, JupyterHubOwnStore)
