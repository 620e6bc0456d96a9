"""The spec changed from a browser, on a server that serves it: diff, write, applied, taken back."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, keep_screenshot, visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.ports import free_port
from tests.support.sandbox import MAILSTACK, run_client
from tests.support.serving import serving_spec

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

ADMIN, SECOND = "alice@example.com", "carol@example.com"
PASSWORD = "open sesame of them"
SPEC = """\
# ours
server:
  hostname: mail.localhost  # browsers know it to be this machine
  workers: 1
  listeners: {{https: ["127.0.0.1:{https}"], imaps: ["127.0.0.1:{imaps}"], smtp: [], submission: [], submissions: [],
    imap: [], managesieve: [], http: []}}
storage: {{path: state}}
include: [people/*.yaml]
reconcile: {{admin_edits: write, on_change: {on_change}}}
domains:
  example.com:
    dmarc: {{policy: none}}  # for now
aliases:
  postmaster@example.com: alice@example.com
"""
PEOPLE = """\
accounts:
  # who looks after it
  alice@example.com: {password: env/PEOPLE_PASSWORD, roles: [admin]}
  carol@example.com: {password: env/PEOPLE_PASSWORD, roles: [admin]}
  bob@example.com:
    name: Bob
    password: env/PEOPLE_PASSWORD
    # leaves in summer
    quota: 1GiB   # enough
"""


@dataclass(frozen=True, kw_only=True)
class House:
    spec: Path
    https: int
    imaps: int

    @property
    def people(self) -> Path:
        return self.spec.parent / "people" / "all.yaml"

    def can_log_in(self, login: str, password: str) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=context, timeout=CLIENT_S) as imap:
            try:
                imap.login(login, password)
            except imaplib.IMAP4.error:
                return False
            return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def house(folder: Path, on_change: str = "apply") -> Iterator[House]:
    made = House(spec=folder / "etc" / "mailstack.yaml", https=free_port(), imaps=free_port())
    made.people.parent.mkdir(parents=True)
    made.spec.write_text(SPEC.format(https=made.https, imaps=made.imaps, on_change=on_change))
    made.people.write_text(PEOPLE)
    if on_change == "plan-only":
        applied = run_client([*MAILSTACK, "apply", "--yes", str(made.spec)], PEOPLE_PASSWORD=PASSWORD)
        assert applied.returncode == 0, applied.stderr.decode()
    with serving_spec(made.spec, PEOPLE_PASSWORD=PASSWORD):
        yield made


@contextmanager
def admin(browser: Browser, house: House, path: str, login: str = ADMIN) -> Iterator[Page]:
    with visitor(browser) as (_, page):
        page.goto(f"https://mail.localhost:{house.https}{path}")
        page.get_by_label("Address").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("navigation")).to_be_visible()
        yield page


def propose(page: Page, key: str, value: str) -> None:
    page.get_by_label(f"Change {key}").click()
    page.get_by_role("textbox", name=key, exact=True).fill(value)
    page.get_by_role("button", name="Show the diff").locator("visible=true").click()


def write(page: Page) -> None:
    page.get_by_role("button", name="Write it into the spec").click()


def test_a_value_is_written_applied_and_taken_back(browser: Browser, tmp_path: Path) -> None:
    with house(tmp_path) as found, admin(browser, found, "/admin/account?login=bob@example.com") as page:
        row = page.get_by_role("row").filter(has_text="1GiB")
        expect(row).to_contain_text("all.yaml:9")
        propose(page, "quota", "20GiB")
        expect(page.get_by_text("+    quota: 20GiB   # enough")).to_be_visible()
        assert found.people.read_text() == PEOPLE
        with admin(browser, found, "/admin/account?login=bob@example.com", SECOND) as other:
            propose(other, "name", "Robert")
            expect(other.get_by_text("+    name: Robert")).to_be_visible()
            write(page)
            expect(page.get_by_text("Applied: generation")).to_be_visible()
            keep_screenshot(page, "admin-written")
            write(other)
            expect(other.get_by_text("has changed since the diff was shown")).to_be_visible()
        assert found.people.read_text() == PEOPLE.replace("1GiB", "20GiB")
        page.reload()
        expect(page.get_by_role("row").filter(has_text="20GiB")).to_contain_text("all.yaml:9")
        page.goto(f"https://mail.localhost:{found.https}/admin/plan")
        expect(page.get_by_text("The server is what the spec says.")).to_be_visible()
        page.get_by_role("button", name="Show the last writes").click()
        expect(page.get_by_text("by alice@example.com: set bob@example.com")).to_be_visible()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("Taken back in")).to_be_visible()
        expect(page.get_by_text("Applied: generation")).to_be_visible()
        assert found.people.read_text() == PEOPLE


def test_somebody_new_gets_an_account_and_a_password(browser: Browser, tmp_path: Path) -> None:
    with house(tmp_path) as found, admin(browser, found, "/admin/accounts") as page:
        page.get_by_role("link", name="New account").click()
        page.get_by_label("Address", exact=True).fill("dora@example.com")
        page.get_by_role("textbox", name="name", exact=True).fill("Dora: new here")
        page.get_by_role("textbox", name="quota", exact=True).fill("much")
        page.get_by_role("button", name="Show the diff").click()
        expect(page.get_by_text("all.yaml:12:")).to_contain_text("quota: not a size")
        page.get_by_role("textbox", name="quota", exact=True).fill("")
        page.get_by_role("button", name="Show the diff").click()
        write(page)
        expect(page.get_by_text("Applied: generation")).to_be_visible()
        page.goto(f"https://mail.localhost:{found.https}/admin/account?login=dora@example.com")
        page.get_by_role("button", name="Give it a new password").click()
        expect(page.get_by_text("It is shown this once")).to_be_visible()
        password = page.locator("#password code").inner_text()
        keep_screenshot(page, "admin-new-account")
        assert found.can_log_in("dora@example.com", password)
        assert not found.can_log_in("dora@example.com", PASSWORD)
    assert found.people.read_text() == f'{PEOPLE}  dora@example.com:\n    name: "Dora: new here"\n'


def test_who_plans_only_applies_from_there(browser: Browser, tmp_path: Path) -> None:
    with house(tmp_path, "plan-only") as found, admin(browser, found, "/admin/domains") as page:
        page.get_by_role("link", name="example.com", exact=True).click()
        page.get_by_label("Change dmarc.policy").click()
        page.get_by_role("combobox", name="dmarc.policy").select_option("quarantine")
        page.get_by_role("button", name="Show the diff").locator("visible=true").click()
        expect(page.get_by_text("+    dmarc: {policy: quarantine}  # for now")).to_be_visible()
        keep_screenshot(page, "admin-domain")
        page.goto(f"https://mail.localhost:{found.https}/admin/aliases")
        page.get_by_role("link", name="postmaster@example.com").click()
        page.get_by_role("button", name="Take this alias out").click()
        write(page)
        expect(page.get_by_text("alias postmaster@example.com")).to_be_visible()
        assert "aliases: {}\n" in found.spec.read_text()
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_text("Applied: generation")).to_be_visible()
        page.get_by_role("link", name="Aliases and lists").click()
        expect(page.get_by_text("postmaster@example.com")).to_have_count(0)
