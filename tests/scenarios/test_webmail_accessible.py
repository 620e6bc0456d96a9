"""Webmail for all: what axe-core finds, and where nothing can be reached."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.sandbox import Sandbox
from tests.support.webmail import BOB, fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

GRAVE = {"serious", "critical"}
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def check(page: Page, name: str) -> None:
    found = Axe().run(page).response["violations"]
    grave = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found if each["impact"] in GRAVE]
    assert (name, grave) == (name, [])
    keep_screenshot(page, f"webmail-{name}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_grave_fault(browser: Browser, sandbox: Sandbox, scheme: str, size: str) -> None:
    look: dict[str, object] = {"color_scheme": scheme, "viewport": SIZES[size]}
    name = f"{scheme}-{size}"
    fill(sandbox, *(plain(number) for number in range(3)))
    with imap_of(sandbox, BOB) as imap:
        imap.setacl("INBOX", "alice@example.com", "lrs")
    address = f"https://localhost:{sandbox.port('https')}/mail"
    with visitor(browser, **look) as (_, page):
        page.goto(address)
        expect(page.get_by_label("Password")).to_be_visible()
        check(page, f"sign-in-{name}")
    with signed_in(browser, sandbox, **look) as page:
        row = page.get_by_role("button", name="Note 2")
        expect(row).to_be_visible()
        check(page, f"list-{name}")
        row.click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 2.")).to_be_visible()
        check(page, f"reading-{name}")
        page.get_by_role("button", name="Reply", exact=True).click()
        page.get_by_role("combobox", name="To").fill("nobody, per")
        expect(page.get_by_role("option", name="Person 2")).to_be_visible()
        page.get_by_role("button", name="Send later").click()
        check(page, f"writing-{name}")
        for count in (1, 0):
            page.locator(".chip.wrong .away").first.click()
            expect(page.locator(".chip.wrong")).to_have_count(count)
        page.get_by_role("button", name="Tomorrow, 8:00").click()
        if size == "phone":
            page.get_by_role("button", name="Back", exact=True).click()
        page.get_by_role("link", name="Scheduled").click()
        expect(page.get_by_role("button", name="Send now")).to_be_visible()
        check(page, f"scheduled-{name}")
        for part, heading in (
            ("vacation", "Away"),
            ("identities", "Sending as"),
            ("rules", "Rules"),
            ("folders", "Mailboxes"),
            ("storage", "Storage"),
        ):
            page.goto(f"{address}#/settings/{part}")
            expect(page.get_by_role("heading", name=heading)).to_be_focused()
            expect(page.get_by_text("Loading…")).to_have_count(0)
            check(page, f"{part}-{name}")
