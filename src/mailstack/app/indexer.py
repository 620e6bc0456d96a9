"""The background indexer of one worker: full-text indexes catch up with the mail a moment after it came.

Woken by what the worker's own store publishes, so that whoever took the mail in indexes it; a lease for each account
keeps two workers from doing the same. Nothing is lost with a wake-up: a search catches up before it answers.
"""

import asyncio

import structlog

from mailstack.app.build import Adapters
from mailstack.model.errors import DomainError, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.ports.bus import account_of_topic, account_topic
from mailstack.services.mailbox.indexing import index_batch

log = structlog.get_logger()

GATHER_S = 10.0
"""What comes together is indexed together, for a tenth of what it costs message by message."""
LEASE_MS = 60 * SECOND_MS
OWNER_BYTES = 8


class Indexer:
    """Begins at once, ends when cancelled: a batch is one transaction."""

    def __init__(self, adapters: Adapters, *, gather_s: float = GATHER_S) -> None:
        self._adapters = adapters
        self._gather_s = gather_s
        self._owner = adapters.token(OWNER_BYTES).hex()
        self._changed: set[AccountId] = set()
        self._wake = asyncio.Event()
        self._end_watch = adapters.store_bus.watch_all(self._note)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _note(self, topic: str) -> None:
        account_id = account_of_topic(topic)
        if account_id is not None:
            self._changed.add(account_id)
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._gather_s)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            for account_id in changed:
                await self._catch_up(account_id)

    async def _catch_up(self, account_id: AccountId) -> None:
        try:
            if await self._adapters.store.search.is_behind(account_id):
                await self._index(account_id)
        except NotFound:
            return  # the account went meanwhile
        except DomainError as fault:
            log.warning("not indexed", account=account_id, fault=repr(fault))  # one account stops no other's
        except Exception:  # a bug met in one account's mail leaves all others to be indexed
            log.exception("indexing failed", account=account_id)

    async def _index(self, account_id: AccountId) -> None:
        search, locks = self._adapters.store.search, self._adapters.store.locks
        name = f"index/{account_id}"
        while await search.is_behind(account_id):
            now = self._adapters.clock()
            if not await locks.acquire(name, self._owner, now=now, until=Instant(now + LEASE_MS)):
                # Another worker is at it; what came after its last look is ours to see to.
                self._note(account_topic(account_id))
                return
            await index_batch(search, account_id)
        await locks.release(name, self._owner)
