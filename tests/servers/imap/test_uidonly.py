"""UIDONLY: message numbers are given up, in both directions. RFC 9586."""

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap


@pytest.fixture
async def by_uid(client: ImapClient) -> ImapClient:
    """INBOX selected, with three messages."""
    for number in range(1, 4):
        await client.append(message(number))
    await client.talk("""
        C: e ENABLE UIDONLY
        S: * ENABLED UIDONLY
        S: e OK …
        C: s SELECT INBOX
        S: * FLAGS …
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY …
        S: ...
        S: s OK …
    """)
    return client


@pytest.mark.parametrize(
    "command",
    [
        "FETCH 1 FLAGS",
        "STORE 1 FLAGS ()",
        "SEARCH ALL",
        "COPY 1 Archive",
        "MOVE 1 Archive",
        "SELECT INBOX (QRESYNC (1 1 1 (1 1)))",
    ],
)
async def test_commands_by_number_are_refused(by_uid: ImapClient, command: str) -> None:
    await by_uid.talk(f"C: a {command}\nS: a BAD [UIDREQUIRED] …")


async def test_news_come_by_uid(by_uid: ImapClient, server: RunningImap) -> None:
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk(r"""
            C: a SELECT INBOX
            S: ...
            S: a OK …
            C: b STORE 2 +FLAGS (\Deleted)
            S: * 2 FETCH (UID 2 FLAGS (\Deleted))
            S: b OK …
            C: c EXPUNGE
            S: * 2 EXPUNGE
            S: c OK …
            C: d STORE 2 +FLAGS (\Seen)
            S: * 2 FETCH (UID 3 FLAGS (\Seen))
            S: d OK …
        """)

    await by_uid.talk(r"""
        C: a NOOP
        S: * VANISHED 2
        S: * 3 UIDFETCH (FLAGS (\Seen))
        S: a OK …
        C: b UID STORE 1 +FLAGS (\Seen)
        S: * 1 UIDFETCH (FLAGS (\Seen))
        S: b OK …
        C: c UID FETCH 3 FLAGS
        S: * 3 UIDFETCH (FLAGS (\Seen))
        S: c OK …
        C: d UID FETCH 3 (UID FLAGS)
        S: * 3 UIDFETCH (UID 3 FLAGS (\Seen))
        S: d OK …
        C: e UID SEARCH ALL
        S: * SEARCH 1 3
        S: e OK …
        C: f UID SEARCH 1:2
        S: f BAD [UIDREQUIRED] …
    """)
