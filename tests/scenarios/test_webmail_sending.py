"""Mail sent from webmail: once, whatever becomes of the connection; and what has been answered says so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox, wait_for
from tests.support.sink import Sink
from tests.support.webmail import Cut, ask, fill, plain, signed_in, stored

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

FRIEND = "friend@elsewhere.example"
CREATES_EMAIL, SUBMITS = '"create":{"draft"', '"create":{"send"'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def begin(page: Page, subject: str, text: str) -> None:
    page.get_by_role("button", name="Write").click()
    page.get_by_role("combobox", name="To").fill(FRIEND)
    page.get_by_label("Subject").fill(subject)
    page.get_by_role("textbox", name="Text of the message").press_sequentially(text)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def unless_sent(route: Route) -> None:
    if SUBMITS in (route.request.post_data or ""):
        route.abort()
    else:
        route.continue_()


def test_what_arrived_without_an_answer_is_not_sent_again(browser: Browser, sandbox: Sandbox, sink: Sink) -> None:
    with signed_in(browser, sandbox) as page:
        save = Cut(page, CREATES_EMAIL)
        begin(page, "Once", "and once only")
        expect(page.get_by_role("alert")).to_contain_text("The text is kept here")
        save.mend()
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        assert len(stored(sandbox, "Drafts")) == 1
        submission = Cut(page, SUBMITS)
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("It is sent as soon as there is one")
        # What has perhaps gone is not written on, and a reload does not make it another.
        expect(page.locator(".writing")).to_have_attribute("inert", "")
        page.once("dialog", lambda dialog: dialog.accept())
        page.reload()
        # What was read last is shown, and what was being sent goes on waiting.
        expect(page.get_by_role("alert")).to_contain_text("It is sent as soon as there is one")
        submission.mend()
        expect(page.get_by_text("Sent.")).to_be_visible()
        wait_for(lambda: sink.taken, what="the mail")
        assert len(ask(page, "EmailSubmission/get")["list"]) == 1
    assert [taken.recipients for taken in sink.taken] == [(FRIEND,)]
    assert (stored(sandbox, "Drafts"), len(stored(sandbox, "Sent"))) == ([], 1)


def test_what_did_not_arrive_is_sent_when_it_can_be(browser: Browser, sandbox: Sandbox, sink: Sink) -> None:
    with signed_in(browser, sandbox) as page:
        begin(page, "Late", "better than never")
        expect(page.get_by_text("Saved in Drafts")).to_be_visible()
        page.route(
            "**/jmap/api",
            lambda route: route.abort() if SUBMITS in (route.request.post_data or "") else route.continue_(),
        )
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("It is sent as soon as there is one")
        page.unroute("**/jmap/api")
        expect(page.get_by_text("Sent.")).to_be_visible()
        # Close stops it, and what is kept can be sent.
        page.route(
            "**/jmap/api",
            lambda route: route.abort() if SUBMITS in (route.request.post_data or "") else route.continue_(),
        )
        begin(page, "Never mind", "really")
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("It is sent as soon as there is one")
        page.get_by_role("button", name="Close").click()
        page.unroute("**/jmap/api")
        page.get_by_role("link", name="Drafts").click()
        page.get_by_role("button", name="Never mind").click()
        expect(page.get_by_label("Subject")).to_have_value("Never mind")
        wait_for(lambda: sink.taken, what="the mail")
        assert len(ask(page, "EmailSubmission/get")["list"]) == 1
    assert ["Late" in str(taken.content) for taken in sink.taken] == [True]


def test_two_windows_lose_nothing_of_a_draft(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as one:
        begin(one, "Shared", "begun")
        expect(one.get_by_text("Saved in Drafts")).to_be_visible()
        one.get_by_role("button", name="Close").click()
        other = one.context.new_page()
        for page in (one, other):
            page.goto(f"https://localhost:{sandbox.port('https')}/mail")
            page.get_by_role("link", name="Drafts").click()
            page.get_by_role("button", name="Shared").click()
            expect(page.get_by_label("Subject")).to_have_value("Shared")
        one.get_by_label("Subject").fill("Shared, here")
        expect(one.get_by_text("Saved in Drafts")).to_be_visible()
        other.get_by_label("Subject").fill("Shared, there")
        expect(other.get_by_role("alert")).to_contain_text("is a draft of its own now")
        # Nor does a window that knows it as a draft take away what another has sent.
        other.get_by_role("button", name="Close").click()
        other.get_by_role("button", name="Shared, here").click()
        expect(other.get_by_label("Subject")).to_have_value("Shared, here")
        send(one)
        expect(one.get_by_text("Sent.")).to_be_visible()
        other.get_by_label("Subject").fill("Shared, after all")
        expect(other.get_by_role("alert")).to_contain_text("is a draft of its own now")
    assert sorted(mail["Subject"] for _, mail in stored(sandbox, "Drafts")) == ["Shared, after all", "Shared, there"]
    assert [mail["Subject"] for _, mail in stored(sandbox, "Sent")] == ["Shared, here"]


def test_an_answer_is_threaded_and_marks_what_it_answers(browser: Browser, sandbox: Sandbox, sink: Sink) -> None:
    question = plain(1).replace(b"Message-ID:", b"References: <a@x.example> <b@x.example>\r\nMessage-ID:")
    fill(sandbox, question)
    with signed_in(browser, sandbox) as page:
        page.get_by_role("button", name="Note 1").click()
        page.get_by_role("button", name="Reply", exact=True).click()
        expect(page.locator(".chip")).to_have_text("Person 1 <p1@x.example>")
        send(page)
        wait_for(lambda: "\\Answered" in stored(sandbox)[0][0], what="the mark")
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label("Subject")).to_have_value("Re: Note 1")
        wait_for(lambda: "\\Answered" not in stored(sandbox)[0][0], what="no mark")
        send(page)
        wait_for(lambda: sink.taken, what="the answer")
    assert "\\Answered" in stored(sandbox)[0][0]
    ((_, answer),) = stored(sandbox, "Sent")
    assert answer["In-Reply-To"] == "<n1@x.example>"
    assert answer["References"] == "<a@x.example> <b@x.example> <n1@x.example>"
    plain_text = answer.get_body(("plain",))
    assert plain_text is not None
    assert "> The text of note 1." in plain_text.get_content()


def test_what_waits_is_shown_moved_sent_and_taken_back(browser: Browser, sandbox: Sandbox, sink: Sink) -> None:
    with signed_in(browser, sandbox) as page:
        for subject in ("First", "Second"):
            begin(page, subject, "not now")
            page.get_by_role("button", name="Send later").click()
            page.get_by_role("button", name="Tomorrow, 8:00").click()
            expect(page.get_by_text("Will be sent on")).to_be_visible()
        page.get_by_role("link", name="Scheduled").click()
        first = page.locator(".scheduled li").filter(has_text="First")
        second = page.locator(".scheduled li").filter(has_text="Second")
        keep_screenshot(page, "webmail-scheduled")
        first.get_by_role("button", name="Other time").click()
        first.get_by_label("Send at").fill("2001-01-01T08:00")
        first.get_by_role("button", name="Send then").click()
        expect(page.get_by_text("That time has passed.")).to_be_visible()
        before = first.get_by_role("time").text_content()
        first.get_by_role("button", name="In an hour").click()
        expect(first.get_by_role("time")).not_to_have_text(before or "")
        second.get_by_role("button", name="Cancel and edit").click()
        expect(page.get_by_label("Subject")).to_have_value("Second")
        expect(second).to_have_count(0)
        page.get_by_role("button", name="Close").click()
        first.get_by_role("button", name="Send now").click()
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        wait_for(lambda: sink.taken, what="the first")
        found = ask(page, "EmailSubmission/get", properties=["undoStatus"])["list"]
        assert sorted(each["undoStatus"] for each in found) == ["canceled", "canceled", "canceled", "final"]
    assert [mail["Subject"] for _, mail in stored(sandbox, "Drafts")] == ["Second"]
    assert [mail["Subject"] for _, mail in stored(sandbox, "Sent")] == ["First"]


def test_what_could_not_be_delivered_says_so(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        begin(page, "Into the void", "hello?")
        page.get_by_role("combobox", name="To").fill("nobody@elsewhere.example")
        send(page)
        expect(page.locator(".notes")).to_contain_text("Not delivered to nobody@elsewhere.example: 550 5.1.1 nobody")
        page.get_by_role("link", name="Sent").click()
        page.locator(".row .open").click()
        expect(page.get_by_role("list", name="Delivery")).to_have_text(
            "Not delivered to nobody@elsewhere.example: 550 5.1.1 nobody"
        )
