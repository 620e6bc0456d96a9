"""How much there is of what in the queue: model/queue_entry.QueueFigures in SQL. Looks at all of it, off the loop."""

from collections import Counter

from mailstack.model.delivery import Priority, QueueState
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import HeldBack, PriorityFigures, QueueFigures, Status
from mailstack.store.sql.database import Connection

COUNTS = """SELECT state, CASE WHEN lease_owner IS NOT NULL AND due_at > ? THEN 1 ELSE 0 END AS is_leased,
        CASE WHEN due_at <= ? THEN 1 ELSE 0 END AS is_due, COUNT(*)
    FROM mail_recipient GROUP BY 1, 2, 3"""
PRIORITIES = """SELECT r.priority, COUNT(*), MIN(m.queued_at)
    FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id GROUP BY 1 ORDER BY 1 DESC"""
WEIGHT = "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT), MIN(queued_at) FROM mail"
# What follows the last @: without it, what is cut off on the right are all other letters there are.
DOMAINS = """SELECT LOWER(SUBSTR(recipient, LENGTH(RTRIM(recipient, REPLACE(recipient, '@', ''))) + 1)) AS domain,
        COUNT(*)
    FROM mail_recipient GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"""
HELD_BACK = """SELECT r.waits_for, COUNT(*), MIN(m.queued_at), MIN(r.due_at), MAX(r.last_text)
    FROM mail_recipient r JOIN mail m ON m.mail_id = r.mail_id
    WHERE r.waits_for <> '' AND r.state = 'waiting' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"""


def figures(connection: Connection, now: Instant, domains: int) -> QueueFigures:
    statuses: Counter[Status] = Counter()
    due = 0
    for state, is_leased, is_due, count in connection.rows(COUNTS, (now, now)):
        if is_leased:
            statuses[Status.SENDING] += count
        elif state == QueueState.HELD:
            statuses[Status.HELD] += count
        else:
            statuses[Status.WAITING] += count
            due += count if is_due else 0
    ((mails, size_bytes, oldest_at),) = connection.rows(WEIGHT)
    return QueueFigures(
        statuses=statuses,
        priorities={
            Priority(number): PriorityFigures(recipients=count, oldest_at=Instant(queued_at))
            for number, count, queued_at in connection.rows(PRIORITIES)
        },
        due=due,
        mails=mails,
        size_bytes=size_bytes,
        oldest_at=None if oldest_at is None else Instant(oldest_at),
        domains=tuple((domain, count) for domain, count in connection.rows(DOMAINS, (domains,))),
        held_back=tuple(
            HeldBack(
                destination=name, recipients=count, oldest_at=Instant(oldest_at), next_at=Instant(next_at), why=text
            )
            for name, count, oldest_at, next_at, text in connection.rows(HELD_BACK, (domains,))
        ),
    )
