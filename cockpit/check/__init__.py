"""The page in a real browser, against a real Cockpit.

`make check-page` runs `run.py`. It starts `inside.py` for each file of `tests/`, in a
sandbox of its own (`apps/outside.py`); there a test gets a `desk.py`, which is a host
with Cockpit and this page, and sits down at it: a `seat.py` is one person's browser.
`phone.py` reads the QR code from the page's picture.
"""
