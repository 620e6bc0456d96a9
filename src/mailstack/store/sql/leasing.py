"""Which recipients of the queue a runner is given next: model/queue_share over indexes.

As long as little is due, one look at the head of each priority is enough. Else the head of each lane is looked at that
has room, and then a part of each: as much work for a hundred thousand as for a thousand, and what may not be taken yet
is not read.
"""

from collections.abc import Sequence

import orjson

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant
from mailstack.model.queue_share import URGENT_FIRST, Lane, Taking
from mailstack.store.sql.database import Row, Transaction

FEW = 50
"""Due at once of one priority: more are looked for lane by lane."""

ANY_DUE = """SELECT 1 FROM mail_recipient
    WHERE state = 'waiting' AND priority IN (0, 1, 2) AND due_at <= ? LIMIT ?"""
NEXT_DUE = """SELECT MIN(head) FROM (SELECT (SELECT due_at FROM mail_recipient
    WHERE state = 'waiting' AND priority = wanted.value ORDER BY due_at LIMIT 1) AS head
    FROM json_each(?) AS wanted) AS heads"""
# What another node is leasing just now is passed over, not waited for.
DUE = """SELECT item_id, lane FROM mail_recipient
    WHERE state = 'waiting' AND priority = ? AND due_at <= ? ORDER BY due_at, item_id LIMIT ?
    /*+ FOR UPDATE SKIP LOCKED*/"""
# The lane alone, which has its priority in it: with both, PostgreSQL takes the index of priorities for the better one.
HEADS = """SELECT wanted.value, (SELECT due_at FROM mail_recipient
    WHERE state = 'waiting' AND lane = wanted.value AND due_at <= ? ORDER BY due_at LIMIT 1)
    FROM json_each(?) AS wanted"""
DUE_IN_LANES = """SELECT wanted.value, (SELECT json_group_array(item_id) FROM (SELECT item_id FROM mail_recipient
        WHERE state = 'waiting' AND lane = wanted.value AND due_at <= ?
        ORDER BY due_at, item_id LIMIT ? /*+ FOR UPDATE SKIP LOCKED*/) AS soonest)
    FROM json_each(?) AS wanted"""


def choose(transaction: Transaction, now: Instant, taking: Taking) -> list[int]:
    """Items, in the order in which they are to go."""
    priorities = [priority for priority in URGENT_FIRST if taking.room(priority)]
    found = transaction.ask(*((DUE, (priority, now, FEW + 1)) for priority in priorities))
    chosen: list[int] = []
    for priority, rows in zip(priorities, found, strict=True):
        is_all = len(rows) <= min(FEW, taking.room(priority))
        fitting = rows if is_all else _by_lane(transaction, now, priority, taking)
        chosen += [item_id for item_id, lane in fitting if taking.take(Lane(lane))]
    return chosen


def _by_lane(transaction: Transaction, now: Instant, priority: Priority, taking: Taking) -> Sequence[Row]:
    heads = transaction.rows(HEADS, (now, _json(taking.open_lanes(priority))))
    lanes, portion = taking.portions(priority, {lane: Instant(head) for lane, head in heads if head is not None})
    if not lanes:
        return ()
    due: dict[int, str] = dict(transaction.rows(DUE_IN_LANES, (now, portion, _json(lanes))))
    return [(item_id, lane) for lane in lanes for item_id in orjson.loads(due[lane])]


def _json(numbers: Sequence[int]) -> str:
    return orjson.dumps(numbers).decode()
