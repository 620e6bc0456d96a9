"""What people have done to the queue: ports.hand_notes in SQL."""

import json
from collections.abc import Sequence

from mailstack.model.hand_note import HandAction, HandNote
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import HAND_TOPIC
from mailstack.store.sql.database import Database, Transaction

# Of a queue that was restored from an older copy, a number may come again.
ADD = """INSERT INTO hand_note (item_id, mail_id, trace_id, reverse_path, recipient, action, by_whom, noted_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (item_id) DO NOTHING"""
OLDEST = """SELECT item_id, mail_id, trace_id, reverse_path, recipient, action, by_whom, noted_at FROM hand_note
    ORDER BY item_id LIMIT ? /*+ FOR UPDATE*/"""
OLDEST_ID = "SELECT item_id FROM hand_note LIMIT 1"
TAKE = "DELETE FROM hand_note WHERE item_id IN (SELECT value FROM json_each(?) AS listed)"


class SqlHandNotes:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, notes: Sequence[HandNote]) -> None:
        rows = [
            (
                each.item_id,
                each.mail_id,
                each.trace_id,
                each.reverse_path,
                each.recipient,
                each.action,
                each.by,
                each.at,
            )
            for each in notes
        ]

        def work(transaction: Transaction) -> None:
            transaction.run_many(ADD, rows)
            transaction.announce(HAND_TOPIC)

        await self._system.write(work)

    async def take(self, *, limit: int) -> Sequence[HandNote]:
        if not await self._system.rows(OLDEST_ID):  # nearly always, and a look costs no write
            return []

        def work(transaction: Transaction) -> list[HandNote]:
            found = [_note(row) for row in transaction.rows(OLDEST, (limit,))]
            transaction.run(TAKE, (json.dumps([note.item_id for note in found]),))
            return found

        return await self._system.write(work)


def _note(row: Sequence[object]) -> HandNote:
    item_id, mail_id, trace_id, reverse_path, recipient, action, by, at = row
    return HandNote(
        item_id=QueueItemId(int(str(item_id))),
        mail_id=MailId(int(str(mail_id))),
        trace_id=str(trace_id),
        reverse_path=str(reverse_path),
        recipient=str(recipient),
        action=HandAction(str(action)),
        by=str(by),
        at=Instant(int(str(at))),
    )
