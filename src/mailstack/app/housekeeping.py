"""What a server does once a day, whichever worker comes first: files that a crash left behind, change logs that grew;
and once an hour: other domains' policies that grow old.

Nothing here is needed for the mail of today; a fault is logged, and tomorrow is another day.
"""

import asyncio
from collections.abc import Callable

import structlog

from mailstack.app.build import Adapters
from mailstack.model.errors import DomainError
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.principal import Account
from mailstack.model.reputation import weight_at
from mailstack.model.resource import Kind
from mailstack.model.sending_limits import counts_since
from mailstack.model.spam_lesson import LESSONS_KEPT_MS, VOTES_KEPT_MS
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.spam.shared import compact
from mailstack.services.spam.turn import LearningTurn

log = structlog.get_logger()

LEASE = "housekeeping"
REFRESH_LEASE = "policies refreshed"
REFRESH_S = 3_000.0
"""Then the next round begins with those that are left."""
WARM_DAYS_KEPT_MS = 400 * DAY_MS
"""Longer than any warm-up lasts, bad days with it."""
FADED = 0.1
"""Mails of today that what is known of a sender weighs: then it is not known any more."""
LOOK_EVERY_S = 600.0
OWNER_BYTES = 8


async def keep_house(adapters: Adapters, lookup: Callable[[], StsLookup]) -> None:
    """Until cancelled. lookup: of the generation that serves."""
    while True:
        # First the wait: a start has better things to do.
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await clean_up_once_a_day(adapters)
            await refresh_once_an_hour(adapters, lookup())
        except (DomainError, OSError) as fault:
            log.warning("housekeeping failed", fault=repr(fault))
        except Exception:  # a bug met here must not leave all later days undone
            log.exception("housekeeping failed")


async def clean_up_once_a_day(adapters: Adapters) -> bool:
    """False: somebody has done it within the day. The lease is never given back: it is the note that it was done."""
    store, now = adapters.store, adapters.clock()
    if not await _is_first(adapters, LEASE, within_ms=DAY_MS):
        return False
    swept = await _sweep(adapters)
    compacted = sum([await _compact(adapters, login, now) for login in await _logins(adapters)])
    shared = sum([await _note_shares(adapters, login) for login in await _logins(adapters)])
    purged = await store.trash.purge(now=now)
    grey = await store.greylist.forget(now=now)
    sts = await store.sts_policies.forget(now=now)
    spans = await store.submitted.forget(before=counts_since(now))
    warm = await store.warm_days.forget(before=Instant(now - WARM_DAYS_KEPT_MS))
    sieve = await store.sieve_memory.forget(now=now)
    lessons = await store.spam_lessons.forget(
        before=Instant(now - LESSONS_KEPT_MS), votes_before=Instant(now - VOTES_KEPT_MS)
    )
    turn = LearningTurn(store.locks, owner=adapters.token(OWNER_BYTES).hex(), clock=adapters.clock)
    based = await compact(store.spam_tables, turn)
    bad = await store.bad_addresses.forget(now=now)
    faded = await store.reputation.forget(below=FADED * weight_at(now))
    uploads = await store.uploads.forget(now=now)
    submissions = await store.email_submissions.forget(now=now)
    sessions = await store.web_sessions.forget(now=now)
    objects = await store.object_journal.forget(now=now)
    pushes = await store.push_subscriptions.forget(now=now)
    acquaintances = await store.acquaintances.forget(now=now)
    log.info(
        "cleaned up",
        files=swept,
        changes=compacted,
        shares=shared,
        trashed_accounts=purged,
        greylisted=grey,
        sts_policies=sts,
        sending_counts=spans,
        warm_days=warm,
        bad_addresses=bad,
        sieve_memory=sieve,
        reputation=faded,
        acquaintances=acquaintances,
        uploads=uploads,
        email_submissions=submissions,
        web_sessions=sessions,
        object_changes=objects,
        push_subscriptions=pushes,
        spam_lessons=lessons,
        spam_base_made=based,
    )
    return True


async def refresh_once_an_hour(adapters: Adapters, lookup: StsLookup) -> bool:
    """As clean_up_once_a_day."""
    if not await _is_first(adapters, REFRESH_LEASE, within_ms=HOUR_MS):
        return False
    try:
        async with asyncio.timeout(REFRESH_S):
            refreshed = await lookup.refresh()
    except (DomainError, OSError) as fault:
        log.warning(
            "MTA-STS policies not refreshed; tried again in an hour, and those that are known count", fault=repr(fault)
        )
        return True
    if refreshed:
        log.info("MTA-STS policies refreshed", domains=refreshed)
    return True


async def _is_first(adapters: Adapters, lease: str, *, within_ms: int) -> bool:
    # A new owner each time, for an owner could renew its lease and do it again.
    owner, now = adapters.token(OWNER_BYTES).hex(), adapters.clock()
    return await adapters.store.locks.acquire(lease, owner, now=now, until=Instant(now + within_ms))


async def _sweep(adapters: Adapters) -> int:
    try:
        return await adapters.store.sweep()
    except (DomainError, OSError) as fault:
        log.warning("not swept", fault=repr(fault))  # a bucket that does not answer stops nothing else
        return 0


async def _compact(adapters: Adapters, login: str, now: Instant) -> int:
    account = await adapters.store.accounts.find(login)
    if not isinstance(account, Account):
        return 0
    try:
        return await adapters.store.changes.compact(account.account_id, now=now)
    except DomainError as fault:
        log.warning("change log not compacted", account=login, fault=repr(fault))  # one account stops no other's
        return 0


async def _note_shares(adapters: Adapters, login: str) -> int:
    """After a system.db was restored from an older copy, what is shared since then would be found by nobody."""
    account = await adapters.store.accounts.find(login)
    if not isinstance(account, Account):
        return 0
    try:
        return await adapters.store.sharing.note_all(account.account_id)
    except DomainError as fault:
        log.warning("shares not noted", account=login, fault=repr(fault))
        return 0


async def _logins(adapters: Adapters) -> list[str]:
    snapshot = await adapters.store.state.snapshot((Kind.ACCOUNT,))
    return [name for _, name in snapshot.resources]
