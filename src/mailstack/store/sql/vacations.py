"""Answers of who is away: ports.vacations in SQL. They lie with the scripts: delivery asks for both at once."""

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.object_journal import ObjectKind
from mailstack.model.vacation import NO_VACATION, SINGLETON, Vacation
from mailstack.store.sql.database import Database, Row, Transaction
from mailstack.store.sql.object_journal import note, require_number
from mailstack.store.sql.scripts import take_turn

READ = """SELECT is_enabled, begins_at, ends_at, subject, text_body, html_body FROM vacation
    WHERE account_id = ?"""
WRITE = """INSERT INTO vacation (account_id, is_enabled, begins_at, ends_at, subject, text_body, html_body, script)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (account_id) DO UPDATE SET is_enabled = excluded.is_enabled, begins_at = excluded.begins_at,
        ends_at = excluded.ends_at, subject = excluded.subject, text_body = excluded.text_body,
        html_body = excluded.html_body, script = excluded.script"""
FORGET_VACATION = "DELETE FROM vacation WHERE account_id = ?"


class SqlVacations:
    def __init__(self, system: Database, *, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    async def read(self, account_id: AccountId) -> Vacation:
        return _vacation(await self._system.row(READ, (account_id,)))

    async def replace(
        self,
        account_id: AccountId,
        before: Vacation,
        after: Vacation,
        *,
        script: bytes | None,
        if_number: int | None = None,
    ) -> None:
        values = (int(after.is_enabled), after.begins_at, after.ends_at, after.subject, after.text, after.html)

        def work(transaction: Transaction) -> None:
            take_turn(transaction, account_id)
            require_number(transaction, account_id, ObjectKind.VACATION, if_number)
            if _vacation(transaction.row(READ, (account_id,))) != before:
                raise Conflict("the answer was changed meanwhile")
            transaction.run(WRITE, (account_id, *values, script))
            note(transaction, account_id, ObjectKind.VACATION, updated=[SINGLETON], now=self._clock())

        await self._system.write(work)


def _vacation(row: Row | None) -> Vacation:
    if row is None:
        return NO_VACATION
    is_enabled, begins_at, ends_at, subject, text, html = row
    return Vacation(
        is_enabled=bool(is_enabled), begins_at=begins_at, ends_at=ends_at, subject=subject, text=text, html=html
    )
