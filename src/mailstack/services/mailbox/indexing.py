"""Bringing the full-text index of an account up to date, in bounded batches: by the worker in the background, and by a
search before it answers.
"""

import asyncio
from collections.abc import Callable, Sequence

from mailstack.formats.indexed import indexed_words
from mailstack.model.ids import AccountId
from mailstack.model.search import IndexedMessage, Unindexed
from mailstack.ports.search import Search
from mailstack.services.mailbox.report import Report, unheard

BATCH = 200
BATCH_BYTES = 8 << 20


async def catch_up(search: Search, account_id: AccountId, *, report: Report = unheard) -> int:
    """Until nothing waits; returns how many messages were indexed. Others may be at it too: at worst work is done
    twice. What is done stays done when it is ended early."""
    done = 0
    while await search.is_behind(account_id):
        done += await index_batch(search, account_id)
        report(done, None)
    return done


async def index_batch(search: Search, account_id: AccountId) -> int:
    waiting = await search.backlog(account_id, limit=BATCH, limit_bytes=BATCH_BYTES)
    if waiting:
        await search.add(account_id, await asyncio.to_thread(_indexed, waiting))
    return len(waiting)


async def reindex(search: Search, account_id: AccountId, *, progress: Callable[[int], None]) -> int:
    """Makes the index anew; returns how many messages are in it. progress: hears of it after each batch."""
    await search.reset(account_id)
    done = 0
    while await search.is_behind(account_id):
        done += await index_batch(search, account_id)
        progress(done)
    return done


def _indexed(waiting: Sequence[Unindexed]) -> list[IndexedMessage]:
    """A message that is damaged enters with no words: it is there, and nobody can read it."""
    found = []
    for one in waiting:
        if one.raw is None:
            found.append(IndexedMessage(message_id=one.message_id, words={}))
            continue
        indexed = indexed_words(one.raw)
        found.append(IndexedMessage(message_id=one.message_id, words=indexed.words, is_partial=indexed.is_partial))
    return found
