"""What is done to many messages at a time in webmail, and taken back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox
from tests.support.webmail import ALICE, BOB, fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def rows(page: Page) -> Locator:
    return page.locator(".row .open")


def count_of(sandbox: Sandbox, mailbox: str, criterion: str = "ALL", who: tuple[str, str] = ALICE) -> int:
    with imap_of(sandbox, who) as imap:
        imap.select(f'"{mailbox}"', readonly=True)
        return len(imap.search(None, criterion)[1][0].split())


def test_a_range_is_chosen_moved_and_taken_back(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(8)))
    with signed_in(browser, sandbox) as page:
        page.get_by_label("Select Note 7").click()
        page.get_by_label("Select Note 4").click(modifiers=["Shift"])
        expect(page.get_by_text("4 selected")).to_be_visible()
        page.get_by_role("button", name="Mark as read").click()
        expect(page.get_by_text("4 marked as read.")).to_be_visible()
        assert count_of(sandbox, "INBOX", "SEEN") == 4
        page.keyboard.press("z")
        expect(page.get_by_text("Undone.")).to_be_visible()
        assert count_of(sandbox, "INBOX", "SEEN") == 0
        page.get_by_role("button", name="Flag", exact=True).click()
        expect(page.get_by_role("button", name="Remove flag")).to_be_visible()
        expect(page.get_by_text("4 flagged.")).to_be_visible()
        assert count_of(sandbox, "INBOX", "FLAGGED") == 4
        page.keyboard.press("v")
        page.get_by_role("combobox", name="Mailbox").fill("arch")
        expect(page.get_by_role("option")).to_have_text(["Archive", "New mailbox “arch”"])
        keep_screenshot(page, "webmail-move")
        page.keyboard.press("Enter")
        expect(page.get_by_text("4 moved to Archive.")).to_be_visible()
        expect(rows(page)).to_have_count(4)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone.")).to_be_visible()
        expect(rows(page)).to_have_count(8)
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "Archive")) == (8, 0)
        # Into a mailbox that is made for it, from the message that is open.
        page.get_by_role("button", name="Note 3").click()
        page.get_by_role("button", name="Move to…").click()
        page.keyboard.type("Bills")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Moved to Bills.")).to_be_visible()
        expect(page.get_by_role("link", name="Bills")).to_be_visible()
        assert count_of(sandbox, "Bills") == 1
        # And back into Inbox by hand.
        page.get_by_role("link", name="Bills").click()
        page.get_by_role("button", name="Note 3").drag_to(page.get_by_role("link", name="Inbox"))
        expect(page.get_by_text("Moved to Inbox.")).to_be_visible()
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "Bills")) == (8, 0)


def test_all_of_a_mailbox_is_chosen_and_trash_is_emptied(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(70)))
    with signed_in(browser, sandbox) as page:
        page.get_by_label("Select all shown").check()
        page.get_by_role("button", name="Select all 70 in Inbox").click()
        expect(page.get_by_text("70 selected")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("70 moved to Trash.")).to_be_visible()
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "Trash")) == (0, 70)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone.")).to_be_visible()
        expect(page.get_by_role("link", name="Inbox")).to_contain_text("70")
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "Trash")) == (70, 0)
        # What lies elsewhere too is kept there when Trash is emptied.
        page.get_by_role("button", name="Note 69").click()
        page.keyboard.press("#")
        expect(page.get_by_text("Moved to Trash.")).to_be_visible()
        page.get_by_role("button", name="Note 68").click()
        page.keyboard.press("#")
        expect(page.get_by_role("button", name="Note 68")).to_have_count(0)
        page.get_by_role("link", name="Trash").click()
        page.get_by_role("button", name="Note 69").click()
        page.keyboard.press("#")
        page.get_by_role("dialog", name="Delete for good?").get_by_role("button", name="Delete for good").click()
        expect(rows(page)).to_have_count(1)
        page.get_by_role("button", name="More about Trash").click()
        page.get_by_role("menuitem", name="Empty…").click()
        page.get_by_role("dialog", name="Empty Trash?").get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("Trash is empty.")).to_be_visible()
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "Trash")) == (68, 0)


def test_mail_goes_into_what_others_share_and_back(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1), plain(2))
    with signed_in(browser, sandbox) as page, imap_of(sandbox, BOB) as imap:
        expect(rows(page)).to_have_count(2)
        # Shared while the page is open.
        imap.setacl("INBOX", ALICE[0], "lrsi")
        shared = page.get_by_role("region", name="Mailboxes of bob@example.com")
        expect(shared.get_by_role("link", name="Inbox")).to_be_visible()
        page.get_by_role("button", name="Note 2").click()
        page.keyboard.press("v")
        page.keyboard.type("inbox bob")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Moved to Inbox.")).to_be_visible()
        assert (count_of(sandbox, "INBOX"), count_of(sandbox, "INBOX", who=BOB)) == (1, 1)
        shared.get_by_role("link", name="Inbox").click()
        page.get_by_role("button", name="Note 2").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 2.")).to_be_visible()
        # One may add to it, and take nothing away.
        expect(page.get_by_role("button", name="Archive")).to_be_disabled()
        expect(page.get_by_role("button", name="Move to…")).to_be_disabled()
        imap.deleteacl("INBOX", ALICE[0])
        page.get_by_role("link", name="Inbox").first.click()
        expect(rows(page)).to_have_count(1)
        expect(shared).to_have_count(0)
