"""A small panel: drives pam-otp by its JSON commands alone, with one-time codes of
its own, and logs in through the real libpam in between.

Usage: panel.py COMMAND POLICY SERVICES SERVICE SCHEMA
"""

import base64
import ctypes
import hmac
import json
import re
import struct
import subprocess
import sys
import time

COMMAND, POLICY, SERVICES, SERVICE, SCHEMA = sys.argv[1:]


# --- The command -----------------------------------------------------------


def call(*arguments, given="", exit_status=0):
    """Runs the command; its answer, checked against the schema."""
    line = [COMMAND, "--policy", POLICY, "--json", *arguments]
    ran = subprocess.run(line, input=given, capture_output=True, text=True, timeout=60)
    assert ran.stderr == "", ran.stderr
    assert ran.returncode == exit_status, (arguments, ran.returncode, ran.stdout)
    assert ran.stdout.endswith("}\n") and ran.stdout.count("\n") == 1, ran.stdout
    answer = json.loads(ran.stdout)
    check(answer, SCHEMA_ROOT, "answer")
    assert answer["ok"] == (exit_status == 0), answer
    return answer


def refused(code, *arguments, given="", exit_status=1):
    """The error of a command that does not do it."""
    answer = call(*arguments, given=given, exit_status=exit_status)
    assert answer["error"]["code"] == code, answer
    return answer["error"]


# --- JSON Schema, as far as the schema uses it -----------------------------

with open(SCHEMA, encoding="utf-8") as file:
    SCHEMA_ROOT = json.load(file)

TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def check(value, schema, at):
    """Fails with the place where the value is not as the schema says."""
    text, number = isinstance(value, str), TYPES["integer"](value)
    fields = value if isinstance(value, dict) else {}
    items = value if isinstance(value, list) else []
    for word, wanted in schema.items():
        fine = True
        if word in ("$schema", "$defs", "title", "description"):
            pass
        elif word == "$ref":
            check(value, SCHEMA_ROOT["$defs"][wanted.removeprefix("#/$defs/")], at)
        elif word == "allOf":
            for one in wanted:
                check(value, one, at)
        elif word == "anyOf":
            fine = fitting(value, wanted, at) >= 1
        elif word == "oneOf":
            fine = fitting(value, wanted, at) == 1
        elif word == "type":
            wanted_types = [wanted] if isinstance(wanted, str) else wanted
            fine = any(TYPES[one](value) for one in wanted_types)
        elif word == "const":
            fine = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
        elif word == "enum":
            fine = value in wanted
        elif word == "required":
            fine = not isinstance(value, dict) or set(wanted) <= set(fields)
        elif word == "properties":
            for name in set(wanted) & set(fields):
                check(fields[name], wanted[name], f"{at}.{name}")
        elif word == "items":
            for item in items:
                check(item, wanted, f"{at}[]")
        elif word == "minItems":
            fine = not isinstance(value, list) or len(items) >= wanted
        elif word == "maxItems":
            fine = not isinstance(value, list) or len(items) <= wanted
        elif word == "minLength":
            fine = not text or len(value) >= wanted
        elif word == "maxLength":
            fine = not text or len(value) <= wanted
        elif word == "minimum":
            fine = not number or value >= wanted
        elif word == "maximum":
            fine = not number or value <= wanted
        elif word == "pattern":
            fine = not text or re.search(wanted, value) is not None
        else:
            raise AssertionError(f"no word of the schema: {word}")
        assert fine, f"{at}: {value!r} is against {word}: {wanted!r}"


def fitting(value, schemas, at):
    """How many of the schemas the value fits."""
    count = 0
    for one in schemas:
        try:
            check(value, one, at)
            count += 1
        except AssertionError:
            pass
    return count


# --- One-time codes: RFC 6238, RFC 4226 ------------------------------------


def code(token, steps=0, at=None):
    """The code that an app shows so many steps from the given time, or now."""
    moment = (time.time() if at is None else at) // token["period"] + steps
    return hotp(token, int(moment))


def hotp(token, counter):
    key = token["key"]
    key = base64.b32decode(key + "=" * (-len(key) % 8))
    digest = hmac.digest(key, struct.pack(">Q", counter), token["algorithm"].lower())
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10 ** token["digits"]).zfill(token["digits"])


# --- Logins through libpam -------------------------------------------------

PAM = ctypes.CDLL("libpam.so.0")
LIBC = ctypes.CDLL(None)
LIBC.calloc.restype = ctypes.c_void_p
LIBC.strdup.restype = ctypes.c_void_p


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("unused", ctypes.c_int)]


CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)


class Conversation(ctypes.Structure):
    _fields_ = [("function", CONVERSE), ("data", ctypes.c_void_p)]


def login(user, answer):
    """Whether libpam lets the user in with this answer to the question."""

    def converse(count, messages, responses, _):
        # libpam frees them.
        array = LIBC.calloc(count, ctypes.sizeof(Response))
        replies = ctypes.cast(array, ctypes.POINTER(Response))
        for place in range(count):
            if messages[place].contents.style in (1, 2):
                replies[place].text = LIBC.strdup(answer.encode())
        responses[0] = array
        return 0

    handle = ctypes.c_void_p()
    conversation = Conversation(CONVERSE(converse), None)
    started = PAM.pam_start_confdir(
        SERVICE.encode(),
        user.encode(),
        ctypes.byref(conversation),
        SERVICES.encode(),
        ctypes.byref(handle),
    )
    assert started == 0, started
    result = PAM.pam_authenticate(handle, 0)
    PAM.pam_end(handle, result)
    return result == 0


# --- The life of a second factor -------------------------------------------


def main():
    status = call("status")
    user = status["user"]
    assert not status["enrolled"] and status["pending"] is None

    # Begun, which opens nothing.
    begun = call("enroll", "--issuer", "Panel & Söhne")
    phone = begun["token"]
    assert begun["expires"] - time.time() > 1700
    assert "Panel%20%26%20S%C3%B6hne" in phone["uri"]
    assert call("status")["pending"]["name"] == "phone"
    assert not login(user, code(phone))

    # Confirmed, after a phone whose clock was wrong.
    off = refused("other_time", "confirm", given=code(phone, -20))
    assert -660 <= off["clock_off_seconds"] <= -570, off
    first = time.time()
    confirmed = call("confirm", given=code(phone, at=first))
    recovery = list(confirmed["recovery_codes"])
    assert len(set(recovery)) == 10
    refused("no_pending", "confirm", given=code(phone, 1, at=first))

    # One code opens one login.
    assert not login(user, code(phone, at=first))
    assert login(user, code(phone, 1, at=first))
    assert not login(user, code(phone, 1, at=first))
    refused("used_code", "verify", given=code(phone, 1, at=first))
    spent = recovery.pop()
    answer = call("verify", given=spent)
    assert (answer["token"], answer["recovery_codes_left"]) == (None, 9)
    assert not login(user, spent)
    assert login(user, recovery.pop())

    # A second device, for a recovery code.
    refused("enrolled", "enroll")
    refused("name_taken", "enroll", "--name", "phone")
    add = ("enroll", "--name", "tablet", "--algorithm", "SHA256", "--digits", "8")
    refused("malformed_code", *add, given="nonsense")
    begun = call(*add, given=recovery.pop())
    tablet = begun["token"]
    second = time.time()
    added = call("confirm", given=code(tablet, at=second))
    assert (added["token"], added["recovery_codes"]) == ("tablet", None)
    assert login(user, code(tablet, 1, at=second))

    # A lost one is replaced by a key with a counter.
    begun = call("enroll", "--replace", "phone", "--name", "key", "--type", "hotp", given=recovery.pop())
    key = begun["token"]
    assert begun["replaces"] == "phone" and key["period"] is None
    call("confirm", given=hotp(key, 0))
    assert not login(user, hotp(key, 0))
    assert login(user, hotp(key, 1))

    # What there is, and again with its keys.
    status = call("status")
    assert [token["name"] for token in status["tokens"]] == ["key", "tablet"]
    assert status["recovery_codes_left"] == 6 == len(recovery)
    shown = call("show", given=recovery.pop())
    assert shown["tokens"][1]["key"] == tablet["key"]

    # A clock that is an hour ahead is followed.
    ahead = time.time() + 3600
    pair = f"{code(tablet, at=ahead)}\n{code(tablet, 1, at=ahead)}\n"
    found = call("resync", given=pair)
    assert found["token"] == "tablet" and abs(found["clock_off_seconds"] - 3600) <= 60, found
    assert login(user, code(tablet, 2, at=ahead))

    # Guesses are limited, and the way out is open.
    for _ in range(3):
        refused("wrong_code", "verify", given="00000000")
    assert refused("throttled", "verify", given="00000000")["wait_seconds"] > 0
    refused("usage", "verify", "123456", exit_status=2)
    assert call("disable", given=recovery.pop())["set_aside"] is None
    refused("not_enrolled", "verify", given="123456")
    assert not login(user, code(tablet, 3, at=ahead))
    print("done")


main()
