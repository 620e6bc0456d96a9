"""store.sql.database's Connection and Transaction over a link, for functions that wait by a Wait.

What needs no answer is only queued, and goes out with the next question or with the COMMIT: a transaction costs as many
round trips as it has questions, and one more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.faults import Refused
from mailstack.store.postgres.link import Answer, Asked, Link, asked
from mailstack.store.postgres.waiting import Wait
from mailstack.store.sql.database import Question, Row, Value

MAX_QUEUED = 1_000
MAX_QUEUED_BYTES = 1 << 20

BEGIN = asked(translated("BEGIN"), None, ())
BEGIN_READING = asked(translated("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), None, ())
COMMIT = asked(translated("COMMIT"), None, ())


class PostgresConnection:
    """Each question is a transaction of its own, unless within a snapshot."""

    def __init__(self, link: Link, account_id: str | None, wait: Wait) -> None:
        self._link = link
        self._account_id = account_id
        self._wait = wait
        self._is_snapshot = False
        self._first: list[Asked] = []

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        return self.ask((sql, values))[0]

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        return self.rows(sql, values)[0]

    def ask(self, *questions: Question) -> list[list[Row]]:
        batch = [*self._first, *(asked(translated(sql), self._account_id, values) for sql, values in questions)]
        self._first = []
        answers = self._wait(self._link.exchange(batch, wanted=len(questions)))
        return [answer.rows for answer in answers]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._is_snapshot:
            yield
            return
        self._is_snapshot = True
        self._first = [BEGIN_READING]
        try:
            yield
        finally:
            self._is_snapshot = False
            if not self._first:
                self._wait(self._link.roll_back())
            self._first = []


class PostgresTransaction:
    """first: what goes out with the first of its statements."""

    def __init__(self, link: Link, account_id: str | None, wait: Wait, *, first: Sequence[Asked]) -> None:
        self._link = link
        self._account_id = account_id
        self._wait = wait
        self._queued = list(first)
        self._queued_bytes = 0
        self.announced: set[str] = set()
        self.following: list[Callable[[], None]] = []

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        return self._ask(sql, values).rows

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        found = self._ask(sql, values).rows
        return found[0] if found else None

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        return self._ask(sql, values).rows[0]

    def ask(self, *questions: Question) -> list[list[Row]]:
        for sql, values in questions:
            self._queue(asked(translated(sql), self._account_id, values))
        answers = self._wait(self._link.exchange(self._taken(), wanted=len(questions)))
        return [answer.rows for answer in answers]

    def run(self, sql: str, values: Sequence[Value] = ()) -> None:
        self._queue(asked(translated(sql), self._account_id, values))
        if len(self._queued) >= MAX_QUEUED or self._queued_bytes >= MAX_QUEUED_BYTES:
            self._wait(self._link.exchange(self._taken()))

    def run_many(self, sql: str, sequence: Iterable[Sequence[Value]]) -> None:
        for values in sequence:
            self.run(sql, values)

    def run_counted(self, sql: str, values: Sequence[Value] = ()) -> int:
        return self._ask(sql, values).written

    def announce(self, topic: str) -> None:
        self.announced.add(topic)

    def after_commit(self, step: Callable[[], None]) -> None:
        self.following.append(step)

    async def commit(self) -> None:
        """Raises as Link.exchange does; Lost leaves open whether it was done."""
        self._queued.append(COMMIT)
        (answer,) = await self._link.exchange(self._taken())
        if answer.tag != b"COMMIT":
            raise Refused("work went on after a statement that failed")

    def _ask(self, sql: str, values: Sequence[Value]) -> Answer:
        self._queue(asked(translated(sql), self._account_id, values))
        (answer,) = self._wait(self._link.exchange(self._taken()))
        return answer

    def _queue(self, one: Asked) -> None:
        self._queued.append(one)
        if one.formats is not None:  # what is large is never a text
            self._queued_bytes += sum(len(octets) for octets in one.values if octets is not None)

    def _taken(self) -> list[Asked]:
        taken, self._queued, self._queued_bytes = self._queued, [], 0
        return taken
