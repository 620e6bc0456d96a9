"""What lies in many ranges of UIDs, asked for at once: a client names a thousand messages by as many ranges."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from mailstack.model.ids import MailboxId
from mailstack.model.numset import NumSet
from mailstack.store.sql.database import Question, Row, Value

RANGES_AT_ONCE = 500


class Asking(Protocol):
    """A connection or a transaction."""

    def ask(self, *questions: Question) -> list[list[Row]]: ...


def rows_in_ranges(asking: Asking, sql: str, mailbox_id: MailboxId, uids: NumSet, *values: Value) -> list[Row]:
    """sql: for a mailbox and a range of UIDs, and then the values."""
    questions = [(sql, (mailbox_id, *each, *values)) for each in uids.ranges]
    return [row for rows in answers(asking, questions) for row in rows]


def answers(asking: Asking, questions: Sequence[Question]) -> Iterator[list[Row]]:
    for start in range(0, len(questions), RANGES_AT_ONCE):
        yield from asking.ask(*questions[start : start + RANGES_AT_ONCE])
