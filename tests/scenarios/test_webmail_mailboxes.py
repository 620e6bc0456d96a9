"""Mailboxes made, named, moved and deleted in webmail, and webmail by keys alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.scenarios.conftest import SPEC
from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox, save, wait_for
from tests.support.webmail import fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def names(sandbox: Sandbox, command: str = "list") -> set[str]:
    with imap_of(sandbox) as imap:
        found = getattr(imap, command)()[1]
    return {line.decode().rsplit(" ", 1)[1].strip('"') for line in found}


def act(page: Page, mailbox: str, item: str) -> None:
    page.get_by_role("link", name=mailbox, exact=True).click(button="right")
    page.get_by_role("menuitem", name=item, exact=True).click()


def test_mailboxes_are_made_and_changed(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="New mailbox").click()
        page.get_by_label("Name of the mailbox").fill("Work")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("link", name="Work")).to_be_visible()
        page.get_by_role("button", name="New mailbox").click()
        page.get_by_label("Name of the mailbox").fill("Work")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("alert")).to_have_text("There is a mailbox of that name already.")
        page.keyboard.press("Escape")
        act(page, "Work", "New mailbox in it…")
        page.get_by_label("Name of the mailbox").fill("Bills")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Bills")).to_be_visible()
        assert {"Work", "Work/Bills"} <= names(sandbox)
        act(page, "Bills", "Rename…")
        page.get_by_label("Name of the mailbox").fill("Paid")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Paid")).to_be_visible()
        act(page, "Paid", "Move…")
        expect(page.get_by_role("option").first).to_have_text("(none: at the top)")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        act(page, "Paid", "Do not show in mail programs")
        page.get_by_role("link", name="Paid").click()
        page.get_by_role("button", name="More about Paid").click()
        expect(page.get_by_role("menuitem", name="Show in mail programs")).to_be_visible()
        keep_screenshot(page, "webmail-mailbox-menu")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="More about Paid")).to_be_focused()
        assert ("Paid" in names(sandbox), "Paid" in names(sandbox, "lsub")) == (True, False)
        # What Inbox is called, and that it is there, is not for anybody to change.
        page.get_by_role("link", name="Inbox").click(button="right")
        expect(page.get_by_role("menuitem")).to_have_text(["New mailbox in it…", "Do not show in mail programs"])
        page.keyboard.press("Escape")
        # A mailbox goes, and what is in it goes where one says.
        fill(sandbox, plain(1), plain(2), mailbox="Paid")
        expect(page.get_by_role("link", name="Paid 2 unread")).to_be_visible()
        page.get_by_role("link", name="Paid").click(button="right")
        page.get_by_role("menuitem", name="Delete it…").click()
        keep_screenshot(page, "webmail-delete-mailbox")
        page.get_by_role("button", name="Goes to Trash").click()
        expect(page.get_by_text("Paid is deleted.")).to_be_visible()
        expect(page.get_by_role("link", name="Trash 2 unread")).to_be_visible()
        fill(sandbox, plain(3), mailbox="Work")
        expect(page.get_by_role("link", name="Work 1 unread")).to_be_visible()
        page.get_by_role("link", name="Work").click(button="right")
        page.get_by_role("menuitem", name="Delete it…").click()
        page.get_by_role("button", name="Is deleted for good").click()
        expect(page.get_by_text("Work is deleted.")).to_be_visible()
        expect(page.get_by_role("link", name="Work")).to_have_count(0)
        assert not {"Work", "Paid"} & names(sandbox)


def test_by_keys_alone(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(60)))
    with signed_in(browser, sandbox) as page:
        expect(page).to_have_title("(60) Inbox – Mail")
        row = page.locator(".row .open")
        row.first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("button", name="Note 57")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Note 57")).to_be_focused()
        expect(page).to_have_title("(59) Inbox – Mail")
        page.keyboard.press("u")
        expect(page.get_by_role("button", name="Note 57")).to_be_focused()
        # What has gone leaves the focus to the next one.
        page.keyboard.press("e")
        expect(page.get_by_role("status").filter(has_text="Moved to Archive.")).to_be_visible()
        expect(page.get_by_role("button", name="Note 56")).to_be_focused()
        page.keyboard.press("z")
        expect(page.get_by_role("button", name="Note 57")).to_be_visible()
        expect(page.get_by_role("button", name="Note 56")).to_be_focused()
        # A range, by arrows and by X.
        page.keyboard.press("x")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Shift+ArrowDown")
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_text("3 selected")).to_have_count(0)
        page.keyboard.press("x")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("X")
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.keyboard.press("Shift+I")
        expect(page.get_by_text("3 marked as read.")).to_be_visible()
        page.keyboard.press("Control+a")
        # All that are loaded: the first page at least, and more where something has come and gone.
        expect(page.get_by_text(re.compile("^(5[0-9]|60) selected$"))).to_be_visible()
        page.keyboard.press("Escape")
        # To the end and back: rows that nobody sees are not there, and the one with the focus is.
        page.keyboard.press("End")
        expect(page.get_by_role("button", name="Note 0", exact=False).last).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_label("Select Note 0", exact=True)).to_be_focused()
        page.keyboard.press("Home")
        expect(page.get_by_role("button", name="Note 59")).to_be_focused()
        # Marked as unread, it is left.
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Note 59")).to_be_focused()
        page.keyboard.press("Shift+U")
        expect(page.get_by_text("Marked as unread.")).to_be_visible()
        expect(page.get_by_role("button", name="Note 59")).to_be_focused()
        # Dialogs give the focus back.
        page.keyboard.press("v")
        expect(page.get_by_role("combobox", name="Mailbox")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Note 59")).to_be_focused()


def test_settings_lead_to_the_account_and_admin_pages(browser: Browser, sandbox: Sandbox, spec: Path) -> None:
    with signed_in(browser, sandbox) as page:
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("link", name="Administration")).to_have_count(0)
        page.get_by_role("link", name="Password, phones, export").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        save(spec, SPEC.replace("{name: Alice Example}", "{name: Alice Example, roles: [admin]}"))
        page.goto(f"https://localhost:{sandbox.port('https')}/mail#/settings")
        admin = page.get_by_role("link", name="Administration")

        def is_offered() -> bool:
            with page.expect_response("**/sign-in"):
                page.reload()
            page.get_by_role("heading", name="Away").wait_for()
            return admin.count() > 0

        wait_for(is_offered, what="the role")
