"""A program on a terminal, and a person in front of it."""

import re
import sys

import pexpect

from apps.application import Seen
from apps.sandbox import SOON, as_user

# Ends with the cursor behind it: whoever shows this waits for an answer.
QUESTION = r"(?i)(?:password[^:\n]*|code|app shows|login|username|response): ?$|when you have them\. $"


def converse(line, person, inside, outside, user="root", **environment):
    """Runs a program on a terminal, answers its questions, and tells how it ends:
    with a text of `inside`, or one of `outside`, which is what a refused user is told."""
    line = as_user(user, ["env", *(f"{name}={value}" for name, value in environment.items()), *line])
    print("+", *line, file=sys.stderr, flush=True)
    child = pexpect.spawn(
        line[0], line[1:], encoding="utf-8", timeout=SOON, dimensions=(90, 132), cwd="/"
    )
    child.logfile_read = sys.stderr
    seen, shown = Seen(False), ""
    try:
        while True:
            found = child.expect([inside, outside, pexpect.EOF, QUESTION])
            shown += child.before + (child.after if isinstance(child.after, str) else "")
            if found != 3:
                break
            seen.asked.append(last_line(shown))
            child.sendline(person.answer(shown))
        seen.entered = found == 0
        if found == 1:
            seen.said = last_line(child.after + rest_of_line(child))
        return seen
    finally:
        child.close(force=True)


def rest_of_line(child):
    """What of the last line was still on its way; nothing where it has no end."""
    if "\n" in child.after:
        return ""
    child.expect(["\r?\n", pexpect.EOF, pexpect.TIMEOUT], timeout=2)
    return child.before or ""


def last_line(shown):
    """The last line with something in it, without control characters."""
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x00-\x09\x0b-\x1f]", "", shown).strip("\n").split("\n")
    return [line for line in lines if line.strip()][-1].rstrip() if "".join(lines).strip() else ""
