"""What administrative access is good for: a user who lost the phone gets in again."""

import itertools

from playwright.sync_api import expect

from apps.cases import PASSWORD
from apps.sandbox import POLICY
from cockpit.check.desk import WIDE

# Whether what has the focus is covered by nothing.
IN_SIGHT = """one => {
    one.focus();
    const { x, y, width, height } = one.getBoundingClientRect();
    return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


def an_administrator_resets_a_user_who_lost_the_phone(desk):
    desk.enrol(desk.add_user("bob"))
    desk.begin(desk.add_user("carol"))
    boss = desk.administrator("boss")
    boss.state("admin-users")
    boss.page.get_by_label("Search").first.fill("bo")
    boss.button("Reset carol").wait_for(state="hidden")
    boss.press("Reset bob")
    boss.state("admin-reset")
    assert desk.is_enrolled("bob"), "reset before it was confirmed"
    boss.dialogue.get_by_role("button", name="Reset").click()
    boss.shows("Two-factor login was reset for bob.")
    assert boss.button("Reset bob").count() == 0, "the table is older than the notice"
    boss.state("admin-reset-done")
    assert not desk.is_enrolled("bob")

    bob = desk.sit_down("bob").arrive()
    bob.activate(bob.key_of_a_first_device().fresh())
    bob.recovery_codes()
    assert desk.is_enrolled("bob")


def who_has_no_record_any_more_is_said_to_get_in_where_any_service_lets_them(desk):
    policy = desk.read(POLICY)
    deny = policy.replace('"allow"', '"deny"')
    later = policy.replace('"allow"', '"enroll"') + 'enroll_by = "9999-12-31"\n'
    users = [desk.add_user(f"oscar{number}") for number in range(8)]
    for user in users:
        desk.enrol(user)
    hugo = desk.administrator("hugo")
    by_deed = {
        "Reset": "Two-factor login was reset for",
        "Disable": "Two-factor login is off for",
    }
    cases = [
        (policy + f"require_users = {users}\n", False),
        (deny + '[service.cockpit]\nunenrolled = "allow"\n', True),
        (later, True),
        (deny + f"exempt_users = {users}\n", True),
    ]
    try:
        for user, ((rules, opens), deed) in zip(users, itertools.product(cases, by_deed)):
            desk.box.write(POLICY, rules)
            hugo.press(f"Reset {user}")
            hugo.page.get_by_role("radio", name=deed).check()
            hugo.dialogue.get_by_role("button", name=deed).click()
            notice = hugo.page.get_by_role("status").filter(has_text=f"{by_deed[deed]} {user}.")
            notice.wait_for()
            words = notice.text_content()
            can = "this user can now log in without a code" in words
            cannot = "this user cannot log in without a code" in words
            assert (can, cannot) == (opens, not opens), f"{deed}, {rules}: {words}"
            assert ("Warning alert" in words) == opens, f"{deed}, {rules}: {words}"
    finally:
        desk.box.write(POLICY, policy)


def a_card_that_cannot_be_read_takes_nobody_there(desk):
    # There is no log on this host.
    kate = desk.administrator("kate", viewport={"width": 1280, "height": 500})
    kate.shows("The system's log cannot be read")
    heading = kate.page.get_by_role("heading", name="Two-factor login on this host")
    expect(heading).to_be_in_viewport()


def what_was_done_is_said_where_the_administrator_is(desk):
    desk.add_user("felix")
    desk.pam_otp("require", "felix")
    gina = desk.administrator("gina", viewport={"width": 800, "height": 500})
    top = gina.page.get_by_role("heading", name="Two-factor login on this host")
    said = lambda text: gina.page.get_by_role("status").filter(has_text=text)

    gina.press("Do not require felix")
    gina.dialogue.get_by_role("button", name="Remove").click()
    expect(said("felix is no longer required.")).to_be_in_viewport(ratio=1)
    assert gina.button("Do not require felix").count() == 0, "the table is older than the notice"
    # The button is gone, and the focus is not lost with it.
    gina.page.get_by_role("heading", name="Required", exact=True).locator(":focus").wait_for()
    expect(top).not_to_be_in_viewport()

    gina.press("Add exemption")
    gina.fill("Users", "root")
    gina.dialogue.get_by_role("button", name="Exempt").click()
    # It has a warning in it, and so stays.
    notice = said("The list of exemptions was changed.")
    expect(notice).to_be_in_viewport(ratio=1)
    expect(top).not_to_be_in_viewport()
    gina.button("Add exemption").and_(gina.page.locator(":focus")).wait_for()
    gina.state("admin-notice")
    gina.tab.set_viewport_size({"width": 375, "height": 667})
    expect(notice).to_be_in_viewport(ratio=1)
    gina.state("admin-notice-narrow")
    for button in gina.page.get_by_role("button").all():
        assert button.evaluate(IN_SIGHT), f"below the notice: {button.text_content()}"
    # It is in no dialogue's way, and is there again when nothing came of that.
    gina.press("Do not exempt root")
    expect(notice).to_be_hidden()
    gina.dialogue.get_by_role("button", name="Cancel").click()
    expect(notice).to_be_visible()
    gina.press("Do not exempt root")
    gina.dialogue.get_by_role("button", name="Remove").click()
    expect(said("root is no longer exempt.")).to_be_in_viewport(ratio=1)
    expect(notice).to_have_count(0)


def a_service_that_shares_a_list_is_named_before_somebody_is_put_on_it(desk):
    policy = desk.read(POLICY)
    rules = """unenrolled = "enroll"
require_users = ["alice"]
require_groups = ["sudo"]
[service.sshd]
require_by = "2027-01-01"
unenrolled = "deny"
[service.su]
require_users = ["bob"]
unenrolled = "deny"
[service.cockpit]
unenrolled = "allow"
require_groups = []
"""
    desk.add_user("carol2")
    kim = desk.administrator("kim")
    try:
        desk.box.write(POLICY, rules)
        kim.press("Require two-factor login")
        said = kim.dialogue.locator("[aria-live]")
        refused = lambda service: said.get_by_text(f"{service}: Who of them has no two-factor login is refused")
        kim.fill("Users", "carol2")
        refused("sshd").wait_for()
        refused("cockpit").wait_for()
        assert "Warning alert" in said.text_content()
        # Its list of users is its own.
        expect(refused("su")).to_have_count(0)
        kim.fill("Users", "")
        kim.fill("Groups", "games")
        refused("su").wait_for()
        expect(refused("cockpit")).to_have_count(0)
        # PAM knows it by small letters.
        kim.fill("Only for this service", "SSHD")
        said.get_by_text("is refused from now on: the day puts nothing off.").wait_for()
        expect(refused("su")).to_have_count(0)
        kim.dialogue.get_by_role("button", name="Require").click()
        kim.shows("The list of those who are required was changed.")
        assert 'require_groups = ["sudo", "games"]' in desk.read(POLICY)
    finally:
        desk.box.write(POLICY, policy)


def administrative_access_asks_for_a_code_where_sudo_does(desk):
    with desk.stack("sudo", "sudo"):
        phone = desk.enrol(desk.add_user("dora", "sudo"))
        dora = desk.sit_down("dora", **WIDE)
        assert dora.log_in(phone.fresh())
        dora.await_page()
        dora.administer(("Password", PASSWORD), ("One-time code", phone.fresh()))
        dora.administration()
        dora.page.get_by_role("table", name="Users").get_by_text("dora").first.wait_for()


def the_administration_is_dark_too_and_fits_on_a_phone(desk):
    desk.enrol(desk.add_user("ivan"))
    judy = desk.administrator("judy", color_scheme="dark")
    judy.state("admin-dark")
    judy.tab.set_viewport_size({"width": 375, "height": 2600})
    judy.state("admin-narrow")
    assert judy.frame.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "too wide"


def a_log_that_was_flooded_is_not_said_to_have_nothing(desk):
    # Lines that do not name the program at all are passed over, and cost nothing.
    noise = "2026-11-22T06:40:47Z host app[7]: noise about pam-otp"
    log = "/var/log/auth.log"
    desk.box.run("sh", "-c", f"yes '{noise}' | head -n 200001 >{log}")
    try:
        fred = desk.administrator("fred")
        fred.shows("Only 200,000 lines of the log were looked at, back to 2026-11-22T06:40:47Z")
        fred.shows("What was looked at of the log has nothing about two-factor login.")
        fred.state("administration-flooded")
    finally:
        desk.box.run("rm", log)
