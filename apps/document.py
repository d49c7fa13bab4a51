"""docs/applications.md: made of what the applications' files say and of what a run
saw, without dates, versions or places of the machine."""

import difflib
import re
import sys

from apps.cases import CASES

PATH = "docs/applications.md"
COMMAND = "make apps-document"
HEAD = """\
# Applications

What real programs do with pam-otp, found by logging in to each. This file is
written by `{command}`; `make check-apps` runs every login again, and compares what
came of it, and this file. The programs are those of Debian 12 and of the package
indexes of Python and Node.

How to read the table:

- **in**: the user gets in; **no**: refused, as it should be.
- ***in***, ***no***: not what one would wish, or not what others do. The
  application's own chapter says why.
- *unenrolled*: the user has no record, and the policy says `unenrolled = "deny"`,
  `"allow"` or `"enroll"`.

"""
TAIL = """
## How each was run

The policy is `fail_delay = 0` and `unenrolled` as the case says, unless a chapter
says more. Each case has a user of its own. A wrong password comes with a right
code. Every refusal was also looked up in the log, so that it is known to come from
what the case is about.
"""


def matrix(applications, results):
    """The table, as text that is Markdown too."""
    heads = ["application", *(case.name for case in CASES)]
    rows = [heads, ["---"] * len(heads)]
    rows += [[one.title, *(cell(one, case, results) for case in CASES)] for one in applications]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def cell(application, case, results):
    result = results[application.title].get(case.name, {})
    if "entered" not in result:
        return "FAULT"
    word = "in" if result["entered"] else "no"
    return f"***{word}***" if application.expects(case).why else word


def is_current(tree, applications, results, write):
    """Whether the document is as it would be written now; writes it on demand."""
    path = tree / PATH
    wanted = text(tree, applications, results)
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    if write:
        path.write_text(wanted, encoding="utf-8")
        return True
    if there == wanted:
        return True
    lines = difflib.unified_diff(there.splitlines(), wanted.splitlines(), PATH, "this run", n=1)
    print("\n".join(lines), file=sys.stderr)
    print(f"apps: error: {PATH} is not what this run would write", file=sys.stderr)
    print(f"apps: hint: {COMMAND} writes it", file=sys.stderr)
    return False


def text(tree, applications, results):
    """The whole document."""
    chapters = (chapter(tree, one, results[one.title]) for one in applications)
    head = HEAD.format(command=COMMAND)
    return head + matrix(applications, results) + TAIL + "".join(chapters)


def chapter(tree, application, results):
    lines = ["", f"## {application.title}", ""]
    lines.append(f"- Package: {application.package}. PAM runs as {application.runs_as}.")
    if application.rules:
        lines += ["- Policy:", "", *fenced(application.rules), ""]
    example = f"../pam.d-examples/{application.stack}"
    lines.append(
        f"- `/etc/pam.d/{application.service}` is [{application.stack}]({example}):"
    )
    lines += ["", *fenced(auth_lines(tree, application)), ""]
    for place, setting in application.settings.items():
        lines += [f"- `{place}`:", "", *fenced(setting), ""]
    lines.append("- What its user sees: " + seen(results))
    for note in application.notes:
        lines.append(f"- {note}")
    lines += oddities(application, results)
    return "\n".join(lines) + "\n"


def auth_lines(tree, application):
    """The lines of the example that decide about a login."""
    example = (tree / "pam.d-examples" / application.stack).read_text(encoding="utf-8")
    return "\n".join(line for line in example.splitlines() if re.match("-?auth", line))


def fenced(lines):
    return ["  ```", *(f"  {line}" for line in lines.rstrip("\n").splitlines()), "  ```"]


def seen(results):
    right, wrong = results[CASES[0].name], results[CASES[2].name]
    questions = ", then ".join(f"`{question}`" for question in right["asked"])
    text = questions or "what its client shows for a password"
    if enrolment := [one for one in results[CASES[-1].name]["asked"] if one not in right["asked"]]:
        own = [one for one in enrolment if "password" not in one.lower() and "login:" not in one]
        if own and results[CASES[-1].name]["entered"]:
            text += "; at a first login, with the QR code, " + ", then ".join(f"`{one}`" for one in own)
    if wrong["said"]:
        text += f"; refused: `{wrong['said']}`"
    return text + "."


def oddities(application, results):
    """Where it differs from what one would wish, and why; the same words once."""
    reasons = {}
    for case in CASES:
        if why := application.expects(case).why:
            reasons.setdefault(why, []).append(case)
    lines = []
    for why, cases in reasons.items():
        word = "in" if results[cases[0].name]["entered"] else "no"
        names = "; ".join(case.name for case in cases)
        lines.append(f"- ***{word}*** ({names}): {why}.")
    return lines
