"""The page for everybody: dark and light, narrow, in another language, by keyboard."""

from playwright.sync_api import expect

NARROW = {"viewport": {"width": 375, "height": 667}}


def _through_all_states(desk, name, label, **settings):
    """From off to on, with a picture and a check of each state."""
    seat = desk.sit_down(desk.add_user(name), **settings)
    assert seat.log_in()
    seat.await_page()
    seat.state(f"{label}-off")
    phone = seat.key_of_a_first_device()
    seat.activate(phone.wrong_code())
    expect(seat.page.get_by_role("alert")).to_be_in_viewport(ratio=1)
    expect(seat.field("Code")).to_be_in_viewport(ratio=1)
    seat.state(f"{label}-wrong-code")
    seat.activate(phone.fresh())
    seat.recovery_codes()
    seat.state(f"{label}-recovery-codes")
    seat.store_codes()
    seat.button("Disable two-factor login").wait_for()
    seat.state(f"{label}-on")
    return seat


def it_is_dark_where_the_desktop_is(desk):
    alice = _through_all_states(desk, "alice", "dark", color_scheme="dark")
    assert "pf-v6-theme-dark" in alice.frame.evaluate("document.documentElement.className")


def it_fits_on_a_phone(desk):
    bob = _through_all_states(desk, "bob", "narrow", **NARROW)
    assert bob.frame.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "too wide"


def it_speaks_german(desk):
    carol = desk.sit_down(desk.add_user("carol"), locale="de-DE")
    carol.speak("de-de")
    assert carol.log_in()
    carol.page.get_by_role("button", name="Zwei-Faktor-Anmeldung einschalten").click()
    carol.press("Weiter")
    phone = carol.scan()
    carol.state("german-key")
    carol.page.get_by_role("textbox", name="Code").fill(phone.fresh())
    carol.press("Aktivieren")
    carol.page.get_by_role("checkbox").wait_for()
    carol.state("german-recovery-codes")
    assert carol.frame.evaluate("document.documentElement.lang").startswith("de")


def it_is_handed_on_compressed(desk):
    erin = desk.sit_down(desk.add_user("erin"))
    served = {}
    erin.tab.on("response", lambda one: served.update({one.url.rpartition("/")[2]: one.headers}))
    erin.arrive()
    for name in ("page.css", "page.js"):
        assert served[name].get("content-encoding") == "gzip", served[name]


def the_keyboard_alone_switches_it_on(desk):
    dora = desk.sit_down(desk.add_user("dora")).arrive()
    dora.tab.locator("body").focus()
    dora.frame.evaluate("window.focus()")
    dora.walk_to("Enable two-factor login")
    dora.key("Enter")
    dora.walk_to("Device name")
    dora.key("Enter")
    phone = dora.scan()
    # The field has the focus already: the code is typed at once.
    dora.field("Code").and_(dora.page.locator(":focus")).wait_for()
    code = phone.fresh()
    dora.secrets.add(code)
    dora.tab.keyboard.type(code)
    dora.key("Enter")
    dora.recovery_codes()
    dora.walk_to("I have stored the recovery codes")
    dora.key("Space")
    dora.walk_to("Done")
    dora.key("Enter")
    dora.button("Disable two-factor login").wait_for()
    assert desk.is_enrolled("dora")
    # The focus is still in the page, and not lost.
    dora.walk_to("Disable two-factor login")
    dora.key("Enter")
    dora.field("Code").and_(dora.page.locator(":focus")).wait_for()
    dora.key("Escape")
    dora.button("Disable two-factor login").and_(dora.page.locator(":focus")).wait_for()
