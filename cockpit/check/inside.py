"""Runs one file of tests in the sandbox.

usage: python -m cockpit.check.inside FILE

A test is a function of that file with a public name. Prints what came of them as JSON
to standard output; all else goes to standard error.
"""

import importlib
import inspect
import json
import os
import sys
import time
import traceback

from apps.sandbox import Sandbox
from cockpit.check.desk import Desk


def tests_of(module):
    """Its tests, in their order."""
    functions = inspect.getmembers(module, inspect.isfunction)
    own = [one for name, one in functions if one.__module__ == module.__name__ and name[0] != "_"]
    return sorted(own, key=lambda one: one.__code__.co_firstlineno)


def try_test(desk, test):
    """One test. A fault of one is not the others'."""
    name = test.__name__.replace("_", " ")
    print(f"--- {name}", file=sys.stderr, flush=True)
    began, fault = time.monotonic(), None
    try:
        test(desk)
        desk.leave()
    except Exception as error:
        traceback.print_exc()
        fault = str(error).strip() or repr(error)
        desk.abandon(test.__name__)
    return {"name": name, "fault": fault, "seconds": round(time.monotonic() - began, 1)}


def main():
    # Whatever a program prints must not get into the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module = importlib.import_module(f"cockpit.check.{sys.argv[1].replace('/', '.')}")
    desk = Desk(Sandbox())
    json.dump([try_test(desk, test) for test in tests_of(module)], answer)
    answer.close()


if __name__ == "__main__":
    main()
