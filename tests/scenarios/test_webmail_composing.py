"""What mail from webmail is made of: addresses, files, pictures, quotes and signatures."""

import base64
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox, wait_for
from tests.support.webmail import ALICE, ask, fill, plain, signed_in, stored

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# What an event is given: files by name, type and size or octets in base64, and text.
FIRE = """(element, [type, files, text]) => {
  const data = new DataTransfer();
  for (const [name, kind, content] of files) {
    const octets = typeof content === "number" ? new Uint8Array(content) : Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    data.items.add(new File([octets], name, { type: kind }));
  }
  if (text) data.setData("text/plain", text);
  const how = { bubbles: true, cancelable: true };
  element.dispatchEvent(type === "paste"
    ? new ClipboardEvent(type, { ...how, clipboardData: data })
    : new DragEvent(type, { ...how, dataTransfer: data }));
}"""  # noqa: E501  a script
PARSE = """async ([path, texts]) => {
  const { parseAddresses, whyNoAddress } = await import(path.replace("main.js", "addresses.js"));
  return texts.map((text) => parseAddresses(text).map(({ name, email }) => [name, email, whyNoAddress(email)]));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def fire(target: Locator, type_: str, *files: tuple[str, str, object], text: str = "") -> None:
    target.evaluate(FIRE, [type_, files, text])


def hold(_: Route) -> None:
    """Neither arrives nor fails."""


def to(page: Page) -> Locator:
    return page.get_by_role("combobox", name="To")


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Sent.")).to_be_visible()


def last_sent(sandbox: Sandbox, subject: str) -> EmailMessage:
    wait_for(lambda: any(mail["Subject"] == subject for _, mail in stored(sandbox, "Sent")), what=subject)
    return [mail for _, mail in stored(sandbox, "Sent") if mail["Subject"] == subject][-1]


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    text = part.get_content()
    assert isinstance(text, str)
    return text


def with_pictures() -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "Ann <ann@x.example>", "alice@example.com", "Pictures"
    mail["Message-ID"] = "<pictures@x.example>"
    mail.set_content("plain")
    mail.add_alternative(
        '<p>Look: <img src="cid:logo@x" alt="logo"><img src="http://127.0.0.1:9/t.gif" alt="our banner"></p>',
        subtype="html",
    )
    html = mail.get_payload(1)
    assert isinstance(html, EmailMessage)
    html.add_related(PIXEL, "image", "png", cid="<logo@x>", filename="logo.png")
    mail.add_attachment(b"the file", "text", "plain", filename="note.txt")
    return mail.as_bytes()


def test_addresses_are_pieces_and_wrong_ones_say_why(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1))
    with signed_in(browser, sandbox) as page:
        path = page.locator("script").get_attribute("src")
        texts = [
            'Doe, "Roe, R." <roe@x.example>',
            "Team: a@x.example, b@x.example; undisclosed-recipients:;",
            "a@x.example b@x.example\nCarl Clay\tcarl@x.example",
            "ü@bücher.example, x@[IPv6:::1], a@-x.example, @x, a..b@x.example",
        ]
        assert page.evaluate(PARSE, [path, texts]) == [
            [[None, "Doe", "addressWithoutAt"], ["Roe, R.", "roe@x.example", ""]],
            [[None, "a@x.example", ""], [None, "b@x.example", ""]],
            [[None, "a@x.example", ""], [None, "b@x.example", ""], ["Carl Clay", "carl@x.example", ""]],
            [
                [None, "ü@bücher.example", ""],
                [None, "x@[IPv6:::1]", ""],
                [None, "a@-x.example", "addressDomain"],
                [None, "@x", "addressHalf"],
                [None, "a..b@x.example", "addressLocal"],
            ],
        ]
        page.get_by_role("button", name="Write").click()
        fire(to(page), "paste", text="bob@example.com; Ann <ann@x.example>; nobody")
        expect(page.locator(".chip")).to_have_count(3)
        expect(page.get_by_text("“nobody” is no address: there is no @ in it.")).to_be_visible()
        keep_screenshot(page, "webmail-addresses")
        to(page).press("Backspace")
        expect(to(page)).to_have_value("nobody")
        to(page).fill("person")
        expect(page.get_by_role("option", name="Person 1")).to_be_visible()
        to(page).press("Enter")
        expect(page.locator(".chip")).to_have_text(
            ["bob@example.com", "Ann <ann@x.example>", "Person 1 <p1@x.example>"]
        )
        to(page).press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Delete")
        expect(page.locator(".chip")).to_have_text(["bob@example.com", "Person 1 <p1@x.example>"])
        page.get_by_label("Subject").fill("Pieces")
        send(page)
    assert last_sent(sandbox, "Pieces")["To"] == "bob@example.com, Person 1 <p1@x.example>"


def test_files_are_dropped_pasted_and_refused_where_too_large(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        body, editor = page.locator("body"), page.get_by_role("textbox", name="Text of the message")
        fire(body, "dragenter", ("a.txt", "text/plain", 1))
        expect(page.get_by_text("Drop files here to attach them.")).to_be_visible()
        # With no message open, one begins.
        fire(body, "drop", ("a.txt", "text/plain", 1))
        expect(page.get_by_text("Drop files here to attach them.")).to_have_count(0)
        expect(page.get_by_role("button", name="Remove a.txt")).to_be_visible()
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        uploads = len([url for url in asked if "/jmap/upload" in url])
        fire(body, "drop", ("huge.bin", "application/octet-stream", 60_000_000))
        expect(page.get_by_role("alert")).to_contain_text("huge.bin is too large: 37 MB at most")
        assert len([url for url in asked if "/jmap/upload" in url]) == uploads
        page.route("**/jmap/upload/**", hold)
        fire(body, "drop", ("one.bin", "application/x", 20_000_000), ("two.bin", "application/x", 20_000_000))
        expect(page.get_by_role("alert")).to_contain_text(
            "With two.bin the attachments would be too large: 37 MB at most"
        )
        expect(page.get_by_role("progressbar", name="one.bin")).to_be_visible()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Nobody to send it to.")
        page.get_by_role("button", name="Remove one.bin").click()
        expect(page.get_by_role("progressbar")).to_have_count(0)
        page.unroute("**/jmap/upload/**")
        to(page).fill(ALICE[0])
        page.get_by_label("Subject").fill("Files")
        editor.click()
        fire(editor, "paste", ("dot.png", "image/png", base64.b64encode(PIXEL).decode()))
        expect(editor.get_by_role("img", name="dot.png")).to_be_visible()
        fire(editor, "paste", text="pasted <b>text</b>")
        expect(editor).to_contain_text("pasted <b>text</b>")
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        # A draft that is opened again, and saved again, has all of it.
        page.get_by_role("button", name="Close").click()
        page.get_by_role("link", name="Drafts").click()
        page.get_by_role("button", name="Files").click()
        expect(editor.get_by_role("img", name="dot.png")).to_be_visible()
        page.get_by_label("Subject").fill("Files, again")
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        send(page)
        page.get_by_role("link", name="Inbox").click()
        page.get_by_role("button", name="Files, again").click()
        shown = page.frame_locator("iframe").last.get_by_role("img", name="dot.png")
        expect(shown).to_be_visible()
        assert shown.evaluate("image => image.naturalWidth") == 1
    mail = last_sent(sandbox, "Files, again")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.txt"]
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part.get_content() for part in pictures] == [PIXEL]
    assert f'src="cid:{pictures[0]["Content-ID"].strip("<>")}"' in text_of(mail, "html")


def test_answers_keep_pictures_that_came_along_and_forwards_all_files(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, with_pictures())
    asked: list[str] = []
    with signed_in(browser, sandbox) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_role("button", name="Pictures").click()
        page.get_by_role("button", name="Reply", exact=True).click()
        expect(page.locator(".editor blockquote img")).to_be_visible()
        expect(page.locator(".editor blockquote")).to_contain_text("[our banner]")
        keep_screenshot(page, "webmail-answer")
        # Of a file that is spoken of, and not there, one is asked once.
        page.locator(".editor").press_sequentially("It is attached.")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("This speaks of an attachment, and there is none.")
        page.get_by_role("button", name="Send anyway").click()
        expect(page.get_by_text("Sent.")).to_be_visible()
        page.get_by_role("button", name="Forward").last.click()
        expect(page.get_by_role("button", name="Remove note.txt")).to_be_visible()
        to(page).fill("friend@elsewhere.example")
        send(page)
        wait_for(
            lambda: "$Forwarded" in stored(sandbox)[0][0] or "$forwarded" in stored(sandbox)[0][0], what="the mark"
        )
    assert [url for url in asked if "127.0.0.1:9/" in url] == []
    answer, forward = last_sent(sandbox, "Re: Pictures"), last_sent(sandbox, "Fwd: Pictures")
    for mail in (answer, forward):
        assert [part.get_content() for part in mail.walk() if part["Content-ID"] == "<logo@x>"] == [PIXEL]
        assert 'src="cid:logo@x"' in text_of(mail, "html")
        assert "127.0.0.1" not in text_of(mail, "html")
        assert "[our banner]" in text_of(mail, "plain")
    assert list(answer.iter_attachments()) == []
    assert [part.get_content() for part in forward.iter_attachments()] == ["the file"]
    assert (answer["In-Reply-To"], answer["References"]) == ("<pictures@x.example>", "<pictures@x.example>")
    assert (forward["In-Reply-To"], forward["References"]) == (None, None)


def test_answers_come_from_whom_was_written_to_with_their_signature(browser: Browser, sandbox: Sandbox) -> None:
    to_news = plain(7).replace(b"To: alice@", b"List-Post: <mailto:list@x.example>\r\nTo: alice+news@")
    fill(sandbox, to_news)
    with signed_in(browser, sandbox) as page:
        (own,) = ask(page, "Identity/get")["list"]
        news = {"name": "Newsdesk", "email": "alice+news@example.com", "textSignature": "The newsdesk"}
        ask(page, "Identity/set", create={"n": news}, update={own["id"]: {"htmlSignature": "<b>Alice</b> of Example"}})
        page.reload()
        page.get_by_role("button", name="Note 7").click()
        page.get_by_role("button", name="Reply to list").click()
        expect(page.locator(".chip")).to_have_text("list@x.example")
        sender, editor = page.get_by_role("combobox", name="From"), page.locator(".editor")
        signature = editor.locator(".signature")
        expect(sender.locator("option:checked")).to_have_text("Newsdesk <alice+news@example.com>")
        expect(signature).to_have_text("-- The newsdesk")
        editor.press_sequentially("Hello list")
        sender.select_option(label="Alice Example <alice@example.com>")
        expect(signature.locator("b")).to_have_text("Alice")
        expect(editor).to_contain_text("Hello list")
        sender.select_option(label="Newsdesk <alice+news@example.com>")
        expect(signature).to_have_text("-- The newsdesk")
        page.get_by_role("button", name="Plain text").click()
        sender.select_option(label="Alice Example <alice@example.com>")
        expect(editor).to_contain_text("Alice of Example")
        expect(editor).not_to_contain_text("The newsdesk")
        sender.select_option(label="Newsdesk <alice+news@example.com>")
        send(page)
    mail = last_sent(sandbox, "Re: Note 7")
    assert (mail["From"], mail["To"]) == ("Newsdesk <alice+news@example.com>", "list@x.example")
    assert mail.get_content_type() == "text/plain"
    head, quote = text_of(mail, "plain").split("Person 7 wrote on", 1)
    assert head.split() == ["Hello", "list", "--", "The", "newsdesk"]
    assert quote.rstrip().endswith("\n> The text of note 7.")
