"""Admin and account pages for all: what axe-core finds on each of them, in either scheme, on a desk and on a phone."""

import smtplib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.webmail import ALICE, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

GRAVE = {"serious", "critical"}
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
SPEC = """\
server: {hostname: mail.example.com}
domains: {example.com: {}}
accounts:
  alice@example.com: {roles: [admin]}
"""
OF_THE_SPEC = {
    "plan": "/plan",
    "accounts": "/accounts",
    "account": f"/account?login={quote(ALICE[0])}",
    "domains": "/domains",
    "domain": "/domain?name=example.com",
    "aliases": "/aliases",
    "new": "/entry/new?section=aliases",
    "dns": "/dns",
    "keys": "/keys",
}
OF_THE_SERVER = {
    "overview": "",
    "queue": "/queue",
    "queue-item": "/queue/item?id=1",
    "bans": "/bans?told=lift",
    "spam": "/spam",
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "mailstack.yaml"
    file.write_text(SPEC)
    return file


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """That keeps mail to others in its queue."""
    with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def check(page: Page, name: str) -> None:
    """In the dark nothing is another but its colours."""
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("status").filter(has_text="…")).to_have_count(0)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        assert (name, "light", size, grave_faults(page)) == (name, "light", size, [])
        page.emulate_media(color_scheme="dark")
        assert (name, "dark", size, grave_faults(page, "color-contrast")) == (name, "dark", size, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
        keep_screenshot(page, f"admin-{name}-dark-{size}")


def grave_faults(page: Page, *rules: str) -> list[tuple[str, list[object]]]:
    """By these rules; none: by all."""
    options = {"runOnly": {"type": "rule", "values": [*rules]}} if rules else None
    found = Axe().run(page, options=options).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found if each["impact"] in GRAVE]


def sign_in(page: Page, address: str, name: str) -> None:
    page.goto(address)
    expect(page.get_by_label("Password")).to_be_visible()
    check(page, name)
    page.get_by_label("Address").fill(ALICE[0])
    page.get_by_label("Password").fill(ALICE[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize("pages", [OF_THE_SPEC, OF_THE_SERVER], ids=["spec", "server"])
def test_admin_has_no_grave_fault(browser: Browser, sandbox: Sandbox, pages: dict[str, str]) -> None:
    submit(sandbox)
    address = f"https://localhost:{sandbox.port('https')}/admin"
    with visitor(browser) as (_, page):
        sign_in(page, address, "sign-in")
        for name, path in pages.items():
            page.goto(f"{address}{path}")
            check(page, name)


def test_a_question_has_no_grave_fault(browser: Browser, sandbox: Sandbox) -> None:
    submit(sandbox)
    with signed_in(browser, sandbox) as page:
        page.goto(f"https://localhost:{sandbox.port('https')}/admin/queue")
        page.get_by_role("checkbox", name="bob@elsewhere.example").check()
        page.get_by_role("button", name="Drop, telling nobody …").click()
        expect(page.get_by_role("heading", name="Remove 1 recipient and tell nobody?")).to_be_visible()
        check(page, "queue-confirm")


def test_the_account_page_has_no_grave_fault(browser: Browser, sandbox: Sandbox) -> None:
    with visitor(browser) as (_, page):
        sign_in(page, f"https://localhost:{sandbox.port('https')}/account", "own-sign-in")
        check(page, "own")
        page.get_by_label("Name", exact=True).fill("Laptop")
        page.get_by_role("button", name="Make an app password").click()
        expect(page.get_by_role("heading", name="Your new app password")).to_be_visible()
        check(page, "own-made")
        page.get_by_role("button", name="Set up a phone").click()
        expect(page.get_by_role("heading", name="Set up “Phone”")).to_be_visible()
        check(page, "own-phone")


def submit(sandbox: Sandbox) -> None:
    """Mail to somebody elsewhere, held."""
    with smtplib.SMTP("127.0.0.1", sandbox.port("submission"), timeout=CLIENT_S) as smtp:
        smtp.login(*ALICE)
        smtp.sendmail(ALICE[0], ["bob@elsewhere.example"], "From: alice@example.com\r\nSubject: Note\r\n\r\nHello\r\n")
