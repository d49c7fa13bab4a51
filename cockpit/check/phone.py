"""A person's authenticator app, which reads QR codes with a real decoder."""

import io
import time
import urllib.parse

import zxingcpp
from PIL import Image

from apps import person


class Phone(person.Phone):
    """Knows which of its codes were typed, and shows one that still opens."""

    # The highest step of a code that was typed.
    _spent = 0
    # What the app shows beside the code.
    issuer = account = ""

    def __init__(self, key, recovery=()):
        super().__init__(key, recovery)
        # The key as people copy it.
        self.text = key.replace(" ", "")

    @classmethod
    def scan(cls, picture):
        """The app after it has read a picture, PNG."""
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
        assert len(found) == 1, f"{len(found)} QR codes in the picture"
        uri = urllib.parse.urlsplit(found[0].text)
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp"), "no key of an authenticator app"
        said = dict(urllib.parse.parse_qsl(uri.query))
        rest = {name: said.get(name) for name in ("algorithm", "digits", "period")}
        assert rest == {"algorithm": "SHA1", "digits": "6", "period": "30"}, rest
        phone = cls(said["secret"])
        phone.issuer = said["issuer"]
        phone.account = urllib.parse.unquote(uri.path.lstrip("/")).partition(":")[2]
        return phone

    def spend(self, steps=0):
        """The code of so many steps from now was typed elsewhere."""
        self._spent = int(time.time()) // 30 + steps

    def fresh(self):
        """A code that was not typed yet and is accepted now: of the step before, of this
        one or of the next. Waits for the clock where all three are spent."""
        while True:
            now = time.time()
            step = int(now) // 30
            # The one before only if there is time to type it.
            first = step - 1 if now % 30 < 20 else step
            wanted = max(self._spent + 1, first)
            if wanted <= step + 1:
                self._spent = wanted
                return self.code(wanted - step)
            time.sleep(30 - now % 30)

    def last(self):
        """The code that was typed last."""
        return self.code(self._spent - int(time.time()) // 30)
