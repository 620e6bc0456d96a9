"""Several processes on one store: no number given twice, and nothing lost that was acknowledged."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore
from tests.support.stores import raw_message

ROOT = Path(__file__).parents[3]
INBOX = MailboxId(1)
TIMEOUT_S = 60


async def start(path: Path, account_id: AccountId, *, first: int, count: int) -> Process:
    arguments = ("-m", "tests.support.append_worker", str(path), account_id, str(first), str(count))
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=PIPE)


async def acknowledged(process: Process) -> list[int]:
    async with asyncio.timeout(TIMEOUT_S):
        output, _ = await process.communicate()
    return [int(line) for line in output.split(b"\n")[:-1]]


async def stored_numbers(store: SqliteStore, account_id: AccountId) -> list[int]:
    """Of every placement, by ascending UID."""
    placements = await store.messages.placements(account_id, INBOX)
    stored = await store.messages.stored(account_id, [placement.message_id for placement in placements])
    return [message.received_at - 1_700_000_000_000 for message in stored]


async def test_two_processes_append_to_one_account(store: SqliteStore, path: Path, account_id: AccountId) -> None:
    processes = [await start(path, account_id, first=first, count=100) for first in (1_000, 2_000)]
    numbers = [number for process in processes for number in await acknowledged(process)]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(await stored_numbers(store, account_id)) == sorted(numbers)
    placements = await store.messages.placements(account_id, INBOX)
    assert [placement.uid for placement in placements] == list(range(1, 201))
    assert (await store.mailboxes.status(account_id, INBOX)).messages == 200


async def test_a_killed_process_loses_nothing_that_it_acknowledged(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    for round_number, lines in enumerate((3, 17, 44)):
        process = await start(path, account_id, first=round_number * 1_000, count=900)
        assert process.stdout is not None
        seen: list[int] = []
        async with asyncio.timeout(TIMEOUT_S):
            while len(seen) < lines:
                seen.append(int(await process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        seen += await acknowledged(process)
        numbers = await stored_numbers(store, account_id)
        assert set(seen) <= set(numbers)
        assert len(numbers) == len(set(numbers))
    for placement in await store.messages.placements(account_id, INBOX):
        raw = await store.messages.read(account_id, placement.message_id)
        assert raw.startswith(raw_message()[:10])
    connection = Connection(account_folder(path, account_id) / "mail.db", Access.READ)
    assert connection.rows("PRAGMA integrity_check") == [("ok",)]
    connection.close()
