"""What every file of programs/ holds: an Application."""

from dataclasses import dataclass, field


@dataclass
class Seen:
    """A login from its user's side."""

    entered: bool
    # The questions, in their order, as they were shown.
    asked: list[str] = field(default_factory=list)
    # What a refused user is told.
    said: str = ""


class Application:
    """One application with one stack. Subclasses say what stands here, and log in."""

    # Its name in the matrix.
    title = ""
    # Debian's or Python's package, for people.
    package = ""
    # The PAM service, and the file of pam.d-examples that it has here.
    service = ""
    stack = ""
    # Whether password and code are typed into one field.
    one_field = False
    # Who runs PAM, and by what other rules than the defaults.
    runs_as = "root"
    rules = ""
    # Who makes records: root, or the owner of a store of the application's own.
    enrolled_by = "root"
    # Whether it calls pam_setcred, by which a first login takes effect.
    sets_credentials = True
    # The application's own settings, as an administrator would write them: what
    # stands in the document is what is used.
    settings: dict[str, str] = {}
    # A case of cases.py -> Expected, where it differs.
    expected: dict = {}
    # Sentences for people: what to know, what does not work, and why.
    notes: tuple[str, ...] = ()

    def prepare(self, box):
        """What comes before the start: users of the application's own."""

    def start(self, box):
        """Starts it in the sandbox, ready for logins."""

    def log_in(self, person) -> Seen:
        """One login, by a client of the application's own kind where there is one."""
        raise NotImplementedError

    def expects(self, case):
        return self.expected.get(case, case.expected)
