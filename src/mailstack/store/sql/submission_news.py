"""What the queue does with the mail of a submission, told to its author: within the queue's own transactions."""

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from mailstack.model.delivery import Failed, Outcome, SmtpReply
from mailstack.model.email_submission import told
from mailstack.model.ids import AccountId, SubmissionId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import ObjectKind
from mailstack.store.sql.database import Row, Transaction
from mailstack.store.sql.object_journal import note

RELEASE = """UPDATE submission SET undo_status = 'final'
    WHERE undo_status = 'pending' AND submission_id IN (SELECT value FROM json_each(?) AS texts)
    RETURNING account_id, submission_id"""
TELL = "UPDATE submission_recipient SET arrival = ?, reply = ? WHERE submission_id = ? AND target = ?"
OWNERS = """SELECT account_id, submission_id FROM submission
    WHERE submission_id IN (SELECT value FROM json_each(?) AS texts) ORDER BY account_id, submission_id"""
TAKEN_OUT = Failed(reply=SmtpReply(code=554, status="5.3.0", text="taken out of the queue by the postmaster"), host="")


class News(NamedTuple):
    """recipient: as the queue calls it."""

    submission_id: SubmissionId
    recipient: str
    outcome: Outcome


def note_on_the_way(transaction: Transaction, submission_ids: Collection[SubmissionId], now: Instant) -> None:
    """From now on it cannot be undone."""
    if submission_ids:
        _note(transaction, sorted(transaction.rows(RELEASE, (_json(submission_ids),))), now)


def note_outcomes(transaction: Transaction, news: Sequence[News], now: Instant) -> None:
    if news:
        transaction.run_many(TELL, [(*told(each.outcome), each.submission_id, each.recipient) for each in news])
        _note(transaction, transaction.rows(OWNERS, (_json({each.submission_id for each in news}),)), now)


def _note(transaction: Transaction, owners: Iterable[Row], now: Instant) -> None:
    """owners: account and submission, in order."""
    for account_id, rows in groupby(owners, lambda row: row[0]):
        changed = [submission_id for _, submission_id in rows]
        note(transaction, AccountId(account_id), ObjectKind.SUBMISSION, updated=changed, now=now)


def _json(texts: Iterable[str]) -> str:
    return json.dumps(sorted(texts))
