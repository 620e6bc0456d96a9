"""What a search found, as threads. RFC 5256 §3: ORDEREDSUBJECT here, REFERENCES in thread_references."""

import asyncio
from collections.abc import Sequence
from typing import Any, assert_never

from mailstack.formats.collation import casemap
from mailstack.model.message import Column
from mailstack.model.sorting import Forest, ThreadAlgorithm
from mailstack.services.mailbox.found_columns import read_found
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox
from mailstack.services.mailbox.thread_references import Threaded, by_references, by_sent_date

MANY = 5_000
"""From here on the other sessions would wait too long: it is done in a thread."""

_COLUMNS = (
    Column.HEADER_ID,
    Column.REFERENCES,
    Column.SUBJECT,
    Column.BASE_SUBJECT,
    Column.SENT_AT,
    Column.RECEIVED_AT,
)


async def thread(selected: SelectedMailbox, found: Chosen, algorithm: ThreadAlgorithm) -> tuple[Sequence[int], Forest]:
    """Places in `found` of what is still there, and the forest of these."""
    places, rows = await read_found(selected, found, _COLUMNS)
    if len(rows) < MANY:
        return places, _forest(rows, algorithm)
    return places, await asyncio.to_thread(_forest, rows, algorithm)


def by_subject(messages: Sequence[Threaded]) -> Forest:
    """RFC 5256 §3: ORDEREDSUBJECT: the first of each base subject, and under it the others, by the sent date."""
    threads: dict[str, list[int]] = {}
    for at in by_sent_date(messages):
        threads.setdefault(casemap(messages[at].base_subject), []).append(at)
    # In the order of their first messages, for a dict keeps the order in which its keys came.
    return Forest(
        roots=[thread[0] for thread in threads.values()],
        children={thread[0]: thread[1:] for thread in threads.values() if len(thread) > 1},
    )


def _forest(rows: Sequence[tuple[Any, ...]], algorithm: ThreadAlgorithm) -> Forest:
    messages = [
        Threaded(
            # Nothing is known of a message whose forms are damaged: it is a thread of its own.
            header_id=header_id or "",
            references=references or (),
            subject=subject or "",
            base_subject=base_subject or "",
            # RFC 5256 §2.2: INTERNALDATE stands in for a Date that is not there or cannot be read.
            sent_at=received_at if sent_at is None else sent_at,
        )
        for _, header_id, references, subject, base_subject, sent_at, received_at in rows
    ]
    match algorithm:
        case ThreadAlgorithm.ORDERED_SUBJECT:
            return by_subject(messages)
        case ThreadAlgorithm.REFERENCES:
            return by_references(messages)
        case _:
            assert_never(algorithm)
