"""The administrators' part: users as they stand, services, the policy's lists, the log."""

import re
import time

from apps.cases import PASSWORD
from cockpit.check.desk import WIDE

HOSTILE = "<img src=x onerror=alert(1)>\\u{202e}eve"


def who_could_turn_administrative_access_on_is_told_and_others_see_no_tab(desk):
    boss = desk.sit_down(desk.add_user("boss", "sudo"), **WIDE).arrive()
    tab = boss.page.get_by_role("tab", name="Administration")
    tab.click()
    boss.shows("Turn on administrative access")
    boss.state("administration-limited")
    assert boss.page.get_by_role("table").count() == 0

    user = desk.sit_down(desk.add_user("user"), **WIDE).arrive()
    user.button("Enable two-factor login").wait_for()
    assert user.page.get_by_role("tab").count() == 0


def everybody_is_found_with_their_state_and_what_strangers_wrote_is_text(desk):
    desk.enrol(desk.add_user("anna"))
    desk.enrol(desk.add_user("broke"))
    desk.begin(desk.add_user("carol"))
    desk.box.write("/home/broke/.pam-otp/token.toml", "nonsense\n", 0o600)
    for _ in range(3):
        # Each is refused, which is an exit status.
        desk.box.run("sh", "-c", "/run/pam-otp-test/pam-otp verify --user anna || true", given="000000\n")
    _log(
        "sshd[7]: pam_otp(sshd:auth): outcome=granted reason=code user=anna service=sshd rhost=192.0.2.7",
        f'sshd[7]: pam_otp(sshd:auth): outcome=denied reason=wrong_code user="{HOSTILE}" service=sshd rhost=""',
        "pam-otp[7]: action=unlock user=anna by=root outcome=done path=/home/anna/.pam-otp",
        desk=desk,
    )
    admin = desk.administrator("head")
    users = admin.page.get_by_role("table", name="Users")
    row = lambda name: users.get_by_role("row", name=re.compile(rf"^{name}\b"))
    for name, words in {
        "anna": "On", "broke": "Broken", "carol": "Begun", "head": "Off",
    }.items():
        assert words in row(name).inner_text(), row(name).inner_text()
    assert "line 1" in row("broke").inner_text()
    admin.state("administration")

    events = admin.page.get_by_role("table", name="Last events")
    lines = events.get_by_role("row").all_inner_texts()[1:]
    assert "unlock by root" in lines[0] and "Changed" in lines[0], lines
    assert HOSTILE in lines[1] and "Refused" in lines[1], lines
    assert "Right code" in lines[2] and "192.0.2.7" in lines[2], lines
    assert events.locator("img").count() == 0

    admin.page.get_by_label("State").select_option("Broken")
    assert users.get_by_role("row").count() == 2
    admin.page.get_by_label("State").select_option("All states")
    admin.page.get_by_label("Search", exact=True).fill("ANN")
    assert users.get_by_role("row").count() == 2
    admin.press("Unlock anna")
    admin.state("administration-unlock")
    admin.dialogue.get_by_role("button", name="Unlock").click()
    admin.shows("Nobody has to wait any more to log in as anna.")
    admin.button("Unlock anna").wait_for(state="detached")
    admin.press("Reset anna")
    admin.page.get_by_role("radio", name="Disable").check()
    admin.state("administration-disable")
    admin.dialogue.get_by_role("button", name="Cancel").click()
    assert desk.is_enrolled("anna")
    admin.press("Reset anna")
    admin.page.get_by_role("radio", name="Disable").check()
    admin.dialogue.get_by_role("button", name="Disable").click()
    notice = admin.page.get_by_role("status").filter(has_text="Two-factor login is off for anna.")
    notice.wait_for()
    # The policy of these tests lets in who has no record.
    assert "this user can now log in without a code" in notice.inner_text(), notice.inner_text()
    assert "Off" in row("anna").inner_text(), "the table is older than the notice"
    assert not desk.is_enrolled("anna")


def accounts_of_programs_are_shown_on_demand(desk):
    desk.add_user("petra")
    desk.enrol(desk.add_user("robot"))
    desk.box.run("usermod", "--uid", "577", "robot")
    # Below where people begin elsewhere.
    desk.edit("/etc/login.defs", r"(?m)^UID_MIN\b.*$", "UID_MIN 700")
    desk.box.run("useradd", "--uid", "701", "pioneer")
    admin = desk.administrator("porter")
    users = admin.page.get_by_role("table", name="Users")
    row = lambda name: users.get_by_role("row", name=re.compile(rf"^{name}\b"))
    row("petra").wait_for()
    row("pioneer").wait_for()
    row("daemon").wait_for(state="detached")
    row("root").wait_for()
    # It has something to say.
    row("robot").wait_for()
    admin.page.get_by_label("State").select_option("All states")
    admin.page.get_by_label("Search", exact=True).fill("daemon")
    row("daemon").wait_for()


def what_users_put_into_their_own_records_does_not_take_the_page_from_administrators(desk):
    desk.enrol(desk.add_user("eve"))
    desk.edit("/home/eve/.pam-otp/token.toml", r"added = \d+", f"added = {9 * 10 ** 15}")
    desk.enrol(desk.add_user("mallory"))
    hostile = 'version = 1\n"' + "\u202e<img src=x onerror=alert(1)>" + '" = 1\n'
    desk.box.write("/home/mallory/.pam-otp/token.toml", hostile, 0o600)
    desk.box.run("chown", "mallory:", "/home/mallory/.pam-otp/token.toml")
    admin = desk.administrator("warden")
    users = admin.page.get_by_role("table", name="Users")
    row = lambda name: users.get_by_role("row", name=re.compile(rf"^{name}\b")).inner_text()
    assert "On" in row("eve") and "Not known" in row("eve"), row("eve")
    assert "\\u{202e}<img" in row("mallory"), row("mallory")
    assert users.locator("img").count() == 0


def a_service_is_tried_proven_kept_and_switched_off_again(desk):
    desk.install_module()
    phone = desk.enrol(desk.add_user("tester", "sudo"))
    before = desk.box.run("cat", "/etc/pam.d/sudo")
    admin = desk.administrator("keeper")
    admin.press("Switch on sudo")
    changes = admin.page.get_by_role("region", name="Changes of /etc/pam.d/sudo")
    changes.wait_for()
    assert "+auth" in changes.inner_text() and "pam_otp.so" in changes.inner_text()
    admin.shows("You do not have two-factor login yourself.")
    admin.state("administration-service")
    assert desk.box.run("cat", "/etc/pam.d/sudo") == before, "changed before it was applied"
    admin.dialogue.get_by_role("button", name="Apply").click()
    admin.shows("sudo is on trial until")
    admin.press("Keep sudo")
    admin.dialogue.get_by_role("button", name="Keep").click()
    admin.shows("Nobody has logged in through sudo with a code since the trial began.")
    admin.state("administration-not-proven")
    admin.dialogue.get_by_role("button", name="Cancel").click()

    given = f"{PASSWORD}\n{phone.fresh()}\n"
    assert desk.box.run("sudo", "-S", "id", "-un", given=given, user="tester") == "root\n"
    admin.press("Keep sudo")
    admin.dialogue.get_by_role("button", name="Keep").click()
    admin.shows("sudo asks for a code from now on.")
    admin.shows("tester")
    admin.button("Keep sudo").wait_for(state="detached")
    admin.press("Switch off sudo")
    admin.state("administration-switch-off")
    admin.dialogue.get_by_role("button", name="Switch off").click()
    admin.shows("sudo asks for no code any more.")
    assert desk.box.run("cat", "/etc/pam.d/sudo") == before

    admin.press("Switch on sshd")
    admin.page.get_by_role("region", name="Changes of /etc/pam.d/sshd").wait_for()
    admin.page.get_by_role("radio", name="SSH key and code").check()
    admin.page.get_by_text("publickey").first.wait_for()
    admin.state("administration-sshd")
    admin.dialogue.get_by_role("button", name="Cancel").click()


def what_becomes_of_who_has_no_two_factor_login_is_said_before_they_are_required(desk):
    desk.policy('[service.sshd]\nunenrolled = "enroll"\n')
    desk.add_user("ruth")
    admin = desk.administrator("notary")
    admin.press("Require two-factor login")
    said = admin.dialogue.locator("[aria-live]")
    refused = said.get_by_text("Who of them has no two-factor login is refused from now on")
    refused.wait_for()
    said.get_by_text("sshd: Who of them has no two-factor login enables it as part of").wait_for()
    admin.state("administration-require")
    admin.page.get_by_label("From this day on").fill("2099-01-31")
    said.get_by_text("the day puts nothing off").wait_for()
    admin.fill("Only for this service", "sshd")
    said.get_by_text("Before 2099-01-31 they may put it off.").wait_for()
    assert refused.count() == 0
    admin.state("administration-require-service")
    admin.fill("Users", "ruth")
    admin.dialogue.get_by_role("button", name="Require").click()
    admin.shows("The list of those who are required was changed.")
    admin.shows("They need two-factor login from 2099-01-31 on.")
    admin.shows("Before 2099-01-31 they may put it off.")
    desk.policy("")


def users_and_groups_are_required_from_a_day_on_and_networks_exempt(desk):
    desk.add_user("dora")
    admin = desk.administrator("clerk")
    admin.press("Require two-factor login")
    admin.fill("Users", "dora, nobody-of-that-name")
    admin.fill("Groups", "games")
    admin.page.get_by_label("From this day on").fill("2099-01-31")
    admin.dialogue.get_by_role("button", name="Require").click()
    admin.dialogue.get_by_role("alert").wait_for()
    admin.state("administration-require-refused")
    admin.fill("Users", "dora")
    admin.dialogue.get_by_role("button", name="Require").click()
    admin.shows("The list of those who are required was changed.")
    now = desk.pam_otp("require")
    lists = next((it for it in now["sections"] if it["service"] == "cockpit"), now)
    assert (lists["users"], lists["groups"], lists["by"]) == (["dora"], ["games"], "2099-01-31"), now
    # The policy of these tests has nobody enable it at the login.
    admin.shows("refused from now on: the day puts nothing off.")
    admin.press("Change the day")
    admin.dialogue.get_by_text("the day puts nothing off.").wait_for()
    admin.page.get_by_label("From this day on").fill("")
    admin.dialogue.get_by_role("button", name="Change the day").click()
    admin.shows("Two-factor login is required at once.")
    admin.shows("They need two-factor login at once.")
    for name in ("games", "dora"):
        admin.press(f"Do not require {name}")
        admin.dialogue.get_by_role("button", name="Remove").click()
        admin.shows(f"{name} is no longer required.")
    admin.shows("Nobody is required by name.")

    admin.press("Add exemption")
    admin.fill("Networks", "192.0.2.0/24")
    admin.dialogue.get_by_role("button", name="Exempt").click()
    admin.button("Do not exempt 192.0.2.0/24").wait_for()
    admin.state("administration-exempt")
    admin.press("Do not exempt 192.0.2.0/24")
    admin.dialogue.get_by_role("button", name="Remove").click()
    admin.shows("Nobody is exempt.")


def _log(*lines, desk):
    """What a syslog daemon would have written by now."""
    stamp = time.strftime("%b %e %H:%M:%S")
    text = "".join(f"{stamp} host {line}\n" for line in lines)
    desk.box.write("/var/log/auth.log", text, 0o640)
