"""The cases that each application gets, and what is expected where its file says
nothing else."""

from dataclasses import dataclass

PASSWORD = "correct horse"

# What somebody types where a code is asked.
NOW, WRONG, USED, RECOVERY, NOTHING = "now", "wrong", "used", "recovery", "nothing"


@dataclass(frozen=True)
class Expected:
    """How a login ends: whether it lets in, the module's last word in the log (None:
    the module is not asked; several: any of them), and, where that differs from what
    others do, why."""

    entered: bool
    reason: str | tuple[str, ...] | None
    why: str = ""


@dataclass(frozen=True)
class Case:
    """One login. Each has a user of its own, so that none throttles another."""

    name: str
    user: str
    code: str
    expected: Expected
    password: str = PASSWORD
    enrolled: bool = True
    unenrolled: str = "deny"


RIGHT = Case("password and code", "alice", NOW, Expected(True, "code"))
# After a wrong password the code is asked and used up, or held and not looked at.
WRONG_PASSWORD = Case(
    "wrong password", "bob", NOW, Expected(False, ("code", "split")), password="wrong horse"
)
WRONG_CODE = Case("wrong code", "carol", WRONG, Expected(False, "wrong_code"))
USED_CODE = Case("used code", "dave", USED, Expected(False, "used_code"))
RECOVERY_CODE = Case("recovery code", "erin", RECOVERY, Expected(True, "recovery_code"))
DENY = Case(
    'unenrolled, "deny"', "frank", WRONG, Expected(False, "unenrolled"), enrolled=False
)
ALLOW = Case(
    'unenrolled, "allow"',
    "grace",
    NOTHING,
    Expected(True, "unenrolled"),
    enrolled=False,
    unenrolled="allow",
)
ENROLL = Case(
    'unenrolled, "enroll"',
    "heidi",
    NOTHING,
    Expected(True, "first_login"),
    enrolled=False,
    unenrolled="enroll",
)

CASES = (RIGHT, WRONG_PASSWORD, WRONG_CODE, USED_CODE, RECOVERY_CODE, DENY, ALLOW, ENROLL)

# Where each question gets the same field, or nothing at all.
NO_DIALOGUE = Expected(
    False, "not_confirmed", "it shows its user no messages, so nobody can enrol by it"
)
