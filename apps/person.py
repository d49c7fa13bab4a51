"""Who types: a user of a case, with a password and an authenticator app."""

import base64
import hmac
import re
import struct
import time

from apps import cases


class Phone:
    """An app with one key in it: RFC 6238 with SHA-1, 6 digits and 30 seconds."""

    def __init__(self, key, recovery=()):
        key = key.replace(" ", "")
        self.key = base64.b32decode(key + "=" * (-len(key) % 8))
        self.recovery = list(recovery)

    def code(self, steps=0):
        """What it shows so many steps from now."""
        counter = int(time.time()) // 30 + steps
        digest = hmac.digest(self.key, struct.pack(">Q", counter), "sha1")
        offset = digest[-1] & 15
        number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
        return f"{number % 10**6:06}"

    def earlier(self):
        """What it showed a step ago, with time left to type it: it counts until this
        step ends."""
        left = 30 - time.time() % 30
        if left < 5:
            time.sleep(left)
        return self.code(-1)

    def wrong_code(self):
        """Six digits that it does not show for minutes."""
        near = {self.code(steps) for steps in range(-4, 5)}
        return next(guess for guess in ("123456", "234567", "345678", "456789") if guess not in near)


class Confused(Exception):
    """A question that nobody knows an answer to."""


class Person:
    """Answers what a login asks, as the case says."""

    def __init__(self, case, phone, one_field=False):
        """`one_field`: has been told to type the code after the password."""
        self.one_field = one_field
        self.name = case.user
        self.password = case.password
        self.phone = phone
        self._kind = case.code
        self._typed = None

    @property
    def code(self):
        """What is typed where a code is asked. A used one is the last one typed."""
        if self._kind == cases.NOTHING:
            return ""
        if self._kind == cases.WRONG:
            return self.phone.wrong_code() if self.phone else "123456"
        if self._kind == cases.RECOVERY:
            return self.phone.recovery[0]
        if self._kind == cases.USED and self._typed:
            return self._typed
        self._typed = self.phone.code()
        return self._typed

    @property
    def field(self):
        """Password and code where there is one field for both."""
        return self.password + self.code

    def answer(self, shown):
        """What is typed after everything that was shown so far."""
        shown = shown.replace("\r", "")
        question = shown.rstrip("\n").rpartition("\n")[2]
        if "Code that the app shows" in question:
            self.phone = Phone(re.findall(r"Key: +([A-Z2-7 ]+)", shown)[-1])
            return self.phone.code()
        if "Press Enter when you have them" in question:
            return ""
        if "Password and one-time code" in question:
            return self.field
        if "One-time code" in question:
            return self.code
        if re.search(r"password", question, re.I):
            return self.field if self.one_field else self.password
        if re.search("login:|username:", question, re.I):
            return self.name
        raise Confused(f"no answer to {question!r}")
