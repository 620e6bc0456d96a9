"""Webmail while there is no connection, and when a sign-in ends under it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox, wait_for
from tests.support.webmail import ALICE, BOB, fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) found.push(url);
  return found;
}"""

READ_THREADS = """async () => {
  const last = await caches.match("/mail/last");
  return last ? (await last.json()).own.threads.length : 0;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def flags_of(sandbox: Sandbox, mailbox: str) -> list[bytes]:
    with imap_of(sandbox) as imap:
        imap.select(mailbox, readonly=True)
        found = imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        return [part if isinstance(part, bytes) else b" ".join(part) for part in found if part not in (None, b")")]


def is_kept(page: Page, *parts: str) -> bool:
    urls = page.evaluate(KEPT)
    return all(any(part in url for url in urls) for part in parts) and page.evaluate(READ_THREADS) > 0


def test_what_is_done_with_no_connection_is_done_later(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(4)))
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="Note 3").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 3.")).to_be_visible()
        page.get_by_role("button", name="Note 2").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 2.")).to_be_visible()
        page.context.set_offline(True)
        expect(page.get_by_text("No connection.")).to_be_visible()
        # Read before: its heading and who it is from are here.
        page.get_by_role("button", name="Note 3").click()
        expect(page.get_by_text("Person 3 <p3@x.example>")).to_be_visible()
        page.keyboard.press("s")
        expect(page.locator(".row.current")).to_contain_text("Flagged")
        page.get_by_label("Select Note 1").click()
        page.get_by_label("Select Note 0").click()
        page.keyboard.press("e")
        expect(page.get_by_text("2 moved to Archive.")).to_be_visible()
        expect(page.get_by_text("2 changes are done when there is one again.")).to_be_visible()
        expect(page.locator(".row .open")).to_have_count(2)
        keep_screenshot(page, "webmail-offline")
        # What was not read is not made up.
        page.get_by_role("link", name="Sent").click()
        expect(page.get_by_text("This was not read before")).to_be_visible()
        page.get_by_role("link", name="Inbox").click()
        expect(page.locator(".row .open")).to_have_count(2)
        # Somebody else has the same mail open: what is gone there is no fault here.
        with imap_of(sandbox) as imap:
            imap.select("INBOX")
            imap.store("1", "+FLAGS", r"(\Deleted)")
            imap.expunge()
        page.context.set_offline(False)
        expect(page.get_by_text("No connection.")).to_have_count(0)
        wait_for(lambda: len(flags_of(sandbox, "Archive")) == 1, what="what was moved meanwhile")
        wait_for(
            lambda: any(b"Flagged" in each and b"Note 3" in each for each in flags_of(sandbox, "INBOX")),
            what="the flag",
        )
        expect(page.locator(".row .open")).to_have_count(2)


def test_a_reload_with_no_connection_shows_what_was_read(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1), plain(2))
    with signed_in(browser, sandbox, service_workers="allow") as page:
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        page.get_by_role("button", name="Note 2").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 2.")).to_be_visible()
        wait_for(lambda: is_kept(page, "/mail/shown/", "/main.js"), what="what a reload needs")
        page.route("**/*", lambda route: route.abort())
        page.context.set_offline(True)
        page.reload()
        expect(page.get_by_text("No connection.")).to_be_visible()
        page.get_by_role("button", name="Note 2").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 2.")).to_be_visible()
        page.keyboard.press("e")
        expect(page.get_by_text("Moved to Archive.")).to_be_visible()
        page.unroute("**/*")
        page.context.set_offline(False)
        wait_for(lambda: len(flags_of(sandbox, "Archive")) == 1, what="what was moved meanwhile")
        fill(sandbox, plain(3))
        expect(page.get_by_role("button", name="Note 3")).to_be_visible()
        # Nothing is left for who comes next.
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        kept = page.evaluate(KEPT)
        assert [url for url in kept if "/mail/shown/" in url or "/mail/last" in url] == []


def end_all_sessions(page: Page) -> None:
    page.evaluate("fetch('/sign-out', { method: 'POST' })")


def test_a_sign_in_that_ends_takes_nothing_away(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1), plain(2))
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="Note 2").click()
        page.get_by_role("button", name="Reply", exact=True).click()
        page.get_by_role("textbox", name="Text of the message").press_sequentially("Half an answer")
        end_all_sessions(page)
        page.get_by_role("textbox", name="Text of the message").press_sequentially(" and more")
        again = page.get_by_role("dialog", name="Sign in again")
        expect(again).to_be_visible()
        expect(again.get_by_label("Address")).to_have_value(ALICE[0])
        keep_screenshot(page, "webmail-sign-in-again")
        page.keyboard.press("Escape")
        expect(again).to_be_visible()
        again.get_by_label("Password").fill("wrong")
        again.get_by_role("button", name="Sign in").click()
        expect(again.get_by_role("alert")).to_have_text("Wrong name or password")
        again.get_by_label("Password").fill(ALICE[1])
        again.get_by_role("button", name="Sign in").click()
        expect(again).to_have_count(0)
        expect(page.get_by_role("textbox", name="Text of the message")).to_contain_text("Half an answer and more")
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        fill(sandbox, plain(3))
        expect(page.get_by_role("button", name="Note 3")).to_be_visible()
        # Somebody else sees a page of their own.
        end_all_sessions(page)
        page.get_by_role("link", name="Archive").click()
        again.get_by_label("Address").fill(BOB[0])
        again.get_by_label("Password").fill(BOB[1])
        again.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        expect(again).to_have_count(0)
        page.get_by_role("link", name="Inbox").click()
        expect(page.get_by_role("button", name="Note 3")).to_have_count(0)
