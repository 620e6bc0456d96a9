"""Somebody signed in to webmail, in a real browser."""

import email
import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import visitor
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox

ALICE = ("alice@example.com", "pw")
BOB = ("bob@example.com", "pw")


@contextmanager
def imap_of(sandbox: Sandbox, who: tuple[str, str] = ALICE) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
        imap.login(*who)
        yield imap


def fill(sandbox: Sandbox, *messages: bytes, mailbox: str = "INBOX", who: tuple[str, str] = ALICE) -> None:
    with imap_of(sandbox, who) as imap:
        for message in messages:
            assert imap.append(mailbox, "", "", message)[0] == "OK"


def plain(number: int) -> bytes:
    head = f"From: Person {number} <p{number}@x.example>\r\nTo: alice@example.com\r\nSubject: Note {number}\r\n"
    return f"{head}Message-ID: <n{number}@x.example>\r\n\r\nThe text of note {number}.\r\n".encode()


@contextmanager
def signed_in(browser: Browser, sandbox: Sandbox, who: tuple[str, str] = ALICE, /, **options: object) -> Iterator[Page]:
    with visitor(browser, **options) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}/")
        page.get_by_label("Address").fill(who[0])
        page.get_by_label("Password").fill(who[1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("navigation")).to_be_visible()
        yield page


def ask(page: Page, method: str, **arguments: object) -> Any:
    """The same server, as the page asks it."""
    return page.evaluate(
        """async ([method, given]) => {
          const session = await (await fetch("/jmap/session")).json();
          const accountId = session.primaryAccounts["urn:ietf:params:jmap:mail"];
          const using = Object.keys(session.capabilities);
          const body = JSON.stringify({ using, methodCalls: [[method, { accountId, ...given }, "0"]] });
          const headers = { "Content-Type": "application/json" };
          const reply = await fetch("/jmap/api", { method: "POST", headers, body });
          return (await reply.json()).methodResponses[0][1];
        }""",
        [method, arguments],
    )


class Cut:
    """Of what the page asks of JMAP, the first request that has `text` arrives, and its answer does not; then nothing
    arrives until `mend`."""

    def __init__(self, page: Page, text: str) -> None:
        self._page = page
        self._text = text
        self.is_done = False
        page.route("**/jmap/api", self._pass)

    def mend(self) -> None:
        self._page.unroute("**/jmap/api")

    def _pass(self, route: Route) -> None:
        if self.is_done:
            route.abort()
        elif self._text in (route.request.post_data or ""):
            route.fetch()
            self.is_done = True
            route.abort()
        else:
            route.continue_()


def stored(sandbox: Sandbox, mailbox: str = "INBOX", who: tuple[str, str] = ALICE) -> list[tuple[str, EmailMessage]]:
    """All that is there, each with its flags."""
    with imap_of(sandbox, who) as imap:
        imap.select(mailbox, readonly=True)
        _, found = imap.fetch("1:*", "(FLAGS BODY.PEEK[])")
        return [
            (each[0].decode(), email.message_from_bytes(each[1], policy=default))
            for each in found
            if isinstance(each, tuple)
        ]
