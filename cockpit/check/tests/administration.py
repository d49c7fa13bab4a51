"""What an administrator does with the page."""

import re
import time

from apps.cases import PASSWORD

WIDE = {"viewport": {"width": 1280, "height": 1000}}
BY_PASSWORD = ("Password", PASSWORD)
MARKUP = "<img src=x onerror=document.title=1>"


def _administrator(desk, name, **settings):
    """An administrator in front of the second part of the page."""
    seat = desk.sit_down(desk.add_user(name, "sudo"), **(settings or WIDE)).arrive()
    seat.administer(BY_PASSWORD)
    seat.administration()
    return seat


def without_administrative_access_the_page_says_how_to_turn_it_on(desk):
    alice = desk.sit_down(desk.add_user("alice")).arrive()
    alice.page.get_by_role("tab", name="Administration").click()
    alice.shows(re.compile("administrative access", re.IGNORECASE))
    alice.state("admin-limited")
    assert alice.page.get_by_role("table", name="Users").count() == 0


def an_administrator_resets_a_user_who_lost_the_phone(desk):
    desk.enrol(desk.add_user("bob"))
    desk.begin(desk.add_user("carol"))
    boss = _administrator(desk, "boss")
    boss.state("admin-users")
    boss.page.get_by_label("Search").first.fill("bo")
    boss.button("Reset carol").wait_for(state="hidden")
    boss.press("Reset bob")
    boss.state("admin-reset")
    assert desk.is_enrolled("bob"), "reset before it was confirmed"
    boss.dialogue.get_by_role("button", name="Reset").click()
    boss.shows("Two-factor login was reset for bob.")
    boss.state("admin-reset-done")
    assert not desk.is_enrolled("bob")

    bob = desk.sit_down("bob").arrive()
    bob.press("Enable two-factor login")
    bob.press("Next")
    phone = bob.scan()
    bob.type_code(phone.fresh())
    bob.press("Activate")
    bob.recovery_codes()
    assert desk.is_enrolled("bob")


def administrative_access_asks_for_a_code_where_sudo_does(desk):
    with desk.stack("sudo", "sudo"):
        phone = desk.enrol(desk.add_user("dora", "sudo"))
        dora = desk.sit_down("dora", **WIDE)
        assert dora.log_in(phone.fresh())
        dora.await_page()
        dora.administer(BY_PASSWORD, ("One-time code", phone.fresh()))
        dora.administration()
        dora.page.get_by_role("table", name="Users").get_by_text("dora").first.wait_for()


def an_administrator_unlocks_and_disables(desk):
    desk.enrol(desk.add_user("erin"))
    desk.guess("erin", 6)
    chief = _administrator(desk, "chief")
    chief.press("Unlock erin")
    chief.dialogue.get_by_role("button", name="Unlock").click()
    chief.shows("Nobody has to wait any more to log in as erin.")
    chief.press("Disable erin")
    chief.state("admin-disable")
    chief.dialogue.get_by_role("button", name="Disable").click()
    chief.shows("Two-factor login is off for erin.")
    assert not desk.is_enrolled("erin")


def an_administrator_switches_a_service_on_for_a_try_and_off_again(desk):
    before = desk.read("/etc/pam.d/sudo")
    frank = _administrator(desk, "frank")
    frank.press("Switch on sudo")
    frank.page.get_by_role("region", name=re.compile("Changes of")).wait_for()
    frank.state("admin-service-difference")
    assert desk.read("/etc/pam.d/sudo") == before, "changed before it was confirmed"
    frank.dialogue.get_by_role("button", name="Apply").click()
    frank.shows("sudo is on trial until")
    frank.state("admin-service-trial")
    assert "pam_otp.so" in desk.read("/etc/pam.d/sudo")
    frank.press("Switch off sudo")
    frank.state("admin-service-off")
    frank.dialogue.get_by_role("button", name="Switch off").click()
    frank.shows("sudo asks for no code any more.")
    assert desk.read("/etc/pam.d/sudo") == before


def an_administrator_requires_and_exempts(desk):
    grace = _administrator(desk, "grace")
    grace.press("Require two-factor login")
    grace.fill("Users", "grace")
    grace.fill("Groups", "sudo")
    grace.page.get_by_label("From this day on").fill("2099-01-31")
    grace.state("admin-require")
    grace.dialogue.get_by_role("button", name="Require").click()
    grace.shows("The list of those who are required was changed.")
    grace.press("Add exemption")
    grace.fill("Networks", "192.0.2.0/24")
    grace.dialogue.get_by_role("button", name="Exempt").click()
    grace.shows("The list of exemptions was changed.")
    grace.button("Do not exempt 192.0.2.0/24").wait_for()
    grace.state("admin-lists")
    rules = desk.read("/etc/security/pam_otp.toml")
    for wanted in ("grace", "sudo", "2099-01-31", "192.0.2.0/24"):
        assert wanted in rules, rules


def the_last_events_are_text_whatever_stands_in_them(desk):
    now = time.strftime("%b %e %H:%M:%S")
    lines = (
        "sshd[7]: pam_otp(sshd:auth): outcome=granted reason=code user=heidi service=sshd "
        "rhost=192.0.2.7 token=phone",
        f'sshd[7]: pam_otp(sshd:auth): outcome=denied reason=wrong_code user="{MARKUP}" '
        "service=sshd rhost=192.0.2.7",
    )
    desk.box.write("/var/log/auth.log", "".join(f"{now} host {line}\n" for line in lines))
    desk.add_odd_user(MARKUP)
    heidi = _administrator(desk, "heidi")
    events = heidi.page.get_by_role("table", name="Last events")
    events.get_by_text("192.0.2.7").first.wait_for()
    events.get_by_text(MARKUP).first.wait_for()
    heidi.page.get_by_role("table", name="Users").get_by_text(MARKUP).first.wait_for()
    assert heidi.page.locator("img[src=x]").count() == 0, "a name is markup"
    heidi.tab.set_viewport_size({"width": 1280, "height": 2600})
    heidi.state("admin-whole")


def the_administration_is_dark_too_and_fits_on_a_phone(desk):
    desk.enrol(desk.add_user("ivan"))
    judy = _administrator(desk, "judy", color_scheme="dark", **WIDE)
    judy.state("admin-dark")
    judy.tab.set_viewport_size({"width": 375, "height": 2600})
    judy.state("admin-narrow")
    assert judy.frame.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "too wide"
