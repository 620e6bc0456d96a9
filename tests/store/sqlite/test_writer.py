"""Group commit: one fsync for many, each request for itself, and faults that leave the file usable."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from mailstack.model.errors import NotFound, TryAgainLater
from mailstack.store.sql.database import Transaction
from mailstack.store.sqlite.connection import LOG_KEPT_BYTES, LOG_ROOM_BYTES, Access, Connection
from mailstack.store.sqlite.writer import MAX_PENDING, WritableFile, Writer

INSERT = "INSERT INTO thing (number) VALUES (?)"
PAGE_SIZE = 4096
TIMEOUT_S = 120


class Bench:
    """A writer on one file with one table; publish keeps what it is given."""

    def __init__(self, path: Path) -> None:
        self.path = path / "test.db"
        self.published: list[str] = []
        self.connection = Connection(self.path, Access.WRITE)
        self.connection.run("CREATE TABLE thing (number INTEGER PRIMARY KEY, text TEXT)")
        self.file = WritableFile(self.connection, page_size=PAGE_SIZE)
        self.writer = Writer(threads=2, publish=self.published.append)

    async def insert(self, number: int, *, is_long: bool = False) -> int:
        def work(transaction: Transaction) -> int:
            transaction.announce("thing")
            transaction.run(INSERT, (number,))
            return number

        return await self.writer.write(self.file, work, is_long=is_long)

    def numbers(self) -> list[int]:
        reader = Connection(self.path, Access.READ)
        found = [number for (number,) in reader.rows("SELECT number FROM thing ORDER BY number")]
        reader.close()
        return found

    def commits(self) -> int:
        """Grows with each transaction of any connection."""
        return int(str(self.connection.pragma("data_version")))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.writer.close()
    made.connection.close()


@pytest.mark.parametrize("is_long", [False, True])
async def test_what_is_written_is_there_when_the_call_returns(bench: Bench, is_long: bool) -> None:
    assert await bench.insert(1, is_long=is_long) == 1
    assert bench.numbers() == [1]
    assert bench.published == ["thing"]


async def test_requests_of_one_moment_share_few_commits(bench: Bench) -> None:
    watcher = Connection(bench.path, Access.READ)
    seen = {watcher.pragma("data_version")}

    async def insert(number: int) -> None:
        await bench.insert(number)
        seen.add(watcher.pragma("data_version"))

    await asyncio.gather(*(insert(number) for number in range(100)))
    watcher.close()
    assert bench.numbers() == list(range(100))
    assert len(seen) <= 4
    assert len(bench.published) <= 3


@pytest.mark.parametrize("is_long", [False, True])
async def test_one_that_fails_takes_no_other_with_it(bench: Bench, is_long: bool) -> None:
    def fail(transaction: Transaction) -> int:
        transaction.run(INSERT, (77,))
        raise NotFound("as the test wants it")

    results = await asyncio.gather(
        bench.insert(1, is_long=is_long),
        bench.insert(2, is_long=is_long),
        bench.writer.write(bench.file, fail, is_long=is_long),
        bench.insert(3, is_long=is_long),
        return_exceptions=True,
    )
    assert isinstance(results[2], NotFound)
    assert bench.numbers() == [1, 2, 3]


async def test_a_fault_in_the_program_reaches_its_caller_and_no_other(bench: Bench) -> None:
    def fail(transaction: Transaction) -> int:
        transaction.run("NO SUCH STATEMENT")
        return 0

    results = await asyncio.gather(bench.insert(1), bench.writer.write(bench.file, fail), return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], apsw.SQLError)
    assert bench.numbers() == [1]


async def test_a_caller_that_gives_up_does_not_undo_what_it_asked_for(bench: Bench) -> None:
    asked = asyncio.ensure_future(bench.insert(1))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await bench.insert(2)
    assert bench.numbers() == [1, 2]


async def test_a_full_disk_is_try_again_later_and_the_file_stays_usable(bench: Bench) -> None:
    pages = bench.connection.pragma("page_count")
    bench.connection.pragma("max_page_count", str(pages))

    def fill(transaction: Transaction) -> None:
        transaction.run("INSERT INTO thing (number, text) VALUES (?, ?)", (1, "x" * 100_000))

    results = await asyncio.gather(
        bench.insert(2), bench.writer.write(bench.file, fill), bench.insert(3), return_exceptions=True
    )
    assert isinstance(results[1], TryAgainLater)
    assert "full" in results[1].detail
    assert [results[0], results[2]] == [2, 3]
    bench.connection.pragma("max_page_count", "100000")
    await bench.writer.write(bench.file, fill)
    assert bench.numbers() == [1, 2, 3]


async def test_a_file_that_another_process_writes_is_waited_for_beside_the_loop(bench: Bench) -> None:
    other = Connection(bench.path, Access.WRITE)
    other.begin()
    other.run(INSERT, (50,))
    waiting = asyncio.ensure_future(bench.insert(1))
    turns = 0
    for _ in range(20):  # the loop goes on meanwhile
        await asyncio.sleep(0)
        turns += 1
    assert not waiting.done()
    other.run("COMMIT")
    assert await waiting == 1
    other.close()
    assert (turns, bench.numbers()) == (20, [1, 50])


async def test_steps_after_the_commit_run_once_it_is_durable_and_not_for_what_failed(bench: Bench) -> None:
    ran: list[tuple[str, list[int]]] = []
    done = threading.Event()

    def good(transaction: Transaction) -> None:
        transaction.run(INSERT, (1,))
        transaction.after_commit(lambda: ran.append(("good", bench.numbers())))
        transaction.after_commit(done.set)

    def bad(transaction: Transaction) -> None:
        transaction.after_commit(lambda: ran.append(("bad", [])))
        raise NotFound("as the test wants it")

    await asyncio.gather(
        bench.writer.write(bench.file, good), bench.writer.write(bench.file, bad), return_exceptions=True
    )
    assert await asyncio.to_thread(done.wait, 5)
    assert ran == [("good", [1])]


async def test_too_many_waiting_writes_are_refused(bench: Bench) -> None:
    results = await asyncio.gather(
        *(bench.insert(number) for number in range(MAX_PENDING + 10)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, TryAgainLater)]
    assert 0 < len(refused) <= 10
    assert len(bench.numbers()) == MAX_PENDING + 10 - len(refused)


async def test_the_log_is_moved_into_the_file_as_it_grows(bench: Bench) -> None:
    def fill(transaction: Transaction) -> None:
        transaction.run("INSERT INTO thing (text) VALUES (?)", ("x" * 200_000,))

    for _ in range(20):
        await bench.writer.write(bench.file, fill)
    log = bench.path.with_name("test.db-wal")
    assert log.stat().st_size < 2_500_000
    assert bench.path.stat().st_size > 2_000_000


async def test_the_log_gets_its_blocks_in_steps_and_reads_as_before_after_a_crash(bench: Bench, tmp_path: Path) -> None:
    log = bench.path.with_name("test.db-wal")
    sizes = []
    for number in range(30):
        await bench.insert(number)
        sizes.append(log.stat().st_size)
    assert len(set(sizes)) <= 4
    assert LOG_ROOM_BYTES < sizes[-1] < 512 * 1024
    copy = tmp_path / "as after a crash"
    copy.mkdir()
    for file in (bench.path, log):
        shutil.copy(file, copy / file.name)
    after = Connection(copy / bench.path.name, Access.WRITE)
    assert [number for (number,) in after.rows("SELECT number FROM thing")] == list(range(30))
    assert after.rows("PRAGMA integrity_check") == [("ok",)]
    after.close()


async def test_long_work_in_one_file_holds_up_no_commit_in_another(bench: Bench, tmp_path: Path) -> None:
    may_end = threading.Event()
    connections = [Connection(tmp_path / f"long {number}.db", Access.WRITE) for number in range(3)]
    waiting = [
        asyncio.ensure_future(
            bench.writer.write(
                WritableFile(connection, page_size=PAGE_SIZE), lambda _: may_end.wait(TIMEOUT_S), is_long=True
            )
        )
        for connection in connections
    ]
    async with asyncio.timeout(TIMEOUT_S / 2):
        assert await bench.insert(1) == 1
    may_end.set()
    assert await asyncio.gather(*waiting) == [True, True, True]
    for connection in connections:
        connection.close()


async def test_a_step_that_fails_keeps_the_file_for_nobody(bench: Bench) -> None:
    def work(transaction: Transaction) -> None:
        transaction.after_commit(lambda: 1 // 0)  # type: ignore[arg-type]  # a step that is a bug

    await bench.writer.write(bench.file, work)
    async with asyncio.timeout(TIMEOUT_S):
        assert await bench.insert(1) == 1


async def test_a_large_change_leaves_no_large_log(bench: Bench) -> None:
    def fill(transaction: Transaction) -> None:
        transaction.run("INSERT INTO thing (number, text) VALUES (?, ?)", (1, "x" * 3 * LOG_KEPT_BYTES))

    await bench.writer.write(bench.file, fill, is_long=True)
    for number in (2, 3):
        await bench.insert(number)
    assert bench.path.with_name("test.db-wal").stat().st_size <= LOG_KEPT_BYTES
