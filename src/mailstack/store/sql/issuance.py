"""Failed orders of certificates: ports.issuance in SQL."""

from collections.abc import Mapping

from mailstack.model.instant import Instant
from mailstack.model.issuance import IssuanceFailure
from mailstack.store.sql.database import Database, Row

FAILURES = "SELECT name, order_mark, reason, tries, failed_at, retry_at FROM issuance_failure ORDER BY name"
FAILED = """INSERT INTO issuance_failure (name, order_mark, reason, tries, failed_at, retry_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET order_mark = excluded.order_mark, reason = excluded.reason, tries = excluded.tries,
        failed_at = excluded.failed_at, retry_at = excluded.retry_at"""
FORGET = "DELETE FROM issuance_failure WHERE name = ?"


class SqlIssuance:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def failures(self) -> Mapping[str, IssuanceFailure]:
        return {str(row[0]): _failure(row) for row in await self._system.rows(FAILURES)}

    async def failed(self, failure: IssuanceFailure) -> None:
        row = (failure.name, failure.order, failure.reason, failure.tries, failure.failed_at, failure.retry_at)
        await self._system.write(lambda transaction: transaction.run(FAILED, row))

    async def forget(self, name: str) -> None:
        await self._system.write(lambda transaction: transaction.run(FORGET, (name,)))


def _failure(row: Row) -> IssuanceFailure:
    name, order, reason, tries, failed_at, retry_at = row
    return IssuanceFailure(
        name=name, order=order, reason=reason, tries=tries, failed_at=Instant(failed_at), retry_at=Instant(retry_at)
    )
