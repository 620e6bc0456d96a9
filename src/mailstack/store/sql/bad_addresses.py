"""Addresses that refuse mail for good: ports.bad_addresses in SQL."""

from collections.abc import Collection, Sequence

import orjson

from mailstack.model.bad_address import BadAddress, SuppressRule
from mailstack.model.bad_address import refused as after_refusal
from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant
from mailstack.ports.bad_addresses import MOST_ADDRESSES
from mailstack.store.sql.database import Database, Row, Transaction

COLUMNS = "address, refusals, since, last_at, reply, is_suppressed, ends_at, by_whom"
FIND = f"SELECT {COLUMNS} FROM bad_address WHERE address = ?"  # noqa: S608
FIND_TO_CHANGE = f"{FIND} /*+ FOR UPDATE*/"
PUT = f"""INSERT INTO bad_address ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (address) DO UPDATE SET refusals = excluded.refusals, since = excluded.since,
    last_at = excluded.last_at, reply = excluded.reply, is_suppressed = excluded.is_suppressed,
    ends_at = excluded.ends_at, by_whom = excluded.by_whom"""  # noqa: S608
ACCEPTED = "DELETE FROM bad_address WHERE address = ? AND by_whom = ''"
REMOVE = f"""DELETE FROM bad_address WHERE address IN (SELECT value FROM json_each(?) AS texts)
    RETURNING {COLUMNS}"""  # noqa: S608
PAGE = f"SELECT {COLUMNS} FROM bad_address WHERE address > ? ORDER BY address LIMIT ?"  # noqa: S608
OVER = "DELETE FROM bad_address WHERE ends_at <= ?"
BOUND = """DELETE FROM bad_address WHERE by_whom = ''
    AND last_at < (SELECT last_at FROM bad_address WHERE by_whom = '' ORDER BY last_at DESC LIMIT 1 OFFSET ?)"""


class SqlBadAddresses:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def find(self, address: str) -> BadAddress | None:
        row = await self._system.row(FIND, (address,))
        return None if row is None else _bad(row)

    async def refused(self, address: str, reply: SmtpReply, *, now: Instant, rule: SuppressRule) -> BadAddress | None:
        def work(transaction: Transaction) -> BadAddress | None:
            row = transaction.row(FIND_TO_CHANGE, (address,))
            changed = after_refusal(None if row is None else _bad(row), address, reply, now=now, rule=rule)
            if changed is not None:
                transaction.run(PUT, _row(changed))
            return changed

        return await self._system.write(work)

    async def accepted(self, address: str) -> None:
        await self._system.write(lambda transaction: transaction.run(ACCEPTED, (address,)))

    async def put(self, bad: BadAddress) -> None:
        await self._system.write(lambda transaction: transaction.run(PUT, _row(bad)))

    async def remove(self, addresses: Collection[str]) -> Sequence[BadAddress]:
        listed = orjson.dumps(list(addresses)).decode()
        rows = await self._system.write(lambda transaction: transaction.rows(REMOVE, (listed,)))
        return sorted(map(_bad, rows), key=lambda bad: bad.address)

    async def page(self, *, after: str, limit: int) -> Sequence[BadAddress]:
        rows = await self._system.read_long(lambda connection: connection.rows(PAGE, (after, limit)))
        return [_bad(row) for row in rows]

    async def forget(self, *, now: Instant, most: int = MOST_ADDRESSES) -> int:
        def work(transaction: Transaction) -> int:
            return transaction.run_counted(OVER, (now,)) + transaction.run_counted(BOUND, (most - 1,))

        return await self._system.write(work, is_long=True)


def _row(bad: BadAddress) -> Row:
    said = (bad.refusals, bad.since, bad.last_at, bad.reply)
    return (bad.address, *said, bad.is_suppressed, bad.ends_at, bad.by)


def _bad(row: Row) -> BadAddress:
    address, refusals, since, last_at, reply, is_suppressed, ends_at, by = row
    return BadAddress(
        address=address,
        refusals=refusals,
        since=Instant(since),
        last_at=Instant(last_at),
        reply=reply,
        is_suppressed=bool(is_suppressed),
        ends_at=None if ends_at is None else Instant(ends_at),
        by=by,
    )
