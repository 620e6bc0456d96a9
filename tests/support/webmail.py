"""Somebody signed in to webmail, in a real browser."""

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

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
            imap.append(mailbox, "", "", message)


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
