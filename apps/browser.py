"""A real browser without a screen: Debian's Chromium, driven by Playwright."""

from playwright.sync_api import expect, sync_playwright

PROGRAM = "/usr/bin/chromium"
# As root Chromium runs without a sandbox of its own alone; the rest keeps it quiet.
SETTINGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Milliseconds for whatever a page is waited for: a loaded machine is slow.
PATIENCE = 60_000


class Browser:
    """Chromium, until the sandbox ends."""

    def __init__(self):
        # Of the machine's own, since Playwright's would be a download of its own.
        expect.set_options(timeout=PATIENCE)
        chromium = sync_playwright().start().chromium
        self._chromium = chromium.launch(executable_path=PROGRAM, args=SETTINGS)

    def person(self, **settings):
        """A browser nobody has used before: no cookies, no storage. A context of
        Playwright, whose words the settings are."""
        context = self._chromium.new_context(**{"locale": "en-US"} | settings)
        context.set_default_timeout(PATIENCE)
        return context
