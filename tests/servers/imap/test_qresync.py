"""QRESYNC: a client comes back, and is told what happened in between. RFC 7162 §3.2."""

import re
from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Any

import pytest

from mailstack.model.ids import MailboxId
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.numset import NumSet
from mailstack.model.principal import Account
from tests.servers.imap.conftest import message
from tests.servers.imap.test_condstore import highest
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap

MESSAGES = 6


@pytest.fixture
async def known(client: ImapClient) -> int:
    """INBOX has six messages; what the client then knows is this mod-sequence. Later: 2 and 3 go, 5 is \\Seen."""
    for number in range(1, MESSAGES + 1):
        await client.append(message(number))
    await client.talk("C: e ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: e OK …")
    mod_seq = await highest(client, "SELECT INBOX")
    await client.talk(rf"""
        C: a UID STORE 2,3 +FLAGS.SILENT (\Deleted)
        S: ...
        S: a OK …
        C: b EXPUNGE
        S: * VANISHED 2:3
        S: b OK [HIGHESTMODSEQ {mod_seq + 2}] EXPUNGE completed
        C: c UID STORE 5 +FLAGS (\Seen)
        S: * 3 FETCH (UID 5 FLAGS (\Seen) MODSEQ ({mod_seq + 3}))
        S: c OK …
        C: d CLOSE
        S: d OK CLOSE completed
    """)
    return mod_seq


async def validity(client: ImapClient) -> int:
    await client.send(b"v STATUS INBOX (UIDVALIDITY)\r\n")
    line = await client.line()
    await client.expect("v OK …")
    return int(line.rpartition(" ")[2].rstrip(")"))


async def resync(client: ImapClient, arguments: str, told: str) -> None:
    """told: what comes after the responses of every SELECT."""
    await client.talk(f"C: r SELECT INBOX (QRESYNC ({arguments}))\nS: ...\nS: * OK [MAILBOXID …\n{told}\nS: r OK …")


async def test_what_went_and_what_has_other_flags(client: ImapClient, known: int) -> None:
    news = f"S: * 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ ({known + 3}))"

    await resync(client, f"{await validity(client)} {known}", f"S: * VANISHED (EARLIER) 2:3\n{news}")
    await resync(client, f"{await validity(client)} {known} 1:2,6", "S: * VANISHED (EARLIER) 2")
    await resync(client, f"{await validity(client)} {known} 4:6", news)


async def test_while_somebody_is_at_it_nobody_is_told_of_the_past_after_the_present(
    client: ImapClient, server: RunningImap, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    messages = server.store.messages
    account = await server.store.accounts.find("u0@peer.test")
    assert isinstance(account, Account)
    operations = cycle((FlagOperation.ADD, FlagOperation.REMOVE))

    async def change() -> None:
        flags = FlagChange(operation=next(operations), keywords=frozenset({"\\Flagged"}), is_deleted=False)
        await change_flags(account.account_id, MailboxId(1), NumSet(((5, 5),)), flags)

    def before(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def changed_first(*arguments: Any) -> Any:
            await change()
            return await read(*arguments)

        return changed_first

    change_flags, uid_validity = messages.change_flags, await validity(client)
    monkeypatch.setattr(messages, "table", before(messages.table))
    monkeypatch.setattr(messages, "placements", before(messages.placements))
    for _ in range(3):
        await change()
        await client.send(f"r SELECT INBOX (QRESYNC ({uid_validity} {known} 5))\r\n".encode())
        told = []
        while not (line := await client.line()).startswith("r "):
            told += [int(found) for found in re.findall(r"UID 5 .*MODSEQ \((\d+)\)", line)]
        assert told
        assert told == sorted(told)


async def test_nothing_is_told_of_another_uid_validity(client: ImapClient, known: int) -> None:
    await client.talk(f"C: r SELECT INBOX (QRESYNC (1 {known}))\nS: ...\nS: * OK [MAILBOXID …\nS: r OK …")


async def test_up_to_a_match_nothing_is_told_to_have_vanished(client: ImapClient, known: int) -> None:
    uid_validity = await validity(client)
    news = f"S: * 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ ({known + 3}))"

    await resync(client, f"{uid_validity} {known} 1:6 (1,3 1,3)", f"S: * VANISHED (EARLIER) 2:3\n{news}")
    await resync(client, f"{uid_validity} {known} 1:6 (1,3 1,5)", news)
    await resync(client, f"{uid_validity} {known} 1:6 (99 99)", f"S: * VANISHED (EARLIER) 2:3\n{news}")


async def test_without_enable_the_parameter_is_refused(stranger: ImapClient) -> None:
    await stranger.login()
    await stranger.talk("C: a SELECT INBOX (QRESYNC (1 1))\nS: a BAD …\nC: b CHECK\nS: b BAD Not in this state…")
    await stranger.talk("C: c SELECT INBOX\nS: ...\nS: c OK …")
    await stranger.talk("C: d EXAMINE INBOX (QRESYNC (1 1))\nS: d BAD …\nC: e CHECK\nS: e OK …")


async def test_others_hear_of_it_as_they_have_asked(client: ImapClient, server: RunningImap) -> None:
    for number in range(1, 4):
        await client.append(message(number))
    async with imap_client(server.port) as plain:
        await plain.login()
        await plain.talk("C: a SELECT INBOX\nS: ...\nS: a OK …")
        await client.talk(r"""
            C: a ENABLE QRESYNC
            S: * ENABLED QRESYNC
            S: a OK …
            C: b SELECT INBOX
            S: ...
            S: b OK …
            C: c STORE 1,3 +FLAGS.SILENT (\Deleted)
            S: ...
            S: c OK …
        """)
        await plain.talk(r"""
            C: b EXPUNGE
            S: * 3 EXPUNGE
            S: * 1 EXPUNGE
            S: b OK EXPUNGE completed
        """)
        await client.talk("C: d FETCH 1 (UID)\nS: ...\nS: d OK …\nC: e NOOP\nS: * VANISHED 1,3\nS: e OK …")


async def test_a_move_tells_where_it_went_and_up_to_where_the_client_knows(client: ImapClient, known: int) -> None:
    await client.talk(f"""
        C: a SELECT INBOX
        S: ...
        S: a OK …
        C: b UID MOVE 4:5 Archive
        S: * OK [COPYUID … 4:5 1:2]…
        S: * VANISHED 4:5
        S: b OK [HIGHESTMODSEQ {known + 4}] MOVE completed
    """)
