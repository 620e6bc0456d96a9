"""Leasing on PostgreSQL reads as many rows as it takes, however many wait or may not be taken yet."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant
from mailstack.model.queue_share import LANES
from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.open import PARTS
from mailstack.store.sql import leasing
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer
from tests.support.quota import quota

WAITING = 20_000
FILL = f"""INSERT INTO mail_recipient (mail_id, recipient, state, next_at, due_at, priority, lane)
    SELECT mail_id, 'a@x.example', 'waiting', n, n, n % 3,
        n % 3 * {LANES} + CASE WHEN n % 10 = 0 THEN n % {LANES} ELSE 7 END
    FROM mail, generate_series(1, {WAITING}) AS n"""  # noqa: S608
ADD_MAIL = """INSERT INTO mail (reverse_path, is_8bit, smtp_utf8, trace_id, queued_at, size_bytes, blob_id)
    VALUES ('', 0, 0, '', 0, 0, '')"""
BULK = str(Priority.BULK.value)
LISTED = "[" + ",".join(str(Priority.BULK * LANES + lane) for lane in range(LANES)) + "]"
LIMIT = 5


@pytest.fixture
async def queue(empty_database: str, tmp_path: Path) -> AsyncIterator[psycopg.Connection]:
    await (await open_at(empty_database, tmp_path)).close()
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("SET random_page_cost = 1.1")  # as the server's own connections have it
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(ADD_MAIL)
        connection.execute(FILL.encode())
        yield connection


@pytest.mark.parametrize(
    ("statement", "values", "most"),
    [
        (leasing.ANY_DUE, ("{due}", str(LIMIT)), LIMIT),
        (leasing.NEXT_DUE, ("[0,1,2]",), 3),
        (leasing.DUE, (BULK, "{due}", str(LIMIT)), LIMIT),
        (leasing.HEADS, ("{due}", LISTED), LANES),
        (leasing.DUE_IN_LANES, ("{due}", str(LIMIT), LISTED), LIMIT * LANES),
    ],
    ids=["ANY_DUE", "NEXT_DUE", "DUE", "HEADS", "DUE_IN_LANES"],
)
async def test_what_is_not_taken_is_not_read(
    queue: psycopg.Connection, statement: str, values: tuple[str, ...], most: int
) -> None:
    for _ in ("without statistics", "with them"):
        queue.execute(f"PREPARE asked AS {translated(statement).text.decode()}".encode())
        for due in (0, WAITING // 2, WAITING):
            given = ", ".join(f"'{value.format(due=due)}'" for value in values)
            rows = queue.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({given})".encode()).fetchall()
            assert sum(read(rows[0][0][0]["Plan"])) <= most, rows
        queue.execute("DEALLOCATE asked")
        queue.execute("ANALYZE mail_recipient")


def read(plan: dict[str, object]) -> Iterator[int]:
    """Rows of the queue, those among them that were passed over."""
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    for each in inner:
        yield from read(each)
    if plan.get("Relation Name") == "mail_recipient":
        each_time = sum(float(str(plan.get(what, 0))) for what in ("Actual Rows", "Rows Removed by Filter"))
        yield round(each_time * int(str(plan["Actual Loops"])))


async def test_what_waited_before_there_were_priorities_has_one(
    postgres: PostgresServer, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setitem(PARTS, "system", [one for one in PARTS["system"] if one.number < 4])
        await (await open_at(empty_database, tmp_path)).close()
    database = empty_database.rpartition("/")[2]
    for path in ("", "a@x.example"):
        postgres.run(ADD_MAIL.replace("VALUES (''", f"VALUES ('{path}'"), database=database)
    postgres.run(
        """INSERT INTO mail_recipient (mail_id, recipient, state, next_at, due_at)
            SELECT mail_id, 'b@x.example', 'waiting', 1, 1 FROM mail""",
        database=database,
    )
    store = await open_at(empty_database, tmp_path)
    items = await store.queue.lease("one", now=Instant(1), until=Instant(2), quota=quota(10))
    await store.close()
    found = {item.reverse_path: item.priority for item in items}
    assert found == {"": Priority.BOUNCE, "a@x.example": Priority.SUBMISSION}
