"""Webmail in a real browser, on a whole appliance."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.sandbox import Sandbox
from tests.support.webmail import ALICE, fill, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

HOSTILE = (
    '<h2>Hello</h2><p onclick="parent.canary=1">Dear friend</p><script>parent.canary=1;top.canary=1</script>'
    '<img src=x onerror="parent.canary=1"><img src="http://127.0.0.1:9/track.gif"><iframe srcdoc="<script>parent.'
    'parent.canary=1</script>"></iframe><a href="javascript:parent.canary=1">here</a><form action="http://x/"><input>'
    "</form><svg onload=parent.canary=1></svg><style>@import 'http://127.0.0.1:9/a.css'</style>"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def hostile() -> bytes:
    head = "From: =?utf-8?q?=3Cimg_src=3Dx_onerror=3D=22top.canary=3D1=22=3E?= <e@x.example>\r\n"
    subject = "Subject: <script>top.canary=1</script> & <b>bold</b>\r\n"
    return f"{head}To: alice@example.com\r\n{subject}Content-Type: text/html\r\n\r\n{HOSTILE}\r\n".encode()


def test_sign_in_read_and_move(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(120)))
    with signed_in(browser, sandbox) as page:
        inbox = page.get_by_role("link", name="Inbox")
        expect(inbox).to_contain_text("120")
        page.get_by_role("button", name="Note 119").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 119.")).to_be_visible()
        expect(inbox).to_contain_text("119")
        keep_screenshot(page, "webmail")
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Moved to Trash.")).to_be_visible()
        expect(page.get_by_role("button", name="Note 119")).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("button", name="Note 119")).to_be_visible()
        # Only what can be seen is there; the last is asked for when it is.
        expect(page.get_by_role("button", name="Note 0", exact=False)).to_have_count(0)
        page.locator(".list").evaluate("list => list.scrollTop = list.scrollHeight")
        expect(page.get_by_role("button", name="Person 0")).to_be_visible()


def test_new_mail_shows_by_itself(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        fill(sandbox, plain(1))
        expect(page.get_by_role("button", name="Note 1")).to_be_visible()


def test_nothing_in_mail_runs(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, hostile())
    asked: list[str] = []
    with signed_in(browser, sandbox) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_role("button", name="<script>top.canary=1</script> & <b>bold</b>").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_text("Dear friend")).to_be_visible()
        frame.get_by_text("Dear friend").click()
        frame.get_by_text("here").click()
        expect(page.get_by_text("1 picture from elsewhere is not shown.")).to_be_visible()
        assert page.evaluate("window.canary") is None
        assert [url for url in asked if "127.0.0.1:9" in url or "//x/" in url] == []


def test_a_broken_address_leads_to_the_inbox(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1))
    with signed_in(browser, sandbox) as page:
        for address in ("#/%", "#/%E0%A4%A"):
            page.goto(f"https://localhost:{sandbox.port('https')}/mail{address}")
            page.reload()
            expect(page.get_by_role("button", name="Note 1")).to_be_visible()


def test_signed_out_is_signed_out(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Password")).to_be_visible()


def test_a_wrong_password_is_told(browser: Browser, sandbox: Sandbox) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}/mail")
        page.get_by_label("Address").fill(ALICE[0])
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("Wrong name or password")
