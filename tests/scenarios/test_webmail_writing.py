"""Mail written in webmail: saved, found again, sent, and taken back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DEADLINE_MS, chromium, keep_screenshot
from tests.support.sandbox import Sandbox
from tests.support.webmail import ALICE, fill, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def begin(page: Page, subject: str, text: str) -> None:
    page.get_by_role("button", name="Write").click()
    page.get_by_role("combobox", name="To").fill(ALICE[0])
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Subject").press("Tab")
    expect(page.get_by_role("textbox", name="Text of the message")).to_be_focused()
    page.keyboard.type(text)


def test_mail_with_an_attachment_is_sent_and_comes(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        begin(page, "With a file", "Here it is.")
        page.locator("input[type=file]").set_input_files(
            {"name": "note.txt", "mimeType": "text/plain", "buffer": b"the file"}
        )
        expect(page.get_by_role("button", name="Remove note.txt")).to_be_visible()
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        keep_screenshot(page, "webmail-compose")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        page.get_by_role("button", name="With a file").click(timeout=DEADLINE_MS)
        expect(page.frame_locator("iframe").last.get_by_text("Here it is.")).to_be_visible()
        expect(page.get_by_role("link", name="note.txt").last).to_be_visible()


def test_a_reload_loses_nothing(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        begin(page, "Half done", "The first half")
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Subject")).to_have_value("Half done")
        expect(page.get_by_role("textbox", name="Text of the message")).to_contain_text("The first half")
        page.get_by_role("button", name="Close").click()
        page.get_by_role("link", name="Drafts").click()
        expect(page.locator(".row .open")).to_have_count(1)
        page.get_by_role("button", name="Half done").click()
        expect(page.get_by_role("textbox", name="Text of the message")).to_contain_text("The first half")


def test_what_was_sent_is_taken_back(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        begin(page, "Too soon", "Not yet")
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label("Subject")).to_have_value("Too soon")
        page.get_by_role("button", name="Close").click()
        page.get_by_role("link", name="Drafts").click()
        expect(page.get_by_role("button", name="Too soon")).to_be_visible()
        page.get_by_role("link", name="Sent").click()
        expect(page.get_by_text("Nothing here.")).to_be_visible()


def test_an_answer_quotes_and_is_of_the_thread(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1))
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="Note 1").click()
        page.get_by_role("button", name="Reply", exact=True).click()
        expect(page.get_by_role("combobox", name="To")).to_have_count(1)
        expect(page.get_by_label("Subject")).to_have_value("Re: Note 1")
        expect(page.locator(".editor blockquote")).to_contain_text("The text of note 1.")
        page.get_by_role("combobox", name="To").fill("nobody")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("“nobody” is no address")


def test_nothing_of_strangers_gets_into_the_editor(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        path = page.locator("script").get_attribute("src")
        assert path is not None
        found = page.evaluate(
            """async ([path, text]) => {
              const { nodesOfHtml, htmlOf, plainOf } = await import(path.replace("main.js", "rich.js"));
              const root = document.createElement("div");
              root.append(nodesOfHtml(text));
              return [htmlOf(root), plainOf(root)];
            }""",
            [
                path,
                '<p onclick=x() style="color:red">a <b>b</b><script>x()</script><img src=//x onerror=x()></p>'
                '<a href="javascript:x()">c</a><blockquote><div>d</div><div>e</div></blockquote><ol><li>f<li>g</ol>',
            ],
        )
    html, text = found
    assert html == (
        '<div style="white-space:pre-wrap"><p>a <b>b</b></p><a>c</a>'
        "<blockquote><div>d</div><div>e</div></blockquote><ol><li>f</li><li>g</li></ol></div>"
    )
    assert text == "a b\n\nc\n> d\n> e\n1. f\n2. g"
