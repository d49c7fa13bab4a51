"""Gives every application every case, prints the matrix, and checks the document.

usage: python -m apps.run BUILT TOOLS [--write] [TITLE...]

BUILT is where cargo put the module and the command, TOOLS what this run installed.
With titles, only those run and the document is not looked at. Exit status 1 if
something is not as expected.
"""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import time

from apps import catalogue, document, outside
from apps.cases import CASES

# At once. They mostly wait: for what follows a wrong password.
JOBS = 6
# Seconds for one application.
LIMIT = 300


def run(application, built, tools):
    """What came of one application's cases: case -> result, or what went wrong."""
    name = "".join(letter if letter.isalnum() else "-" for letter in application.title)
    log = tools / "logs" / f"{name}.log"
    places = {"built": built, "tools": tools}
    try:
        output = outside.run(places, "apps.inside", application.title, log=log, limit=LIMIT)
        return json.loads(output)
    except subprocess.TimeoutExpired:
        return {"fault": f"no end after {LIMIT} s; see {log}"}
    except ValueError:
        return {"fault": f"no answer; see {log}"}


def faults(application, results):
    """What is not as the application's file says, a line each."""
    if "fault" in results:
        return [f"{application.title}: {results['fault']}"]
    found = []
    for case in CASES:
        result, expected = results.get(case.name, {"fault": "did not run"}), application.expects(case)
        if "fault" in result:
            found.append(f"{application.title}: {case.name}: {result['fault']}")
            continue
        reasons = expected.reason if isinstance(expected.reason, tuple) else (expected.reason,)
        if result["entered"] != expected.entered or result["reason"] not in reasons:
            what = "let in" if result["entered"] else "refused"
            wanted = "let in" if expected.entered else "refused"
            words = " or ".join(map(str, reasons))
            found.append(
                f"{application.title}: {case.name}: {what} ({result['reason']}), "
                f"and not {wanted} ({words}): {result['said']}"
            )
    return found


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    built, tools, titles = pathlib.Path(words[0]), pathlib.Path(words[1]), words[2:]
    chosen = [one for one in catalogue.applications() if not titles or one.title in titles]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        answers = list(pool.map(lambda one: run(one, built, tools), chosen))
    results = dict(zip([one.title for one in chosen], answers))
    (tools / "results.json").write_text(json.dumps(results, indent=1))
    wrong = [line for one in chosen for line in faults(one, results[one.title])]

    print(document.matrix(chosen, results))
    print(f"apps: {len(chosen)} applications, {len(CASES)} cases each, "
          f"{time.monotonic() - began:.0f} s")
    for line in wrong:
        print(f"apps: error: {line}", file=sys.stderr)
    if wrong:
        print(f"apps: hint: what each did stands in {tools}/logs", file=sys.stderr)
    elif not titles and not document.is_current(outside.TREE, chosen, results, write="--write" in sys.argv):
        wrong.append("document")
    logins = sum(len(one) for one in results.values() if "fault" not in one)
    print(f"{logins - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
