"""How much accounts have submitted: ports.submitted in SQL."""

from collections.abc import Sequence

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sending_limits import Span
from mailstack.store.sql.database import Database

SPANS = """SELECT began_at, messages, recipients FROM submitted WHERE account_id = ? AND began_at >= ?
    ORDER BY began_at"""
ADD = """INSERT INTO submitted (account_id, began_at, messages, recipients) VALUES (?, ?, 1, ?)
    ON CONFLICT (account_id, began_at) DO UPDATE SET messages = submitted.messages + 1,
    recipients = submitted.recipients + excluded.recipients"""
FORGET = "DELETE FROM submitted WHERE began_at < ?"


class SqlSubmitted:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def spans(self, account_id: AccountId, *, since: Instant) -> Sequence[Span]:
        rows = await self._system.rows(SPANS, (account_id, since))
        return [
            Span(began_at=Instant(began_at), messages=messages, recipients=recipients)
            for began_at, messages, recipients in rows
        ]

    async def add(self, account_id: AccountId, *, began_at: Instant, recipients: int) -> None:
        await self._system.write(lambda transaction: transaction.run(ADD, (account_id, began_at, recipients)))

    async def forget(self, *, before: Instant) -> int:
        return await self._system.write(lambda transaction: transaction.run_counted(FORGET, (before,)))
