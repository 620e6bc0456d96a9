"""Writes to the object journal as those who write objects make them, on any engine of SQL."""

from functools import partial
from typing import cast

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.object_journal import ObjectKind
from mailstack.ports.store import Store
from mailstack.store.sql import object_journal
from mailstack.store.sql.database import Transaction
from mailstack.store.sql.object_journal import SqlObjectJournal


async def note(
    store: Store,
    account_id: AccountId,
    *,
    created: str = "",
    updated: str = "",
    destroyed: str = "",
    kind: ObjectKind = ObjectKind.IDENTITY,
    if_number: int | None = None,
    now: int = 0,
) -> int:
    """Objects: one letter each."""
    system = cast(SqlObjectJournal, store.object_journal)._system  # whose port only reads
    work = partial(
        object_journal.note,
        account_id=account_id,
        kind=kind,
        created=created,
        updated=updated,
        destroyed=destroyed,
        now=Instant(now),
    )

    def checked(transaction: Transaction) -> int:
        object_journal.require_number(transaction, account_id, kind, if_number)
        return work(transaction)

    return await system.write(checked)
