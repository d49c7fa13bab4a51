"""Runs the tests of the page.

usage: python -m cockpit.check.run BUILT TOOLS PAGE RESULTS [FILE...]

BUILT is where cargo put the module and the command, TOOLS what apps/install.sh made,
PAGE the page as it was built. Screenshots of every state and the logs go to RESULTS.
FILE is `tests/own`, or `pictures`; without any, all of tests/. Exit status 1 if a test
fails.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

from apps import outside

HERE = pathlib.Path(__file__).resolve().parent
# At once: each has a browser of its own, and waits for Cockpit most of the time.
JOBS = max(2, min(4, os.cpu_count() or 1))
# Seconds for one file.
LIMIT = 600


def run(file, places):
    """What came of one file's tests: dictionaries with `name`, `fault` (or None) and
    `seconds`."""
    log = places["results"] / f"{pathlib.Path(file).name}.log"
    try:
        output = outside.run(places, "cockpit.check.inside", file, log=log, limit=LIMIT)
        return json.loads(output)
    except subprocess.TimeoutExpired:
        return [{"name": file, "seconds": LIMIT, "fault": f"no end after {LIMIT} s; see {log}"}]
    except ValueError:
        return [{"name": file, "seconds": 0, "fault": f"no answer; see {log}"}]


def main():
    names = ("built", "tools", "page", "results")
    places = dict(zip(names, map(pathlib.Path, sys.argv[1:5])))
    files = sys.argv[5:] or sorted(f"tests/{path.stem}" for path in HERE.glob("tests/[a-z]*.py"))
    places["results"].mkdir(parents=True, exist_ok=True)
    for old in places["results"].glob("**/*.png"):
        old.unlink()
    began, failed, passed = time.monotonic(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for file, tests in zip(files, pool.map(lambda file: run(file, places), files)):
            print(f"{file}:")
            for test in tests:
                print(f"  {'FAILED' if test['fault'] else 'ok'}: {test['name']} ({test['seconds']} s)")
                if test["fault"]:
                    print(f"check-page: error: {file}: {test['name']}: {test['fault']}", file=sys.stderr)
            failed += sum(1 for test in tests if test["fault"])
            passed += sum(1 for test in tests if not test["fault"])
    print(f"page: {passed} passed, {failed} failed, {time.monotonic() - began:.0f} s; "
          f"screenshots and logs are in {places['results']}")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
