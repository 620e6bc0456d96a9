"""Mail, names and files that try to run, in all places of webmail and of the account and admin pages that show them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.support.browser import chromium
from tests.support.hostile import LAST, Canary, hostile_mail, html_vectors, mail, numbered, text_vectors
from tests.support.sandbox import Sandbox, wait_for
from tests.support.webmail import ALICE, ask, fill, imap_of, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

NAME = numbered("<img src=x onerror=CANARY>\"'><script>CANARY</script>{{ 7 * 7 }}", 9_000)
SPEC = f"""\
server:
  hostname: mail.example.com
  workers: 1
domains:
  example.com: {{}}
accounts:
  alice@example.com:
    name: {json.dumps(NAME)}
    roles: [admin]
"""
ADMIN_PAGES = 8
ALL_ROWS = {"width": 1280, "height": 2_400}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    file.write_text(SPEC)
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def listening(page: Page, sandbox: Sandbox) -> Canary:
    canary = Canary(own=f"https://localhost:{sandbox.port('https')}/")
    canary.listen(page.context)
    page.reload()  # where nothing listened yet
    return canary


def test_a_page_that_shows_what_it_is_given_is_heard(browser: Browser) -> None:
    """Without this, silence would prove nothing."""
    with browser.new_context() as context:
        page = context.new_page()
        canary = Canary(own="https://localhost/")
        canary.listen(context)
        for kind, vectors in html_vectors().items():
            canary.hits.clear()
            for vector in vectors:
                page.goto("about:blank")
                page.set_content(vector, wait_until="commit")
            if kind != "clobbering":  # which needs scripts of the page's own
                wait_for(lambda: page.evaluate("true") and canary.hits, what=kind)


def test_nothing_runs_that_mail_brings(browser: Browser, sandbox: Sandbox) -> None:
    found = list(hostile_mail())
    fill(sandbox, *(raw for _, raw in found))
    with signed_in(browser, sandbox, viewport=ALL_ROWS) as page:
        canary = listening(page, sandbox)
        expect(page.locator(".row .open").first).to_be_visible()
        for subject in filter(None, (subject for subject, _ in found)):
            open_mail(page, subject)
            press_all(page)
            for act in ("Reply", "Forward"):
                write(page, act)
            assert not canary.hits, (subject, canary.hits)
        for place in ("canary", "evil", "img onerror"):
            page.get_by_role("searchbox").fill(place)
            page.get_by_role("searchbox").press("Enter")
            expect(page.locator(".row .open mark").first).to_be_visible()
        download_all(page, "All parts", "File names")
        assert canary.hits == []


def open_mail(page: Page, subject: str) -> None:
    page.locator(".row .open").filter(has_text=subject).first.click()
    expect(page.frame_locator("iframe").get_by_text(LAST).last).to_be_attached()
    pictures = page.get_by_role("button", name="Show pictures")
    if pictures.is_visible():
        pictures.click()
        expect(pictures).to_have_count(0)
        expect(page.frame_locator("iframe").get_by_text(LAST).last).to_be_attached()


def press_all(page: Page) -> None:
    """As a reader might."""
    for press in page.frame_locator("iframe").get_by_text("press", exact=True).all():
        press.click(force=True)


def write(page: Page, act: str) -> None:
    page.get_by_role("button", name=act, exact=True).click()
    expect(page.locator(".editor")).to_contain_text(LAST)
    for press in page.locator(".editor a").all():
        press.dispatch_event("click")  # one of many among much text
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".editor")).to_have_count(0)


def download_all(page: Page, *subjects: str) -> None:
    for subject in subjects:
        page.get_by_role("searchbox").fill(f'subject:"{subject}"')
        page.get_by_role("searchbox").press("Enter")
        expect(page.locator(".row .open")).to_have_count(1)
        open_mail(page, subject)
        for link in page.locator(".attachments a").all():
            with page.expect_download() as told:
                link.click()
            assert "/" not in told.value.suggested_filename
            # By its address as well: as a page of its own it is a file, too.
            with pytest.raises(Error, match="Download is starting"):
                page.goto(told.value.url)


def test_nothing_runs_that_has_been_named(browser: Browser, sandbox: Sandbox) -> None:
    texts = text_vectors()
    with imap_of(sandbox) as imap:
        for name in ("<img src=x onerror=canary(8001)>", "{{7+7}}", "<script>canary(8002)<&-script>"):
            assert imap.create(f'"{name}"')[0] == "OK"
    fill(sandbox, mail("Subject: x", "From: e@x.example", [("text/plain", LAST)]))
    with signed_in(browser, sandbox, user_agent=NAME) as page:
        canary = listening(page, sandbox)
        expect(page.get_by_role("navigation").get_by_text("<img src=x onerror=canary(8001)>")).to_be_visible()
        (identity,) = ask(page, "Identity/get")["list"]
        signature = "".join(html_vectors()["handlers"])
        changed = ask(
            page, "Identity/set", update={identity["id"]: {"name": texts["from"][0][:60], "htmlSignature": signature}}
        )
        assert changed["updated"]
        away = {"isEnabled": True, "subject": NAME, "textBody": NAME, "htmlBody": signature}
        assert ask(page, "VacationResponse/set", update={"singleton": away})["updated"]
        page.reload()
        page.get_by_role("button", name="Write").click()
        expect(page.locator(".editor .signature")).to_be_attached()
        page.get_by_role("button", name="Discard").click()
        for place in ("vacation", "identities", "rules", "folders", "storage"):
            page.goto(f"{canary.own}mail#/settings/{place}")
            page.reload()
            expect(page.get_by_role("main").or_(page.get_by_role("heading")).first).to_be_visible()
        assert canary.hits == []
        see_account(page, canary)
        see_admin(page, canary)


def see_account(page: Page, canary: Canary) -> None:
    page.goto(f"{canary.own}account")
    page.get_by_label("Name", exact=True).fill(NAME[:60])
    page.get_by_role("button", name="Make an app password").click()
    expect(page.locator("code")).to_be_visible()
    expect(page.get_by_text("<img src=x").first).to_be_visible()
    assert canary.hits == []


def see_admin(page: Page, canary: Canary) -> None:
    page.goto(f"{canary.own}admin")
    places = [link.get_attribute("href") for link in page.get_by_role("navigation").get_by_role("link").all()]
    assert len(places) >= ADMIN_PAGES
    for place in [*places, f"/admin/account?login={ALICE[0]}"]:
        page.goto(canary.own + str(place).lstrip("/"))
        page.wait_for_load_state("networkidle")
        assert canary.hits == [], place
    expect(page.get_by_text("<img src=x").first).to_be_visible()
