"""The account page in a real browser, on a whole appliance."""

import imaplib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox
from tests.support.webmail import ALICE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_a_phone_gets_a_password_and_loses_it(browser: Browser, sandbox: Sandbox) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}/account")
        page.get_by_label("Address").fill(ALICE[0])
        page.get_by_label("Password").fill(ALICE[1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        expect(page.get_by_text("this one")).to_be_visible()
        page.get_by_label("Name").fill("Phone")
        page.get_by_role("button", name="Make an app password").click()
        secret = page.locator("code").inner_text()
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
            imap.login(ALICE[0], secret)
        keep_screenshot(page, "account")
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        keep_screenshot(page, "account-phone-dark")
        page.get_by_role("button", name="End Phone").click()
        expect(page.get_by_role("rowheader", name="Phone")).to_have_count(0)
        expect(page.locator("code")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
