"""MESSAGELIMIT: how many messages one command may be about. RFC 9738 §3.1."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[ImapClient]:
    """Five messages, where a command may be about two."""
    async with running_imap(tmp_path, limits=ImapLimits(messages=2)) as server, imap_client(server.port) as client:
        await client.talk("C: a LOGIN u0 pw\nS: a OK [CAPABILITY …MESSAGELIMIT=2…")
        for number in range(5):
            await client.append(message(number), flags="\\Deleted")
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
        yield client


async def test_the_messages_with_the_highest_uids_are_processed(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a FETCH 1:* UID
        S: * 4 FETCH (UID 4)
        S: * 5 FETCH (UID 5)
        S: a OK [MESSAGELIMIT 2 4] FETCH completed
        C: b UID STORE 1:4 +FLAGS (\Seen)
        S: * 3 FETCH (UID 3 FLAGS (\Seen \Deleted))
        S: * 4 FETCH (UID 4 FLAGS (\Seen \Deleted))
        S: b OK [MESSAGELIMIT 2 3] STORE completed
        C: c FETCH 4:5 UID
        S: * 4 FETCH (UID 4)
        S: * 5 FETCH (UID 5)
        S: c OK FETCH completed
    """)


async def test_a_move_and_an_expunge_go_on_where_they_ended(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a UID MOVE 1:* Archive
        S: * OK [COPYUID … 4:5 1:2] Moved
        S: * 5 EXPUNGE
        S: * 4 EXPUNGE
        S: a OK [MESSAGELIMIT 2 4] MOVE completed
        C: b UID EXPUNGE 1:3
        S: * 3 EXPUNGE
        S: * 2 EXPUNGE
        S: b OK [MESSAGELIMIT 2 2] EXPUNGE completed
    """)


async def test_beside_another_code_it_comes_before_the_answer(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a ENABLE QRESYNC
        S: * ENABLED QRESYNC
        S: * OK [HIGHESTMODSEQ …
        S: a OK …
        C: b UID EXPUNGE 1:*
        S: * VANISHED 4:5
        S: * NO [MESSAGELIMIT 2 4] Too many messages at once
        S: b OK [HIGHESTMODSEQ …
    """)


async def test_an_expunge_of_all_has_no_limit(inbox: ImapClient) -> None:
    await inbox.talk("C: a EXPUNGE\n" + "".join(f"S: * {n} EXPUNGE\n" for n in (5, 4, 3, 2, 1)) + "S: a OK EXPUNGE…")


@pytest.mark.parametrize(
    ("command", "lowest"),
    [
        ("COPY 1:* Archive", 4),
        ("UID COPY 1:3 Archive", 2),
        ("UID FETCH 1:* FLAGS (PARTIAL -1:-3)", 4),
        ("UID SORT (ARRIVAL) UTF-8 ALL", 4),
        ("THREAD REFERENCES UTF-8 UIDBEFORE 4", 2),
    ],
)
async def test_what_is_done_whole_or_not_at_all_is_refused(inbox: ImapClient, command: str, lowest: int) -> None:
    await inbox.talk(f"C: a {command}\nS: a NO [MESSAGELIMIT 2 {lowest}] Too many messages at once")


async def test_a_search_looks_at_the_newest_and_goes_on_below_them(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a UID SEARCH DELETED
        S: * SEARCH 4 5
        S: a OK [MESSAGELIMIT 2 4] SEARCH completed
        C: b UID SEARCH UIDBEFORE 4 DELETED
        S: * SEARCH 2 3
        S: b OK [MESSAGELIMIT 2 2] SEARCH completed
        C: c SEARCH RETURN (COUNT) 1:3 SEEN
        S: * ESEARCH (TAG "c") COUNT 0
        S: c OK [MESSAGELIMIT 2 2] SEARCH completed
        C: d UID SEARCH UIDBEFORE 2
        S: * SEARCH 1
        S: d OK SEARCH completed
        C: e UID SEARCH UIDAFTER 3 UID 1:4
        S: * SEARCH 4
        S: e OK SEARCH completed
    """)
