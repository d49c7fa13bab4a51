"""What a user does with the page, from off to on and back."""

import re

from cockpit.check.phone import Phone

NEW_NAME = "tablet"


def a_user_switches_it_on_and_off_and_logs_in_with_codes_meanwhile(desk):
    alice = desk.sit_down(desk.add_user("alice")).arrive()
    alice.state("own-off")

    alice.press("Enable two-factor login")
    alice.field("Device name").wait_for()
    alice.state("own-enable")
    alice.press("Next")
    phone = alice.scan()
    assert (phone.issuer, phone.account) == ("host", "alice")
    alice.state("own-enable-key")
    assert not desk.is_enrolled("alice"), "on before the first code"
    alice.activate(phone.fresh())

    codes = alice.recovery_codes()
    assert alice.button("Done").is_disabled(), "closed before they are stored"
    alice.state("own-recovery-codes")
    alice.store_codes()
    alice.button("Disable two-factor login").wait_for()
    alice.shows("10 recovery codes are left")
    alice.state("own-on")

    alice.log_out()
    used = phone.fresh()
    assert alice.log_in(used), "the right code is refused"
    alice.await_page()
    alice.log_out()
    assert not alice.log_in(used), "a used code lets in"
    alice.keep("login-refused")
    assert alice.log_in(codes[0]), "a recovery code is refused"
    alice.shows("9 recovery codes are left")
    alice.log_out()
    assert not alice.log_in(codes[0]), "a used recovery code lets in"
    assert alice.log_in(codes[1]), "the next recovery code is refused"

    alice.press("Disable two-factor login")
    alice.state("own-disable")
    alice.type_code(phone.fresh())
    alice.dialogue.get_by_role("button", name="Disable two-factor login").click()
    alice.shows("Two-factor login is off.")
    assert not desk.is_enrolled("alice")
    alice.log_out()
    alice.arrive()


def a_user_adds_a_second_device_renames_it_and_removes_the_first(desk):
    phone = desk.enrol(desk.add_user("bob"))
    bob = desk.sit_down("bob")
    assert bob.log_in(phone.fresh())
    bob.await_page()

    bob.press("Add device")
    bob.fill("Device name", NEW_NAME)
    bob.type_code(phone.recovery[0])
    bob.state("own-add")
    bob.press("Next")
    tablet = bob.scan()
    bob.state("own-add-key")
    bob.activate(tablet.fresh())
    bob.shows("The device was added.")
    assert bob.button("Remove phone").get_attribute("aria-disabled") != "true", "still the only one"
    bob.state("own-two-devices")

    bob.press(f"Rename {NEW_NAME}")
    bob.fill("Device name", "pad <b>&amp;")
    bob.type_code(tablet.fresh())
    bob.state("own-rename")
    bob.dialogue.get_by_role("button", name="Rename").click()
    bob.shows("The device has its new name.")
    bob.button("Rename pad <b>&amp;").wait_for()

    bob.press("Remove phone")
    bob.type_code(phone.fresh())
    bob.state("own-remove")
    bob.dialogue.get_by_role("button", name="Remove").click()
    bob.shows("The device was removed.")
    assert [one["name"] for one in desk.pam_otp("status", "--user", "bob")["tokens"]] == ["pad <b>&amp;"]
    assert bob.button("Remove pad <b>&amp;").get_attribute("aria-disabled") == "true"

    bob.log_out()
    assert not bob.log_in(phone.fresh()), "a removed device lets in"
    assert bob.log_in(tablet.fresh()), "the second device does not let in"


def a_lost_phone_is_replaced_by_another_one_with_a_recovery_code(desk):
    lost = desk.enrol(desk.add_user("ivan"))
    ivan = desk.sit_down("ivan")
    assert ivan.log_in(lost.recovery[0])
    ivan.await_page()

    ivan.press("Replace phone")
    assert ivan.field("Device name").input_value() == "phone"
    ivan.type_code(lost.recovery[1])
    ivan.state("own-replace")
    ivan.press("Next")
    phone = ivan.scan()
    assert phone.text != lost.text
    ivan.shows("codes of the old “phone” no longer let you in")
    ivan.state("own-replace-key")
    # Not before it is known that the new one shows right codes.
    ivan.press("Cancel")
    assert desk.pam_otp("verify", "--user", "ivan", given=lost.fresh() + "\n")["ok"]

    ivan.press("Replace phone")
    ivan.fill("Device name", "new phone")
    ivan.type_code(lost.recovery[2])
    ivan.press("Next")
    phone = ivan.scan()
    ivan.activate(phone.fresh())
    ivan.shows("The device was replaced.")
    ivan.button("Replace new phone").wait_for()
    ivan.shows("7 recovery codes are left")
    tokens = desk.pam_otp("status", "--user", "ivan")["tokens"]
    assert [one["name"] for one in tokens] == ["new phone"], tokens
    ivan.log_out()
    assert not ivan.log_in(lost.fresh()), "the lost phone lets in"
    assert ivan.log_in(phone.fresh()), "the new phone does not let in"


def what_waits_to_replace_a_device_does_so_wherever_it_is_finished(desk):
    lost = desk.enrol(desk.add_user("olga"))
    begun = desk.pam_otp("enroll", "--user", "olga", "--replace", "phone")
    phone = Phone(begun["token"]["key"])
    olga = desk.sit_down("olga")
    assert olga.log_in(lost.fresh())
    olga.press("Enter its code")
    olga.page.get_by_role("heading", name="Replace “phone”").wait_for()
    olga.activate(phone.fresh())
    olga.shows("The device was replaced.")
    assert desk.pam_otp("verify", "--user", "olga", given=phone.fresh() + "\n")["ok"]


def new_recovery_codes_take_the_place_of_the_earlier_ones(desk):
    phone = desk.enrol(desk.add_user("carol"))
    carol = desk.sit_down("carol")
    assert carol.log_in(phone.fresh())
    carol.press("New recovery codes")
    carol.type_code(phone.fresh())
    carol.state("own-new-recovery-codes")
    carol.press("Make new codes")
    codes = carol.recovery_codes()
    carol.store_codes()
    carol.shows("There are new recovery codes.")
    assert not set(codes) & set(phone.recovery)
    carol.log_out()
    assert not carol.log_in(phone.recovery[0]), "an earlier recovery code lets in"
    assert carol.log_in(codes[0]), "a new recovery code is refused"


def keys_and_codes_can_be_taken_along(desk):
    dora = desk.sit_down(desk.add_user("dora"), permissions=["clipboard-read", "clipboard-write"])
    dora.arrive()
    phone = dora.key_of_a_first_device()
    dora.press("Copy key")
    dora.shows("Copied.")
    assert dora.clipboard() == phone.text
    dora.activate(phone.fresh())

    codes = dora.recovery_codes()
    dora.press("Copy codes")
    dora.shows("Copied.")
    assert dora.clipboard().split() == codes
    with dora.tab.expect_download() as download:
        dora.press("Download")
    assert re.fullmatch(r"recovery-codes-host\.txt", download.value.suggested_filename)
    text = download.value.path().read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if "-" in line and " " not in line] == codes
    assert "dora" in text and "host" in text, text

    dora.frame.evaluate("window.print = () => { window.printed = true; }")
    dora.press("Print")
    assert dora.frame.evaluate("window.printed"), "nothing is printed"
    dora.tab.emulate_media(media="print")
    dora.keep("own-print")
    paper = dora.text()
    assert all(code in paper for code in codes), "a recovery code is not on paper"
    assert "I have stored" not in paper, "the dialogue is on paper"


def without_the_first_code_nothing_changes(desk):
    erin = desk.sit_down(desk.add_user("erin")).arrive()
    erin.key_of_a_first_device()
    erin.press("Cancel")
    erin.button("Enable two-factor login").wait_for()
    status = desk.pam_otp("status", "--user", "erin")
    assert not status["enrolled"] and status["pending"] is None, status
    erin.log_out()
    erin.arrive()


def what_was_begun_elsewhere_can_be_finished_here(desk):
    desk.add_user("frank")
    phone = desk.begin("frank")
    frank = desk.sit_down("frank").arrive()
    frank.shows("waits for its first code")
    frank.state("own-pending")
    frank.finish_what_waits(phone)
    assert desk.is_enrolled("frank")


def what_was_begun_since_is_not_what_is_discarded(desk):
    desk.begin(desk.add_user("heidi"))
    heidi = desk.sit_down("heidi").arrive()
    heidi.shows("waits for its first code")
    desk.pam_otp("cancel", "--user", "heidi")
    desk.pam_otp("enroll", "--user", "heidi", "--name", "other")
    heidi.press("Discard")
    heidi.shows("Another window or terminal has begun")
    heidi.shows("The device “other” waits for its first code.")
    assert desk.pam_otp("status", "--user", "heidi")["pending"]["name"] == "other"


def what_was_begun_elsewhere_can_be_discarded(desk):
    desk.add_user("grace")
    desk.begin("grace")
    grace = desk.sit_down("grace").arrive()
    grace.press("Discard")
    grace.shows("The device was discarded.")
    assert desk.pam_otp("status", "--user", "grace")["pending"] is None
