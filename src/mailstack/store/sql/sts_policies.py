"""Other domains' MTA-STS policies: ports.sts_policies in SQL."""

from collections.abc import Callable, Sequence

from mailstack.model.instant import Instant
from mailstack.model.tls_policy import KnownStsPolicy, StsFetchFailure, StsMemory, StsMode, StsPolicy, TlsFailure
from mailstack.ports.sts_policies import MOST_DOMAINS
from mailstack.store.sql.database import Database, Row, Transaction

FIND = """SELECT domain, policy_id, mode, max_age_s, mx, fetched_at,
    used_at, failed_id, failure, failure_detail, failed_at FROM sts_policy WHERE domain = ?"""
KEEP = """INSERT INTO sts_policy
    (domain, policy_id, mode, max_age_s, mx, fetched_at, refresh_at, ends_at, used_at, failed_id, failure,
    failure_detail, failed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', 0)
    ON CONFLICT (domain) DO UPDATE SET policy_id = excluded.policy_id, mode = excluded.mode,
    max_age_s = excluded.max_age_s, mx = excluded.mx, fetched_at = excluded.fetched_at,
    refresh_at = excluded.refresh_at, ends_at = excluded.ends_at, failed_id = '', failure = '', failure_detail = '',
    failed_at = 0"""
FAILED = """INSERT INTO sts_policy
    (domain, policy_id, mode, max_age_s, mx, fetched_at, refresh_at, ends_at, used_at, failed_id, failure,
    failure_detail, failed_at) VALUES (?, '', '', 0, '', 0, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (domain) DO UPDATE SET failed_id = excluded.failed_id, failure = excluded.failure,
    failure_detail = excluded.failure_detail, failed_at = excluded.failed_at, refresh_at = excluded.refresh_at,
    ends_at = CASE WHEN sts_policy.mode = '' THEN excluded.ends_at ELSE sts_policy.ends_at END"""
BOUND = """DELETE FROM sts_policy
    WHERE used_at < (SELECT used_at FROM sts_policy ORDER BY used_at DESC LIMIT 1 OFFSET ?)"""
USED = "UPDATE sts_policy SET used_at = ? WHERE domain = ? AND mode <> ''"
DUE = """SELECT domain, policy_id, mode, max_age_s, mx, fetched_at FROM sts_policy
    WHERE mode <> '' AND refresh_at <= ? AND ends_at > ? AND used_at > ? ORDER BY refresh_at, domain LIMIT ?"""
FORGET = "DELETE FROM sts_policy WHERE ends_at <= ?"


class SqlStsPolicies:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def find(self, domain: str) -> StsMemory:
        row = await self._system.row(FIND, (domain,))
        if row is None:
            return StsMemory()
        *policy, used_at, failed_id, failure, detail, failed_at = row
        failed = None
        if failure:
            failed = StsFetchFailure(
                policy_id=failed_id, failure=TlsFailure(failure), detail=detail, failed_at=Instant(failed_at)
            )
        return StsMemory(known=_known(tuple(policy)), failure=failed, used_at=Instant(used_at))

    async def keep(
        self, known: KnownStsPolicy, *, refresh_at: Instant, ends_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        policy = known.policy
        row = (
            *(known.domain, known.policy_id, policy.mode, policy.max_age_s, " ".join(policy.mx)),
            *(known.fetched_at, refresh_at, ends_at, known.fetched_at),
        )
        await self._system.write(_within(most, KEEP, row))

    async def failed(
        self, domain: str, failure: StsFetchFailure, *, retry_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        at = failure.failed_at
        row = (domain, retry_at, retry_at, at, failure.policy_id, failure.failure, failure.detail, at)
        await self._system.write(_within(most, FAILED, row))

    async def used(self, domain: str, *, now: Instant) -> None:
        await self._system.write(lambda transaction: transaction.run(USED, (now, domain)))

    async def due(self, *, now: Instant, used_after: Instant, most: int) -> Sequence[KnownStsPolicy]:
        rows = await self._system.rows(DUE, (now, now, used_after, most))
        return [known for row in rows if (known := _known(row)) is not None]

    async def forget(self, *, now: Instant) -> int:
        return await self._system.write(lambda transaction: transaction.run_counted(FORGET, (now,)))


def _within(most: int, statement: str, row: Sequence[str | int]) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        transaction.run(statement, row)
        transaction.run(BOUND, (most - 1,))

    return work


def _known(row: Row) -> KnownStsPolicy | None:
    domain, policy_id, mode, max_age_s, mx, fetched_at = row
    if not mode:
        return None
    policy = StsPolicy(mode=StsMode(mode), max_age_s=max_age_s, mx=tuple(mx.split()))
    return KnownStsPolicy(domain=domain, policy_id=policy_id, policy=policy, fetched_at=Instant(fetched_at))
