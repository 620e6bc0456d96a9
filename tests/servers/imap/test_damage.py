"""What the store cannot read, for a moment or for ever, and what of it the client sees."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

import apsw
import pytest

from mailstack.model.changes import Change, LogHead
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.ports.changes import Changes
from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


class BusyChanges:
    """A change log that cannot be read while is_busy."""

    def __init__(self, real: Changes) -> None:
        self._real = real
        self.is_busy = False

    async def mod_seq(self, account_id: AccountId) -> ModSeq:
        if self.is_busy:
            raise TryAgainLater("the database is busy")
        return await self._real.mod_seq(account_id)

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        return await self._real.heads(account_ids)

    async def since(
        self, account_id: AccountId, mod_seq: ModSeq, *, mailbox_id: MailboxId | None = None, limit: int = 10_000
    ) -> Sequence[Change]:
        return await self._real.since(account_id, mod_seq, mailbox_id=mailbox_id, limit=limit)

    async def compact(self, account_id: AccountId, *, now: Instant) -> int:
        return await self._real.compact(account_id, now=now)

    async def destroyed_since(self, account_id: AccountId, mailbox_id: MailboxId, mod_seq: ModSeq) -> Sequence[Uid]:
        return await self._real.destroyed_since(account_id, mailbox_id, mod_seq)


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[tuple[BusyChanges, ImapClient, ImapClient]]:
    """The change log, and two clients."""
    kept: list[BusyChanges] = []

    def stand_before(real: Changes) -> Changes:
        kept.append(BusyChanges(real))
        return kept[0]

    limits = ImapLimits(idle_poll_s=0.05, idle_sign_s=0.02)
    async with (
        running_imap(tmp_path, changes=stand_before, limits=limits) as server,
        imap_client(server.port) as one,
        imap_client(server.port) as other,
    ):
        await one.login()
        await other.login()
        yield kept[0], one, other


def damage(folder: Path, statement: str) -> None:
    (file,) = folder.rglob("mail.db")
    with apsw.Connection(str(file)) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE blob SET content = x'00' WHERE blob_key = 2", "1 3"),
        ("UPDATE blob SET forms = x'00' WHERE blob_key = 2", "1 2 3"),
    ],
)
async def test_a_damaged_message_keeps_no_other_from_its_reader(
    inbox: ImapClient, tmp_path: Path, statement: str, found: str
) -> None:
    damage(tmp_path, statement)

    await inbox.talk(r"""
        C: a UID FETCH 1:* (RFC822.SIZE BODY.PEEK[TEXT])
        S: * 1 FETCH (UID 1 RFC822.SIZE …
        S: body of 1
        S: )
        S: * 3 FETCH (UID 3 RFC822.SIZE …
        S: body of 3
        S: )
        S: a NO [CORRUPTION]…
    """)
    await inbox.talk(rf"""
        C: b SEARCH BODY "of" LARGER 1
        S: * SEARCH {found}
        S: b OK …
    """)
    await inbox.talk(r"""
        C: c FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS ())
        S: * 2 FETCH (FLAGS (\Seen))
        S: * 3 FETCH (FLAGS (\Flagged))
        S: c OK …
    """)


async def test_what_is_intact_of_a_damaged_message_is_told(inbox: ImapClient, tmp_path: Path) -> None:
    damage(tmp_path, "UPDATE blob SET forms = x'00' WHERE blob_key = 2")

    await inbox.talk(r"""
        C: a FETCH 1:* (ENVELOPE RFC822.SIZE)
        S: * 1 FETCH (ENVELOPE …
        S: * 3 FETCH (ENVELOPE …
        S: a NO [CORRUPTION]…
        C: d FETCH 1:* RFC822.SIZE
        S: * 1 FETCH (RFC822.SIZE …
        S: * 2 FETCH (RFC822.SIZE …
        S: * 3 FETCH (RFC822.SIZE …
        S: d OK …
        C: b FETCH 1:* BODYSTRUCTURE
        S: * 1 FETCH (BODYSTRUCTURE …
        S: * 3 FETCH (BODYSTRUCTURE …
        S: b NO [CORRUPTION]…
        C: c FETCH 2 (FLAGS BODY.PEEK[]<0.4>)
        S: * 2 FETCH (FLAGS (\Seen) BODY[]<0> {4}
        S: From)
        S: c OK …
    """)


async def test_a_damaged_message_is_sorted_and_threaded_with_the_others(inbox: ImapClient, tmp_path: Path) -> None:
    damage(tmp_path, "UPDATE blob SET forms = x'00' WHERE blob_key = 2")

    await inbox.talk(r"""
        C: a SORT (SUBJECT) UTF-8 ALL
        S: * SORT 2 1 3
        S: a OK …
        C: b SORT (REVERSE FROM DATE CC) UTF-8 ALL
        S: * SORT 3 1 2
        S: b OK …
        C: c THREAD REFERENCES UTF-8 ALL
        S: * THREAD (1)(2)(3)
        S: c OK …
        C: d THREAD ORDEREDSUBJECT UTF-8 ALL
        S: * THREAD (1)(2)(3)
        S: d OK …
    """)


async def test_a_command_is_done_though_its_news_cannot_be_read(
    busy: tuple[BusyChanges, ImapClient, ImapClient],
) -> None:
    changes, client, _ = busy
    await client.append(message(1))
    await client.talk("""
        C: a SELECT INBOX
        S: ...
        S: a OK …
    """)
    changes.is_busy = True
    await client.append(message(2))
    changes.is_busy = False
    await client.talk("C: b NOOP\nS: * 2 EXISTS\nS: b OK …")


async def test_idle_outlives_a_fault_that_passes_and_gives_signs_of_life(
    busy: tuple[BusyChanges, ImapClient, ImapClient],
) -> None:
    changes, client, other = busy
    await client.talk("""
        C: a EXAMINE INBOX
        S: ...
        S: a OK …
    """)
    changes.is_busy = True
    await client.talk("""
        C: b IDLE
        S: + idling
        S: * OK Still here
    """)
    await other.append(message(1))
    changes.is_busy = False
    while (said := await client.line()) == "* OK Still here":
        pass
    assert said == "* 1 EXISTS"
    await client.send(b"DONE\r\n")
    while (said := await client.line()) == "* OK Still here":
        pass
    assert said == "b OK IDLE completed"
