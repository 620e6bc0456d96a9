"""A real browser: Debian's Chromium, driven by Playwright. What goes wrong in a page's scripts is the test's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.sandbox import need

DEADLINE_MS = 60_000
# Of a place with a certificate that it does not know, a browser takes no service worker unless all are taken.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--ignore-certificate-errors")
SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
"""Not in git; CI keeps it."""

# What a page shows takes a second, and on a machine that is busy with other tests many.
expect.set_options(timeout=DEADLINE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    program = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser, **options: object) -> Iterator[tuple[BrowserContext, Page]]:
    """Somebody who has never been here. The sandbox's certificate is one that no browser knows. What a service worker
    asks for, a test cannot see: there is none where it is not wanted."""
    context = browser.new_context(**{"ignore_https_errors": True, "service_workers": "block", **options})  # type: ignore[arg-type]  # Playwright's own names
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(error.stack or str(error)))
    page.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
    try:
        yield context, page
        assert not faults, faults
    finally:
        context.close()


def _is_fault(message: ConsoleMessage) -> bool:
    # A browser says so of every 401, which is how the page learns that nobody is signed in, of what a test cut off, and
    # of pictures that are not to be had.
    is_picture = "/mail/picture/" in message.location["url"]
    return message.type == "error" and not is_picture and "401" not in message.text and "net::ERR_" not in message.text


def keep_screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
