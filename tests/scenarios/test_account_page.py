"""The account page in a real browser, on a whole appliance."""

import imaplib
import json
import plistlib
import ssl
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox
from tests.support.webmail import ALICE

ANY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANY.check_hostname, ANY.verify_mode = False, ssl.CERT_NONE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]


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
        page.get_by_label("Name", exact=True).fill("Phone")
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


def test_a_phone_is_set_up_by_its_camera(browser: Browser, sandbox: Sandbox) -> None:
    with visitor(browser, color_scheme="dark") as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}/account")
        page.get_by_label("Address").fill(ALICE[0])
        page.get_by_label("Password").fill(ALICE[1])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name of the phone").fill("Alice's phone")
        keep_screenshot(page, "account-dark")
        page.get_by_role("button", name="Set up a phone").click()
        expect(page.get_by_role("heading", name="Alice's phone")).to_be_visible()
        keep_screenshot(page, "phone-dark")
        seen = [camera(each) for each in page.get_by_label("QR code").all()]
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="light")
        keep_screenshot(page, "phone-narrow")
        assert seen == [camera(each) for each in page.get_by_label("QR code").all()]
        url, to_import = seen
        with visitor(browser) as (phone, _):
            account = profile_in(phone.request.get(url).body())["PayloadContent"][0]
            assert phone.request.get(url).status == 410
        with imaplib.IMAP4_SSL(
            "127.0.0.1", account["IncomingMailServerPortNumber"], ssl_context=ANY, timeout=CLIENT_S
        ) as imap:
            imap.login(account["IncomingMailServerUsername"], account["IncomingPassword"])
        assert json.loads(to_import)[2][7] == account["IncomingPassword"]


def camera(code: Locator) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(code.screenshot())))
    return str(found.text)


def profile_in(signed: bytes) -> dict[str, Any]:
    begin, end = signed.index(b"<?xml"), signed.index(b"</plist>") + len(b"</plist>")
    assert begin > 0, "it is not signed"
    found: dict[str, Any] = plistlib.loads(signed[begin:end])
    return found
