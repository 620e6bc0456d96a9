"""FETCH and UID FETCH: columns of items for a batch of messages, joined and sent before the next is read.

RFC 3501 §6.4.5, RFC 9051 §6.4.5, §7.5.2.
"""

import asyncio
from collections.abc import Sequence
from itertools import starmap
from operator import itemgetter
from typing import assert_never

import structlog

from mailstack.model.errors import Damaged
from mailstack.model.message import Placement
from mailstack.servers.imap.connection import LARGE_OCTETS
from mailstack.servers.imap.errors import completed_with
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.fetch import Batch, Octets, Wanted, fetch
from mailstack.wire.imap.commands.fetch import Attribute, BodyItem, Fetch, Item
from mailstack.wire.imap.fetch_data import (
    absent_item,
    fetch_lines,
    flags_item,
    internal_date_item,
    joined,
    literal_head,
    literal_item,
    size_items,
    uid_items,
)

log = structlog.get_logger()

_IS_DELETED = itemgetter(3)
_KEYWORDS = itemgetter(4)
_FLAGS = itemgetter(4, 3)
_OF_PLACEMENT = (Attribute.UID, Attribute.FLAGS)


async def run(session: Session, request: Fetch) -> Completed:
    chosen = await choose(session, request.messages)
    items = request.items
    if request.messages.is_uid and Attribute.UID not in items:
        items = (Attribute.UID, *items)  # RFC 9051 §6.4.9: always in the answer to UID FETCH
    bodies = tuple(item for item in items if isinstance(item, BodyItem))
    wanted = Wanted(
        needs_stored=any(item not in _OF_PLACEMENT for item in items),
        bodies=tuple((item.section, item.partial) for item in bodies),
        marks_seen=any(item.marks_seen for item in bodies),
    )
    damaged: list[int] = []
    async for batch in fetch(session.mailbox, chosen, wanted):
        damaged += batch.damaged
        if batch.numbers:
            await _tell(session, batch, items)
    return _damaged(session, damaged) if damaged else ok("FETCH completed")


def _damaged(session: Session, numbers: Sequence[int]) -> Completed:
    """RFC 9051 §6.4.5: NO when something could not be fetched; the rest has been told."""
    log.error("damaged", account=session.mail.account_id, mailbox=session.mailbox.mailbox_id, numbers=list(numbers))
    return completed_with(Damaged("some messages cannot be read"))


async def _tell(session: Session, batch: Batch, items: Sequence[Item]) -> None:
    if len(batch.numbers) == 1 and any(len(column[0] or b"") > LARGE_OCTETS for column in batch.bodies):
        await _tell_large(session, batch, items)
        return
    columns: list[Sequence[bytes]] = []
    bodies = iter(batch.bodies)
    for item in items:
        columns.append(_body(item, next(bodies)) if isinstance(item, BodyItem) else _attribute(item, batch))
    rows = joined(columns)
    if batch.newly_seen and Attribute.FLAGS not in items:
        rows = [row + extra for row, extra in zip(rows, _seen(batch), strict=True)]
    session.connection.say_octets(fetch_lines(batch.numbers, rows))
    await session.connection.flush_when_full()
    # A client that reads as fast as we write would otherwise keep all others waiting.
    await asyncio.sleep(0)


async def _tell_large(session: Session, batch: Batch, items: Sequence[Item]) -> None:
    """One message: its octets go out as they are, never joined to anything."""
    connection = session.connection
    connection.say_octets(b"* %d FETCH (" % batch.numbers[0])
    bodies = iter(batch.bodies)
    separator = b""
    for item in items:
        if not isinstance(item, BodyItem):
            connection.say_octets(separator + _attribute(item, batch)[0])
        else:
            octets = next(bodies)[0]
            if octets is None or len(octets) <= LARGE_OCTETS:
                connection.say_octets(separator + _body(item, (octets,))[0])
            else:
                connection.say_octets(separator + literal_head(item.label, len(octets)))
                await connection.send_large(octets)
        separator = b" "
    seen = _seen(batch)[0] if batch.newly_seen and Attribute.FLAGS not in items else b""
    connection.say_octets(seen + b")\r\n")


def _body(item: BodyItem, column: Sequence[Octets | None]) -> list[bytes]:
    label = item.label
    return [absent_item(label) if octets is None else literal_item(label, octets) for octets in column]


def _seen(batch: Batch) -> list[bytes]:
    """RFC 9051 §6.4.5: that a message has become \\Seen is told in the same response."""
    return [
        b" " + flags_item(one.keywords_text, one.is_deleted) if one.uid in batch.newly_seen else b""
        for one in batch.placements
    ]


def _flags(placements: Sequence[Placement]) -> list[bytes]:
    # A mailbox has a dozen combinations: each is spelt once. Where nothing is \Deleted the keywords alone are enough.
    if any(map(_IS_DELETED, placements)):
        return list(starmap(flags_item, map(_FLAGS, placements)))
    texts = list(map(_KEYWORDS, placements))
    spelt = {text: flags_item(text, False) for text in set(texts)}
    return [spelt[text] for text in texts]


def _attribute(item: Attribute, batch: Batch) -> list[bytes]:
    match item:
        case Attribute.FLAGS:
            return _flags(batch.placements)
        case Attribute.UID:
            return uid_items([placement.uid for placement in batch.placements])
        case Attribute.INTERNALDATE:
            return [internal_date_item(one.received_at) for one in batch.stored]
        case Attribute.SIZE:
            return size_items([one.size_bytes for one in batch.stored])
        case Attribute.ENVELOPE:
            return [b"ENVELOPE " + one.digest.envelope for one in batch.stored]
        case Attribute.BODY:
            return [b"BODY " + one.digest.body for one in batch.stored]
        case Attribute.BODYSTRUCTURE:
            return [b"BODYSTRUCTURE " + one.digest.body_structure for one in batch.stored]
        case _:
            assert_never(item)
