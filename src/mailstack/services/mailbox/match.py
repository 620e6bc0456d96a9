"""Which messages of a mailbox a query matches: placements decide first, then what the store knows about a message, and
only for what is still open are the bytes of a message read.

Not the query's syntax (wire/imap), not full-text indexes. RFC 9051 §6.4.4.
"""

import asyncio
from collections.abc import Sequence
from itertools import compress
from operator import itemgetter

import structlog

from mailstack.formats.searched import SearchedText
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.message import Placement
from mailstack.model.query import Query
from mailstack.ports.messages import Messages
from mailstack.services.mailbox.predicates import Facts, Need, Predicate, need_of, predicate_of
from mailstack.services.mailbox.stored import read_stored

log = structlog.get_logger()

_BATCH = 200
_IS_DELETED = itemgetter(3)
_KEYWORDS = itemgetter(4)
_FLAGS = itemgetter(3, 4)
_READ_AT_ONCE = 25
LARGE_OCTETS = 256 * 1024
"""A message above this is searched before another is read."""


async def matching(
    query: Query, placements: Sequence[Placement], *, messages: Messages, account_id: AccountId
) -> list[Placement]:
    """Those of `placements` that match, in their order. Messages that are gone meanwhile, or damaged, do not match.

    query: without message numbers (InSequence), which the session rewrites.
    """
    need = need_of(query)
    predicate = predicate_of(query)
    if need is Need.FLAGS:
        return _by_flags(predicate, placements)
    answers = [predicate(Facts(placement)) for placement in placements]
    if need is Need.PLACEMENT:
        return list(compress(placements, answers))
    open_ = [placement for placement, answer in zip(placements, answers, strict=True) if answer is None]
    chosen = {placement.uid for placement, answer in zip(placements, answers, strict=True) if answer}
    for start in range(0, len(open_), _BATCH):
        batch = open_[start : start + _BATCH]
        chosen.update(
            placement.uid for placement in await _by_content(predicate, batch, messages=messages, account_id=account_id)
        )
        # A store that answers at once never gives the other connections a turn.
        await asyncio.sleep(0)
    return [placement for placement in placements if placement.uid in chosen]


def _by_flags(predicate: Predicate, placements: Sequence[Placement]) -> list[Placement]:
    """All messages of one combination of flags are judged by one of them: 100,000 have a dozen combinations."""
    # Where nothing is \Deleted, and that is nearly everywhere, the keywords alone tell them apart.
    key = _FLAGS if any(map(_IS_DELETED, placements)) else _KEYWORDS
    keys = list(map(key, placements))
    one_of_each = dict(zip(keys, placements, strict=True))
    wanted = {key for key, placement in one_of_each.items() if predicate(Facts(placement))}
    return list(compress(placements, map(wanted.__contains__, keys)))


async def _by_content(
    predicate: Predicate, batch: Sequence[Placement], *, messages: Messages, account_id: AccountId
) -> list[Placement]:
    known, _ = await read_stored(messages, account_id, [placement.message_id for placement in batch])
    stored = {one.message_id: one for one in known}
    found: list[Placement] = []
    unread: list[Facts] = []
    for placement in batch:
        facts = Facts(placement)
        facts.stored = stored.get(placement.message_id)
        if facts.stored is None:
            continue
        answer = predicate(facts)
        if answer is None:
            unread.append(facts)
        elif answer:
            found.append(placement)
    for start in range(0, len(unread), _READ_AT_ONCE):
        found += await _by_text(predicate, unread[start : start + _READ_AT_ONCE], messages, account_id)
    return found


async def _by_text(
    predicate: Predicate, unread: Sequence[Facts], messages: Messages, account_id: AccountId
) -> list[Placement]:
    """In threads: decoding takes a fifth of a millisecond for most messages, and seconds for 50 MB."""
    found: list[Placement] = []
    pending: list[tuple[Facts, bytes]] = []
    for facts in unread:
        raw = await _read(facts.placement, messages, account_id)
        if raw is None:
            continue
        pending.append((facts, raw))
        if len(raw) > LARGE_OCTETS:
            found += await asyncio.to_thread(_search, predicate, pending)
            pending = []
    return found + (await asyncio.to_thread(_search, predicate, pending) if pending else [])


def _search(predicate: Predicate, pending: Sequence[tuple[Facts, bytes]]) -> list[Placement]:
    found: list[Placement] = []
    for facts, raw in pending:
        facts.text = SearchedText(raw)
        if predicate(facts):
            found.append(facts.placement)
        facts.text = None
    return found


async def _read(placement: Placement, messages: Messages, account_id: AccountId) -> bytes | None:
    try:
        return await messages.read(account_id, placement.message_id)
    except NotFound:
        return None
    except Damaged as fault:
        log.warning("message_damaged", account=account_id, message=placement.message_id, detail=fault.detail)
        return None
