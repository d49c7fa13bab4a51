"""Gives one application every case, in the sandbox.

usage: python -m apps.inside TITLE

Prints one JSON object to standard output; all else goes to standard error.
"""

import json
import os
import sys
import time
import traceback

from apps import catalogue
from apps.cases import CASES, ENROLL, PASSWORD
from apps.person import Person
from apps.sandbox import POLICY, Sandbox


def try_case(box, application, case):
    """One case: what happened, as it goes into the table."""
    rules = f'fail_delay = 0\nunenrolled = "{case.unenrolled}"\n{application.rules}'
    box.write(POLICY, rules)
    phone = box.enrol(case.user, application) if case.enrolled else None
    person = Person(case, phone, application.one_field)
    if case.code == "used":
        seen = application.log_in(person)
        if application.expects(CASES[0]).entered and not seen.entered:
            raise RuntimeError(f"the code is refused at its first use: {seen}")
    box.reasons()
    began = time.monotonic()
    seen = application.log_in(person)
    took = time.monotonic() - began
    if not case.enrolled:
        status = box.pam_otp(application, "status", "--user", case.user)
        effective = case is ENROLL and seen.entered and application.sets_credentials
        if status["enrolled"] != effective:
            raise RuntimeError(f"not as it should be after this login: {status}")
    return {
        "entered": seen.entered,
        "reason": (box.reasons() or [None])[-1],
        "asked": seen.asked,
        "said": seen.said,
        "seconds": round(took, 1),
    }


def try_application(box, application):
    """All cases of one application. A fault of one is not the others'."""
    results = {}
    try:
        box.stack(application.service, application.stack)
        for path, text in application.settings.items():
            if path.startswith("/"):
                box.write(path, text)
        application.prepare(box)
        application.start(box)
        for case in CASES:
            print(f"--- {application.title}: {case.name}", file=sys.stderr, flush=True)
            try:
                results[case.name] = try_case(box, application, case)
            except Exception:
                traceback.print_exc()
                results[case.name] = {"fault": traceback.format_exc(limit=-1).strip()}
    except Exception:
        traceback.print_exc()
        results["fault"] = traceback.format_exc(limit=-1).strip()
    return results


def main():
    # Whatever a program prints must not get into the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    box = Sandbox()
    for case in CASES:
        box.add_user(case.user, PASSWORD)
    application = catalogue.find(sys.argv[1])
    json.dump(try_application(box, application), answer)
    answer.close()


if __name__ == "__main__":
    main()
