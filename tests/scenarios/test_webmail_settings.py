"""The settings of webmail, and mail that others share, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.scenarios.conftest import SPEC
from tests.support.browser import chromium, keep_screenshot
from tests.support.sandbox import Sandbox, save, wait_for
from tests.support.webmail import ALICE, BOB, fill, imap_of, plain, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

BROKEN = 'require "fileinto";\nif true {\n  fileint "A";\n}\n'
RULES = 'require "fileinto";\nif header :contains "subject" "Note" {\n  fileinto "Archive";\n}\n'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_away_and_identities(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox, timezone_id="Europe/Berlin") as page:
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", name="Away")).to_be_focused()
        page.get_by_role("link", name="Password, phones, export").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        page.go_back()
        page.get_by_label("Answer by itself").check()
        page.get_by_label("First day").fill("2026-12-24")
        page.get_by_label("Last day").fill("2026-12-01")
        page.get_by_label("Text").fill("Back soon.\n\nhttps://x.example/?a=1&b=2")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text="The last day is before the first.")).to_be_visible()
        page.get_by_label("Last day").fill("2027-01-02")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Answer by itself")).to_be_checked()
        expect(page.get_by_label("First day")).to_have_value("2026-12-24")
        expect(page.get_by_label("Last day")).to_have_value("2027-01-02")
        expect(page.get_by_label("Text")).to_have_value("Back soon.\n\nhttps://x.example/?a=1&b=2")
        page.get_by_role("link", name="Sending as").click()
        page.get_by_label("Name", exact=True).fill("Alice E.")
        page.get_by_label("Answers go to").fill('"Office, the" <office@x.example>, b@x.example')
        page.get_by_label("Signature", exact=True).fill("Alice\nhttps://x.example")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Alice E. <alice@example.com>")).to_be_visible()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.get_by_label("Answers go to").fill("nobody")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("“nobody” is no address: there is no @ in it.")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Answers go to")).to_have_value('"Office, the" <office@x.example>, b@x.example')
        expect(page.get_by_label("Its HTML is written by hand")).not_to_be_checked()


def test_rules_are_written_checked_and_used(browser: Browser, sandbox: Sandbox) -> None:
    with signed_in(browser, sandbox) as page:
        page.goto(f"https://localhost:{sandbox.port('https')}/mail#/settings/rules")
        page.get_by_role("button", name="New script").click()
        page.get_by_label("Name").fill("sorting")
        script = page.get_by_label("Script", exact=True)
        script.fill(BROKEN)
        fault = page.get_by_role("button", name="Line 3, column 3")
        expect(fault).to_be_visible()
        fault.click()
        expect(script).to_be_focused()
        assert script.evaluate("area => area.selectionStart") == BROKEN.index("fileint ")
        keep_screenshot(page, "webmail-rules")
        script.fill(RULES)
        expect(page.get_by_text("No faults.")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Use sorting").click()
        expect(page.get_by_text("in use", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_label("Script", exact=True)).to_have_value(RULES)
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Remove sorting").click()
        expect(page.get_by_text("There are no rules yet.")).to_be_visible()


def test_rules_of_the_spec_are_locked(browser: Browser, sandbox: Sandbox, spec: Path) -> None:
    rules = "{name: Alice Example, rules: [{name: x, if: {subject: {contains: x}}, then: {file_into: Archive}}]}"
    save(spec, SPEC.replace("{name: Alice Example}", rules))
    with signed_in(browser, sandbox) as page:
        page.goto(f"https://localhost:{sandbox.port('https')}/mail#/settings/rules")

        def is_locked() -> bool:
            page.reload()
            page.get_by_role("heading", name="Rules").wait_for()
            return page.get_by_text("kept in the server’s configuration").count() > 0

        wait_for(is_locked, what="the spec's rules")
        expect(page.get_by_label("Script", exact=True)).to_have_js_property("readOnly", value=True)
        expect(page.get_by_role("button", name="New script")).to_have_count(0)


def test_what_others_share_is_read_and_followed(browser: Browser, sandbox: Sandbox) -> None:
    fill(sandbox, plain(1), who=BOB)
    with imap_of(sandbox, BOB) as imap:
        imap.setacl("INBOX", ALICE[0], "lrs")
    with signed_in(browser, sandbox) as page:
        shared = page.get_by_role("region", name="Mailboxes of bob@example.com").get_by_role("link", name="Inbox")
        shared.click()
        page.get_by_role("button", name="Note 1").click()
        expect(page.frame_locator("iframe").get_by_text("The text of note 1.")).to_be_visible()
        fill(sandbox, plain(2), who=BOB)
        expect(page.get_by_role("button", name="Note 2")).to_be_visible()
        page.get_by_role("link", name="Inbox").first.click()
        expect(page.get_by_text("Nothing here.")).to_be_visible()
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("link", name="Mailboxes").click()
        inbox = page.get_by_role("list", name="Shared by bob@example.com").get_by_label("Inbox")
        inbox.check()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.reload()
        expect(inbox).to_be_checked()
