"""What goes wrong, and what the page says then."""

import time

from apps.sandbox import wait_until

# What a page that writes it as markup would run, and show a picture of.
MARKUP = "<img src=x onerror=document.title=1>"


def a_wrong_code_tells_what_to_check_and_a_wrong_clock_by_how_much(desk):
    alice = desk.sit_down(desk.add_user("alice")).arrive()
    phone = alice.key_of_a_first_device()
    alice.activate(phone.wrong_code())
    alice.shows("The code does not match.")
    alice.shows("time zone of the device")
    alice.state("trouble-wrong-code")
    # The clock of the phone is ten minutes ahead.
    alice.activate(phone.code(20))
    alice.shows("The code is for another time.")
    alice.shows("10 minutes ahead")
    alice.state("trouble-other-time")
    alice.activate("no code")
    alice.shows("This is not a code.")
    assert not desk.is_enrolled("alice")
    alice.activate(phone.fresh())
    alice.recovery_codes()
    assert desk.is_enrolled("alice")


def an_enrolment_that_has_expired_is_begun_again(desk):
    bob = desk.sit_down(desk.add_user("bob")).arrive()
    late = bob.key_of_a_first_device()
    desk.edit("/home/bob/.pam-otp/pending.toml", r"expires = \d+", f"expires = {int(time.time()) - 1}")
    bob.activate(late.fresh())
    bob.shows("This was not finished in time.")
    assert bob.button("Activate").count() == 0, "no code helps any more"
    bob.state("trouble-expired")
    assert not desk.is_enrolled("bob")
    bob.press("Start again")
    bob.press("Next")
    phone = bob.scan()
    assert phone.text != late.text, "the key of before"
    bob.activate(phone.fresh())
    bob.recovery_codes()


def of_two_tabs_the_later_one_wins_and_the_other_one_says_so(desk):
    first = desk.sit_down(desk.add_user("carol")).arrive()
    early = first.key_of_a_first_device()
    # What was begun is told apart by its second.
    began = int(time.time())
    wait_until("another second", lambda: int(time.time()) > began)
    second = first.another_tab()
    late = second.key_of_a_first_device()
    assert early.text != late.text

    first.tab.bring_to_front()
    first.activate(early.fresh())
    first.shows("Another window or terminal has begun")
    first.state("trouble-two-tabs")
    assert not desk.is_enrolled("carol")

    second.tab.bring_to_front()
    second.activate(late.fresh())
    second.recovery_codes()
    first.tab.bring_to_front()
    first.press("Start again")
    first.press("Next")
    first.shows("Two-factor login is on already.")
    first.press("Cancel")
    first.button("Disable two-factor login").wait_for()


def a_session_that_is_lost_midway_leaves_nothing_half_done(desk):
    dora = desk.sit_down(desk.add_user("dora")).arrive()
    phone = dora.key_of_a_first_device()
    dora.type_code(phone.fresh())
    desk.end_session("dora")
    # Cockpit covers all pages.
    dora.tab.get_by_role("heading", name="Disconnected").or_(
        dora.tab.get_by_text("Server has closed the connection")
    ).first.wait_for()
    dora.keep("trouble-session-lost")
    assert not desk.is_enrolled("dora"), "switched on by nobody"

    dora.arrive()
    dora.finish_what_waits(phone)
    assert desk.is_enrolled("dora")


def a_user_name_with_markup_in_it_is_text(desk):
    desk.add_odd_user(MARKUP)
    mallory = desk.sit_down(MARKUP).arrive()
    mallory.shows(MARKUP)
    phone = mallory.key_of_a_first_device()
    assert phone.account == MARKUP
    mallory.state("trouble-markup")
    assert mallory.page.locator("img[src=x]").count() == 0, "a name is markup"
    mallory.activate(phone.fresh())
    mallory.recovery_codes()
    with mallory.tab.expect_download() as download:
        mallory.press("Download")
    assert MARKUP in download.value.path().read_text(encoding="utf-8")


def too_many_wrong_codes_have_to_wait_and_a_recovery_code_need_not(desk):
    phone = desk.enrol(desk.add_user("erin"))
    erin = desk.sit_down("erin")
    assert erin.log_in(phone.fresh())
    erin.await_page()
    erin.press("Disable two-factor login")
    button = erin.dialogue.get_by_role("button", name="Disable two-factor login")
    waits = erin.page.get_by_text("Too many wrong codes").first
    for _ in range(12):
        erin.type_code(phone.wrong_code())
        button.click()
        erin.page.get_by_text("The code does not match.").or_(waits).first.wait_for()
        erin.field("Code").and_(erin.page.locator('[value=""]')).wait_for()
        if waits.is_visible():
            break
    waits.wait_for()
    erin.state("trouble-throttled")
    erin.type_code(phone.recovery[0])
    button.click()
    erin.shows("Two-factor login is off.")


def a_record_that_is_broken_is_named(desk):
    phone = desk.enrol(desk.add_user("frank"))
    frank = desk.sit_down("frank")
    assert frank.log_in(phone.fresh())
    frank.await_page()
    desk.edit("/home/frank/.pam-otp/token.toml", r"(?s)\A.*\Z", "version = 1\nnonsense\n")
    frank.reload()
    frank.page.get_by_role("alert").wait_for()
    frank.shows("This two-factor login cannot be read.")
    frank.shows("An administrator can reset it.")
    frank.shows("/home/frank/.pam-otp/token.toml")
    frank.state("trouble-broken-record")


def a_host_without_the_command_says_so(desk):
    grace = desk.sit_down(desk.add_user("grace"))
    with desk.without_command():
        assert grace.log_in()
        grace.shows("The command pam-otp is not installed on this host.")
        grace.state("trouble-no-command")
