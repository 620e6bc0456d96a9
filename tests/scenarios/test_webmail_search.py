"""Search words and keys of webmail."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox
from tests.support.webmail import fill, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

MAILBOXES = [{"id": "F1", "name": "Inbox", "role": "inbox"}, {"id": "F2", "name": "Work", "role": None}]
PARSED: dict[str, object] = {
    "": None,
    "hello": {"text": "hello"},
    '"two words"': {"text": '"two words"'},
    "from:ann": {"from": "ann"},
    'subject:"a plan"': {"subject": '"a plan"'},
    "has:attachment": {"hasAttachment": True},
    "is:unread": {"notKeyword": "$seen"},
    "is:flagged": {"hasKeyword": "$flagged"},
    "in:work": {"inMailbox": "F2"},
    "IN:inbox": {"inMailbox": "F1"},
    "in:nowhere": {"text": "in:nowhere"},
    "larger:2M": {"minSize": 2_000_000},
    "smaller:10kb": {"maxSize": 10_000},
    "larger:much": {"text": "larger:much"},
    "before:2026-01-31": {"before": "2026-01-31T00:00:00Z"},
    "before:2026-13-01": {"text": "before:2026-13-01"},
    "-from:ann": {"operator": "NOT", "conditions": [{"from": "ann"}]},
    "http://x.example": {"text": "http://x.example"},
    "from:ann plan": {"operator": "AND", "conditions": [{"from": "ann"}, {"text": "plan"}]},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_search_words_and_what_is_found(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in (1, 2, 3)))
    with signed_in(browser, sandbox, timezone_id="UTC") as page:
        path = page.locator("script").get_attribute("src")
        assert path is not None
        parsed = page.evaluate(
            """async ([path, texts, boxes]) => {
              const { parseSearch } = await import(path.replace("main.js", "search.js"));
              return texts.map((text) => parseSearch(text, boxes));
            }""",
            [path, list(PARSED), MAILBOXES],
        )
        assert dict(zip(PARSED, parsed, strict=True)) == PARSED
        expect(page.locator(".row .open")).to_have_count(3)
        page.keyboard.press("/")
        page.keyboard.type("from:p2 subject:note")
        page.keyboard.press("Enter")
        expect(page.locator(".row .open")).to_have_count(1)
        expect(page.locator(".row mark").first).to_have_text("Note")
        keep_screenshot(page, "webmail-search")


def test_keys(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, *(plain(number) for number in (1, 2)))
    with signed_in(browser, sandbox) as page:
        expect(page.locator(".row .open")).to_have_count(2)
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(page.locator(".row.current")).to_contain_text("Note 1")
        page.keyboard.press("k")
        expect(page.locator(".row.current")).to_contain_text("Note 2")
        page.keyboard.press("s")
        expect(page.locator(".row.current .marks")).to_contain_text("Flagged")
        page.keyboard.press("e")
        expect(page.get_by_text("Moved to Archive.")).to_be_visible()
        expect(page.locator(".row .open")).to_have_count(1)
        page.keyboard.press("z")
        expect(page.locator(".row .open")).to_have_count(2)
        page.keyboard.press("c")
        expect(page.get_by_role("combobox", name="To")).to_be_focused()
        page.keyboard.type("jj")
        expect(page.get_by_role("combobox", name="To")).to_have_value("jj")


def test_keys_are_told(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_have_count(0)
