"""A list that is longer than what webmail knows of it: what happens far down leaves all else where it is."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium
from tests.support.sandbox import Sandbox
from tests.support.webmail import fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

MANY = 260
# The list is known at both ends, and not between: what is empty for a moment is counted.
COUNT_EMPTY = """
() => {
  window.empty = 0;
  const count = (records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) if (node.classList?.contains("empty")) window.empty += 1;
    }
  };
  new MutationObserver(count).observe(document.querySelector(".rows"), { childList: true });
}
"""
NUMBERS = """
all => all.map((row) => [Number(row.getAttribute("aria-rowindex")), row.querySelector(".subject").textContent])
"""


def test_what_changes_far_down_leaves_the_others_in_their_places(sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in range(MANY)))
    with chromium() as browser, signed_in(browser, sandbox) as page:
        expect(page.get_by_role("button", name=f"Note {MANY - 1}")).to_be_visible()
        page.locator("main.list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
        expect(page.get_by_role("button", name="Note 0")).to_be_visible()
        _check_places(page, MANY)
        page.evaluate(COUNT_EMPTY)
        with imap_of(sandbox) as imap:
            imap.select("INBOX")
            imap.store("1", "+FLAGS", r"(\Seen)")
        expect(page.locator(".row:not(.unread)").get_by_role("button", name="Note 0")).to_be_visible()
        _check_places(page, MANY)
        assert page.evaluate("window.empty") == 0
        # Where one has gone, those behind it move up, at once and once the server has said so.
        page.get_by_label("Select Note 3", exact=True).click()
        page.keyboard.press("e")
        expect(page.get_by_text("Moved to Archive.")).to_be_visible()
        expect(page.get_by_role("link", name="Archive")).to_be_visible()
        expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(MANY - 1))
        expect(page.get_by_role("button", name="Note 4")).to_be_visible()
        _check_places(page, MANY, gone=3)


def _check_places(page: Page, count: int, gone: int = -1) -> None:
    """The newest is the first."""
    rows = page.locator(".row[data-id]").evaluate_all(NUMBERS)
    numbers = {place: int(text.split()[1]) for place, text in rows}
    assert numbers == {count - number - (number < gone): number for number in numbers.values()}
