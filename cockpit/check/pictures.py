"""Takes the pictures of the README, by `make page-pictures`. The key that is seen is of
this run alone, and opens nothing."""

from PIL import Image

from apps.cases import PASSWORD
from apps.programs.cockpit import PORT
from cockpit.check.desk import SCREENS

HOST = "web1.example.org"
SIZE = {"viewport": {"width": 1180, "height": 640}}
# Enough for a page of few colours; the files are a third then.
COLOURS = 96


def two_factor_login_is_switched_on(desk):
    desk.call_host(HOST)
    desk.install_module()
    for name in ("bob", "carol"):
        desk.enrol(desk.add_user(name))
    alice = desk.sit_down(desk.add_user("alice", "sudo"), f"http://{HOST}:{PORT}", **SIZE).arrive()
    phone = alice.key_of_a_first_device()
    _take(alice, "cockpit-enable")
    alice.activate(phone.fresh())
    alice.recovery_codes()
    alice.store_codes()
    alice.button("Disable two-factor login").wait_for()
    alice.reload()
    alice.button("Disable two-factor login").wait_for()
    _take(alice, "cockpit-on")
    alice.administer(("Password", PASSWORD))
    alice.administration()
    alice.page.get_by_label("State").select_option("On")
    alice.button("Reset carol").wait_for()
    alice.tab.set_viewport_size({"width": 1280, "height": 860})
    alice.page.get_by_role("heading", level=1).last.scroll_into_view_if_needed()
    _take(alice, "cockpit-administration")


def _take(seat, name):
    seat.state(name)
    pictures = SCREENS / "pictures"
    pictures.mkdir(exist_ok=True)
    taken = Image.open(SCREENS / f"{name}.png").convert("RGB")
    taken.quantize(COLOURS).save(pictures / f"{name}.png", optimize=True)
