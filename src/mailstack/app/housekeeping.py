"""What a server does once a day, whichever worker comes first: files that a crash left behind, change logs that grew.

Nothing here is needed for the mail of today; a fault is logged, and tomorrow is another day.
"""

import asyncio

import structlog

from mailstack.app.build import Adapters
from mailstack.model.errors import DomainError
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.principal import Account
from mailstack.model.resource import Kind

log = structlog.get_logger()

LEASE = "housekeeping"
LOOK_EVERY_S = 600.0
OWNER_BYTES = 8


async def keep_house(adapters: Adapters) -> None:
    """Until cancelled."""
    while True:
        # First the wait: a start has better things to do.
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await clean_up_once_a_day(adapters)
        except (DomainError, OSError) as fault:
            log.warning("housekeeping failed", fault=repr(fault))
        except Exception:  # a bug met here must not leave all later days undone
            log.exception("housekeeping failed")


async def clean_up_once_a_day(adapters: Adapters) -> bool:
    """False: somebody has done it within the day. The lease is never given back: it is the note that it was done."""
    store, now = adapters.store, adapters.clock()
    # A new owner each time, for an owner could renew its lease and do it again.
    owner = adapters.token(OWNER_BYTES).hex()
    if not await store.locks.acquire(LEASE, owner, now=now, until=Instant(now + DAY_MS)):
        return False
    swept = await _sweep(adapters)
    compacted = sum([await _compact(adapters, login, now) for login in await _logins(adapters)])
    shared = sum([await _note_shares(adapters, login) for login in await _logins(adapters)])
    purged = await store.trash.purge(now=now)
    grey = await store.greylist.forget(now=now)
    log.info("cleaned up", files=swept, changes=compacted, shares=shared, trashed_accounts=purged, greylisted=grey)
    return True


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
