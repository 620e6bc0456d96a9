"""The journal of what lies with the system: ports.object_journal in SQL, and what those who write objects call.

`note`, `begin_anew` and `require_number` belong into the transaction that writes the objects.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import JOURNAL_KEPT_MS, ChangedObjects, JournalPoint, ObjectKind
from mailstack.ports.bus import account_topic
from mailstack.store.sql.database import Database, Row, Transaction

FORGOTTEN_AT_ONCE = 500

# Writers of one kind of an account come one after the other.
COUNT_UP = """INSERT INTO object_state (account_id, kind, number, floor_number) VALUES (?1, ?2, ?3, 0)
    ON CONFLICT (account_id, kind) DO UPDATE SET number = object_state.number + ?3 RETURNING number"""
CREATED = """INSERT INTO object_change
    (account_id, kind, object_id, created_number, changed_number, is_gone, changed_at) VALUES (?, ?, ?, ?, ?, 0, ?)"""
# What is not here was created before all that is.
CHANGED = """INSERT INTO object_change
    (account_id, kind, object_id, created_number, changed_number, is_gone, changed_at) VALUES (?, ?, ?, 0, ?, ?, ?)
    ON CONFLICT (account_id, kind, object_id) DO UPDATE SET
        changed_number = excluded.changed_number, is_gone = excluded.is_gone, changed_at = excluded.changed_at"""
BEGIN_ANEW = """INSERT INTO object_state (account_id, kind, number, floor_number) VALUES (?, ?, 1, 1)
    ON CONFLICT (account_id, kind) DO UPDATE SET
        number = object_state.number + 1, floor_number = object_state.number + 1"""
STATE = "SELECT number, floor_number FROM object_state WHERE account_id = ? AND kind = ?"
NUMBERS = """SELECT account_id, kind, number FROM object_state
    WHERE number > 0 AND account_id IN (SELECT value FROM json_each(?) AS texts)"""
SINCE = """SELECT object_id, created_number, changed_number, is_gone FROM object_change
    WHERE account_id = ? AND kind = ? AND changed_number > ? ORDER BY changed_number LIMIT ?"""
FORGET_SOME = """DELETE FROM object_change WHERE (account_id, kind, object_id) IN (
    SELECT account_id, kind, object_id FROM object_change WHERE changed_at < ? LIMIT ?)
    RETURNING account_id, kind, changed_number"""
RAISE_FLOOR = """UPDATE object_state SET floor_number = CASE WHEN floor_number < ?3 THEN ?3 ELSE floor_number END
    WHERE account_id = ?1 AND kind = ?2"""
FORGET_CHANGES = "DELETE FROM object_change WHERE account_id = ?"
FORGET_STATES = "DELETE FROM object_state WHERE account_id = ?"


def note(
    transaction: Transaction,
    account_id: AccountId,
    kind: ObjectKind,
    *,
    created: Collection[str] = (),
    updated: Collection[str] = (),
    destroyed: Collection[str] = (),
    now: Instant,
) -> int:
    """The new number, the old one for nothing. No id is created twice."""
    last = _count_up(transaction, account_id, kind, len(created) + len(updated) + len(destroyed))
    changed = [*((one, 0) for one in updated), *((one, 1) for one in destroyed)]
    first_changed = last - len(changed) + 1
    first, key = first_changed - len(created), (account_id, kind.value)
    transaction.run_many(CREATED, [(*key, one, number, number, now) for number, one in enumerate(created, first)])
    transaction.run_many(
        CHANGED, [(*key, one, number, is_gone, now) for number, (one, is_gone) in enumerate(changed, first_changed)]
    )
    transaction.announce(account_topic(account_id))
    return last


def require_number(transaction: Transaction, account_id: AccountId, kind: ObjectKind, if_number: int | None) -> None:
    """For writes that depend on it: nobody else writes until the transaction is over. Raises Conflict."""
    if if_number is not None and _count_up(transaction, account_id, kind, 0) != if_number:
        raise Conflict(f"{kind} objects of account {account_id} have changed since number {if_number}")


def begin_anew(transaction: Transaction, account_ids: Collection[AccountId], kind: ObjectKind) -> None:
    """For what the spec has a say in: something is another now, and nobody is told what."""
    transaction.run_many(BEGIN_ANEW, [(account_id, kind.value) for account_id in account_ids])
    for account_id in account_ids:
        transaction.announce(account_topic(account_id))


def forget_journal(transaction: Transaction, account_id: str) -> None:
    transaction.run(FORGET_CHANGES, (account_id,))
    transaction.run(FORGET_STATES, (account_id,))


class SqlObjectJournal:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def number(self, account_id: AccountId, kind: ObjectKind) -> int:
        row = await self._system.row(STATE, (account_id, kind.value))
        return 0 if row is None else row[0]

    async def numbers(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, Mapping[ObjectKind, int]]:
        found: dict[AccountId, dict[ObjectKind, int]] = {}
        for account_id, kind, number in await self._system.rows(NUMBERS, (json.dumps([*account_ids]),)):
            found.setdefault(AccountId(account_id), {})[ObjectKind(kind)] = number
        return found

    async def changed(
        self, account_id: AccountId, kind: ObjectKind, since: JournalPoint, *, limit: int
    ) -> ChangedObjects:
        # The floor is read last: what was forgotten meanwhile has raised it.
        rows, states = await self._system.read(
            lambda connection: connection.ask(
                (SINCE, (account_id, kind.value, since.number, limit + 1)), (STATE, (account_id, kind.value))
            )
        )
        ((number, floor),) = states or [(0, 0)]
        if not floor <= since.number <= number:
            raise Conflict(f"the journal of account {account_id} goes from {floor} to {number}, not to {since.number}")
        return _changed(rows[:limit], since, has_more=len(rows) > limit)

    async def forget(self, *, now: Instant) -> int:
        before = now - JOURNAL_KEPT_MS

        def work(transaction: Transaction) -> int:
            gone = transaction.rows(FORGET_SOME, (before, FORGOTTEN_AT_ONCE))
            transaction.run_many(RAISE_FLOOR, gone)
            return len(gone)

        forgotten = 0
        while True:
            some = await self._system.write(work, is_long=True)
            forgotten += some
            if some < FORGOTTEN_AT_ONCE:
                return forgotten


def _count_up(transaction: Transaction, account_id: AccountId, kind: ObjectKind, by: int) -> int:
    return int(transaction.one(COUNT_UP, (account_id, kind.value, by))[0])


def _changed(rows: Sequence[Row], since: JournalPoint, *, has_more: bool) -> ChangedObjects:
    """Of what was created on the way, nobody knows whether it was told of: it is told of again, destroyed as well."""
    began = since.number if since.began is None else since.began
    point = JournalPoint(rows[-1][2] if rows else since.number, began if has_more else None)
    return ChangedObjects(
        created=[one for one, created, _, is_gone in rows if created > began and not is_gone],
        updated=[one for one, created, _, is_gone in rows if created <= began and not is_gone],
        destroyed=[one for one, created, _, is_gone in rows if is_gone and created <= since.number],
        point=point,
        has_more=has_more,
    )
