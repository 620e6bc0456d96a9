"""Whether what has arrived is what was there: the rows of every table by their hash, and every message by its own."""

from collections.abc import Iterable, Sequence

from mailstack.model.errors import Damaged
from mailstack.model.upkeep import Flaw
from mailstack.store.sql.database import Connection
from mailstack.store.sql.invariants import broken
from mailstack.store.transfer.carrying import Damage, unreadable
from mailstack.store.transfer.pages import digest_of
from mailstack.store.transfer.progress import Part
from mailstack.store.transfer.side import Holder
from mailstack.store.transfer.tables import AFTER_QUEUE, BEFORE_QUEUE, BLOBS, OF_ACCOUNT, QUEUE, Bearing, Table

ACCOUNT_ROWS = (*OF_ACCOUNT, BLOBS.compared)
SYSTEM_ROWS = (*BEFORE_QUEUE, QUEUE.compared, *AFTER_QUEUE)


async def differences(source: Holder, target: Holder, tables: Iterable[Table]) -> list[str]:
    """One for each table that is not the same."""
    found = []
    for table in tables:
        there, here = await digest_of(source.database, table), await digest_of(target.database, table)
        if there.rows != here.rows:
            found.append(f"the table {table.name} has {here.rows} rows, the old store's {there.rows}")
        elif there.sha256 != here.sha256:
            found.append(f"rows of the table {table.name} are not as in the old store")
    return found


async def shared_flaws(source: Holder, target: Holder) -> list[Damage]:
    """Rules of the store that an account broke before it came. Raises Damaged for those that it breaks only now."""
    here = await target.database.read_long(_flaws)
    there = await source.database.read_long(_flaws) if here else []
    if added := [flaw for flaw in here if flaw not in there]:
        told = "; ".join(f"{flaw.rule}: {flaw.where} {flaw.text}" for flaw in added)
        raise Damaged(f"what has arrived breaks rules of the store: {told}")
    return [Damage(where=flaw.where, text=f"{flaw.rule}: {flaw.where} {flaw.text}") for flaw in here]


async def is_as_noted(source: Holder, target: Holder, known: Iterable[Damage], part: Part) -> bool:
    """Of an account that an earlier run has copied and compared: whether that is still true."""
    try:
        await require_same(source, target, (ACCOUNT_ROWS, BLOBS), known, part)
    except Damaged:
        return False
    return True


async def require_same(
    source: Holder, target: Holder, what: tuple[Iterable[Table], Bearing], known: Iterable[Damage], part: Part
) -> None:
    """known: what was damaged in the old store already. Raises Damaged."""
    tables, bearing = what
    found = await differences(source, target, tables)
    known_places = {one.where for one in known}
    found += [one.text for one in await unreadable(target, bearing, part) if one.where not in known_places]
    if found:
        raise Damaged(f"what has arrived is not what was sent: {'; '.join(found)}")


def _flaws(connection: Connection) -> Sequence[Flaw]:
    with connection.snapshot():
        return list(broken(connection, where="the account"))
