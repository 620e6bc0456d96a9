"""A server with one account and a client that is logged in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap, running_imap


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningImap]:
    async with running_imap(tmp_path) as running:
        yield running


@pytest.fixture
async def stranger(server: RunningImap) -> AsyncIterator[ImapClient]:
    """Not logged in."""
    async with imap_client(server.port) as client:
        yield client


@pytest.fixture
async def client(server: RunningImap) -> AsyncIterator[ImapClient]:
    """Logged in."""
    async with imap_client(server.port) as client:
        await client.login()
        yield client


@pytest.fixture
async def inbox(client: ImapClient) -> ImapClient:
    """INBOX selected, with three messages: the second is \\Seen, the third \\Flagged."""
    for number, flags in enumerate(("", "\\Seen", "\\Flagged"), start=1):
        await client.append(message(number), flags=flags)
    await client.talk("""
        C: s SELECT INBOX
        S: * FLAGS …
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 1]…
        S: * OK [UIDVALIDITY …
        S: * OK [UIDNEXT 4]…
        S: * OK [PERMANENTFLAGS …
        S: * OK [HIGHESTMODSEQ …
        S: * OK [MAILBOXID …
        S: s OK [READ-WRITE]…
    """)
    return client


def message(number: int) -> bytes:
    lines = (
        f"From: Sender {number} <sender{number}@a.example>",
        "To: u0@peer.test",
        f"Subject: message {number}",
        "Date: Mon, 7 Feb 1994 21:52:25 -0800",
        f"X-Number: {number}",
        "",
        f"body of {number}",
        "",
    )
    return "\r\n".join(lines).encode()
