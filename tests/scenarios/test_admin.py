"""Admin in a real browser, on a whole appliance."""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mailstack.app.sandbox_state import zones_folder
from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

ADMIN = ("alice@example.com", "pw")
USER = ("bob@example.com", "pw")
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
domains:
  example.com: {}
accounts:
  alice@example.com:
    name: Alice Example  # the postmistress
    roles: [admin]
    quota: 10GiB
  bob@example.com: {}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    file.write_text(SPEC)
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def sign_in(page: Page, login: tuple[str, str]) -> None:
    page.get_by_label("Address").fill(login[0])
    page.get_by_label("Password").fill(login[1])
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def admin(browser: Browser, sandbox: Sandbox, path: str = "/admin", **options: object) -> Iterator[Page]:
    with visitor(browser, **options) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}{path}")
        sign_in(page, ADMIN)
        expect(page.get_by_role("navigation")).to_be_visible()
        yield page


def test_the_overview(browser: Browser, sandbox: Sandbox) -> None:
    with admin(browser, sandbox) as page:
        expect(page.get_by_role("heading", name="mail.example.com")).to_be_visible()
        expect(page.get_by_text("Nothing waits to leave.")).to_be_visible()
        keep_screenshot(page, "admin-overview")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()


def test_a_mail_is_found_and_told_step_by_step(browser: Browser, sandbox: Sandbox) -> None:
    hostile = "<img/src=x/onerror=alert(1)>"
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.example", timeout=CLIENT_S) as client:
        client.sendmail("x@y.example", [USER[0]], f"From: x@y.example\r\nMessage-ID: <{hostile}>\r\n\r\nhi\r\n")
        with suppress(smtplib.SMTPRecipientsRefused):
            client.sendmail("x@y.example", ["nobody@example.com"], "\r\nhi\r\n")
    wait_for(lambda: kept(sandbox).count(b'"event":"transaction"') == 2, what="both are in the log")
    with admin(browser, sandbox) as page:
        expect(page.get_by_role("heading", name="Mail of the last 24 hours")).to_be_visible()
        chart = page.get_by_role("img", name=re.compile("Mails that came, by hour: [12] in the fullest one."))
        expect(chart).to_be_visible()
        expect(page.get_by_text("not found: 1")).to_be_visible()
        keep_screenshot(page, "admin-overview-mail")
        page.get_by_role("link", name="Messages").click()
        page.get_by_label("Look for").fill("x@y.example")
        page.get_by_label("Look for").press("Enter")
        expect(page.get_by_role("row")).to_have_count(3)
        keep_screenshot(page, "admin-messages")
        page.get_by_role("row", name="delivered").get_by_role("link").click()
        expect(page.get_by_role("heading", name=f"x@y.example → {USER[0]}")).to_be_visible()
        expect(page.get_by_text(f"delivered: {USER[0]}, inbox")).to_be_visible()
        expect(page.get_by_text(hostile)).to_be_visible()
        expect(page.locator("main img")).to_have_count(0)
        keep_screenshot(page, "admin-message")


def kept(sandbox: Sandbox) -> bytes:
    return b"".join(path.read_bytes() for path in (sandbox.state / "log").glob("*.jsonl"))


def test_only_administrators_see_it(browser: Browser, sandbox: Sandbox) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}/admin")
        sign_in(page, USER)
        expect(page.get_by_text("not as an administrator")).to_be_visible()
        sign_in(page, ADMIN)
        expect(page.get_by_role("navigation")).to_be_visible()


def test_drift_is_planned_and_put_right(browser: Browser, sandbox: Sandbox) -> None:
    with admin(browser, sandbox, "/admin/plan") as page:
        expect(page.get_by_text("The server is what the spec says.")).to_be_visible()
        (zone,) = zones_folder(sandbox.state).glob("example.com*")
        zone.write_text("".join(line for line in zone.read_text().splitlines(True) if "_dmarc" not in line))
        page.reload()
        expect(page.get_by_text("dns_record _dmarc.example.com TXT")).to_be_visible()
        keep_screenshot(page, "admin-plan")
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_text("Applied: generation")).to_be_visible()
        assert "_dmarc" in zone.read_text()
        page.get_by_role("link", name="Back to the plan").click()
        expect(page.get_by_text("The server is what the spec says.")).to_be_visible()
        page.get_by_role("button", name="Look for drift").click()
        expect(page.get_by_text("Nothing has drifted")).to_be_visible()


def test_a_locked_field_and_a_proposal(browser: Browser, sandbox: Sandbox) -> None:
    with admin(browser, sandbox, "/admin/accounts") as page:
        page.get_by_label("Look for").fill("ali")
        expect(page.get_by_text("1 account")).to_be_visible()
        page.get_by_role("link", name=ADMIN[0]).click()
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="name", exact=True))
        expect(row).to_contain_text("Alice Example")
        expect(row).to_contain_text("locked by the spec")
        expect(row).to_contain_text("mailstack.yaml:8")
        page.get_by_label("Change name").click()
        page.get_by_role("textbox", name="name", exact=True).fill("Alice: the second")
        page.get_by_role("button", name="Show the diff").locator("visible=true").click()
        expect(page.get_by_text('+    name: "Alice: the second"  # the postmistress')).to_be_visible()
        expect(page.get_by_text("-    name: Alice Example  # the postmistress")).to_be_visible()
        expect(page.get_by_text("Take it into the spec")).to_be_visible()
        expect(page.get_by_role("button", name="Write it into the spec")).to_have_count(0)
        keep_screenshot(page, "admin-proposal")


def test_on_a_phone_and_in_the_dark(browser: Browser, sandbox: Sandbox) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    with admin(browser, sandbox, "/admin/accounts", **phone) as page:
        expect(page.get_by_role("link", name=ADMIN[0])).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        keep_screenshot(page, "admin-phone")


def test_every_page_is_well(browser: Browser, sandbox: Sandbox) -> None:
    with admin(browser, sandbox) as page:
        for name in ("Queue", "Bans", "Spam", "DNS", "Certificates and keys"):
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            keep_screenshot(page, f"admin-{name.split()[0].lower()}")
