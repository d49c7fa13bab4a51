"""For applications that run PAM as a user of their own: with records in the users'
homes, which that user cannot read, and with a store of the application's own."""

from apps.cases import CASES, WRONG_PASSWORD, Expected


def refuses(why, reason="no_rights"):
    """Every case is refused. A wrong password ends it before the code is looked at."""
    refused = {case: Expected(False, reason, why) for case in CASES}
    return refused | {WRONG_PASSWORD: WRONG_PASSWORD.expected}


class OwnStore:
    """Records in a directory of who runs PAM. Mixed in before the Application."""

    # The directory's path.
    store = ""

    @property
    def enrolled_by(self):
        return self.runs_as

    @property
    def rules(self):
        return f'[service.{self.service}]\nstore = "system"\nsystem_store = "{self.store}"\n'

    def prepare(self, box):
        super().prepare(box)
        box.run("install", "-d", "-m", "700", "-o", self.runs_as, self.store)
