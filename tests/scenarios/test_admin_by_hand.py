"""What an administrator does by hand in a real browser, and what the pages say of it."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mailstack.app.sandbox_state import zones_folder
from tests.support.browser import chromium, keep_screenshot
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.webmail import ALICE, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

SPEC = """\
server: {hostname: mail.example.com, workers: 2}
domains: {example.com: {}}
accounts:
  alice@example.com: {roles: [admin]}
"""


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


def test_queue_bans_and_records(browser: Browser, sandbox: Sandbox) -> None:
    submit(sandbox, "bob@elsewhere.example", "carol@elsewhere.example")
    address = f"https://localhost:{sandbox.port('https')}/admin"
    with signed_in(browser, sandbox) as page:
        look_after_the_queue(page, f"{address}/queue")
        ban_and_lift(page, f"{address}/bans")
        find_what_is_missing(page, f"{address}/dns", sandbox)
        go_on_by_keys(page, f"{address}/plan")


def look_after_the_queue(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("checkbox", name="All of this page").check()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("status")).to_contain_text("0 recipients held. 2 recipients left as before")
    page.get_by_role("checkbox", name="bob@elsewhere.example").check()
    page.get_by_role("button", name="Drop, telling nobody …").click()
    expect(page.get_by_role("heading", name="Remove 1 recipient and tell nobody?")).to_be_visible()
    page.get_by_role("link", name="Back, and nothing is done").click()
    page.get_by_role("checkbox", name="all that fit").check()
    page.get_by_role("button", name="Drop, telling nobody …").click()
    page.get_by_role("button", name="Drop").click()
    expect(page.get_by_role("status")).to_have_text("2 recipients dropped.")
    expect(page.get_by_text("Nothing waits to leave.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page.get_by_role("status")).to_have_count(0)


def ban_and_lift(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Address").fill("192.0.2.9")
    page.get_by_label("Why").fill("asked to stop")
    page.get_by_role("button", name="Ban").click()
    expect(page.get_by_role("status")).to_contain_text("Banned, on all nodes.")
    expect(page.get_by_role("row").filter(has_text="192.0.2.9")).to_contain_text("asked to stop")
    page.get_by_role("button", name="Lift the ban of 192.0.2.9").click()
    expect(page.get_by_text("Nobody is banned.")).to_be_visible()


def find_what_is_missing(page: Page, address: str, sandbox: Sandbox) -> None:
    (zone,) = zones_folder(sandbox.state).glob("example.com*")
    zone.write_text("".join(line for line in zone.read_text().splitlines(True) if "_dmarc" not in line))
    page.goto(address)
    expect(page.get_by_text("1 missing")).to_be_visible()
    record, other = (page.get_by_role("row").filter(has_text=text) for text in ("_dmarc.example.com", "v=spf1 a:mail"))
    expect(record).to_contain_text("apply publishes it")
    expect(other).to_be_visible()
    page.get_by_label("only what is not as it should be").check()
    expect(other).to_be_hidden()
    expect(record).to_be_visible()
    keep_screenshot(page, "admin-dns-missing")


def go_on_by_keys(page: Page, address: str) -> None:
    """Where a button was that has been replaced."""
    page.goto(address)
    page.get_by_role("button", name="Look for drift").press("Enter")
    expect(page.get_by_role("button", name="Look again")).to_be_visible()
    expect(page.locator("#drift")).to_be_focused()


def submit(sandbox: Sandbox, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("submission"), timeout=CLIENT_S) as smtp:
        smtp.login(*ALICE)
        smtp.sendmail(ALICE[0], recipients, "From: alice@example.com\r\nSubject: Note\r\n\r\nHello\r\n")
