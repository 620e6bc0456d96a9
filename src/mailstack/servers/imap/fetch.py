"""FETCH and UID FETCH: columns of items for a batch of messages, written and sent before the next is read.

RFC 3501 §6.4.5, RFC 9051 §6.4.5, §7.5.2; RFC 7162 §3.1.4, §3.2.6, RFC 9394 §3.3, RFC 9586 §3.3.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import structlog

from mailstack.formats.nstring import nstring
from mailstack.model.errors import Damaged, DomainError
from mailstack.model.ids import AccountId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.model.objectid import email_object_id, thread_object_id
from mailstack.servers.conversation import PeerGone
from mailstack.servers.imap.condstore import enable_condstore
from mailstack.servers.imap.errors import completed_with
from mailstack.servers.imap.keyword_news import say_new_keywords
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.bodies import Cut, Far, Octets, pieces
from mailstack.services.mailbox.fetch import Batch, Trouble, Wanted, fetch, wanted
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.commands.fetch import Fetch
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.fetch_data import (
    FETCH,
    UID_FETCH,
    Told,
    binary_sizes_told,
    dates_told,
    fetch_lines,
    flags_text,
    flags_told,
    literal_head,
    literals8_told,
    literals_told,
    mod_seqs_told,
    object_ids_told,
    sizes_told,
    uids_told,
    written_told,
)
from mailstack.wire.imap.fetch_items import Attribute, BinarySize, BodyItem, Item
from mailstack.wire.imap.responses import Vanished
from mailstack.wire.imap.tokens import MAX_NUMBER

log = structlog.get_logger()

_COLUMNS: Mapping[Attribute, Column] = {
    Attribute.INTERNALDATE: Column.RECEIVED_AT,
    Attribute.SIZE: Column.SIZE_BYTES,
    Attribute.ENVELOPE: Column.ENVELOPE,
    Attribute.BODY: Column.BODY,
    Attribute.BODYSTRUCTURE: Column.BODY_STRUCTURE,
    Attribute.EMAILID: Column.EMAIL_ID,
    Attribute.THREADID: Column.THREAD_ID,
    Attribute.SAVEDATE: Column.SAVED_AT,
    Attribute.PREVIEW: Column.PREVIEW,
}
_OF_PLACEMENT = (Attribute.FLAGS, Attribute.MODSEQ)


async def run(session: Session, request: Fetch) -> Completed:
    if request.modifiers.wants_vanished and not session.is_qresync:
        raise SyntaxProblem("VANISHED needs ENABLE QRESYNC")  # RFC 7162 §3.2.6
    items = _items(session, request)
    if Attribute.MODSEQ in items:
        enable_condstore(session)  # RFC 7162 §3.1: a CONDSTORE enabling command
    chosen = await _chosen(session, request)
    trouble = Trouble()
    async for batch in fetch(session.mailbox, chosen, _wanted(items), trouble):
        await _tell(session, batch, items)
    return _completed(session, trouble)


def _items(session: Session, request: Fetch) -> tuple[Item, ...]:
    items = request.items
    if request.modifiers.changed_since is not None and Attribute.MODSEQ not in items:
        items = (*items, Attribute.MODSEQ)  # RFC 7162 §3.1.4.1: added implicitly
    # RFC 9051 §6.4.9: always in the answer to UID FETCH; RFC 9586 §3.3: where it stands in front already, if asked for.
    if request.messages.is_uid and Attribute.UID not in items and not session.is_uid_only:
        items = (Attribute.UID, *items)
    return items


async def _chosen(session: Session, request: Fetch) -> Chosen:
    modifiers = request.modifiers
    # RFC 9394 §3.4: the page is taken first, and then what has changed in it.
    chosen = await choose(session, request.messages, page=modifiers.page)
    if modifiers.changed_since is None:
        return chosen
    numbers = request.messages.numbers
    if modifiers.wants_vanished and isinstance(numbers, NumSet):
        # What is gone may have had a higher UID than all that is left, so here * is no message's number.
        gone = await session.mailbox.vanished_since(modifiers.changed_since, numbers.resolved(MAX_NUMBER))
        if gone:
            session.connection.say(Vanished(uids=gone, is_earlier=True))
    is_all = len(chosen.uids) == session.mailbox.count
    return await session.mailbox.changed_since(modifiers.changed_since, None if is_all else chosen.uid_set)


@lru_cache(maxsize=256)
def _wanted(items: tuple[Item, ...]) -> Wanted:
    """Remembered, for a program asks for the same items again and again."""
    bodies = [item for item in items if isinstance(item, BodyItem | BinarySize)]
    return wanted(
        wants_flags=any(item in _OF_PLACEMENT for item in items),
        facts=[_COLUMNS[item] for item in items if isinstance(item, Attribute) and item in _COLUMNS],
        cuts=[_cut(item) for item in bodies],
        marks_seen=any(isinstance(item, BodyItem) and item.marks_seen for item in items),
    )


def _cut(item: BodyItem | BinarySize) -> Cut:
    if isinstance(item, BinarySize):
        return Cut(section=item.section, is_decoded=True)
    return Cut(section=item.section, partial=item.partial, is_decoded=item.is_decoded)


def _completed(session: Session, trouble: Trouble) -> Completed:
    """RFC 9051 §6.4.5: NO when something could not be fetched; the rest has been told."""
    if trouble.damaged:
        selected = session.mailbox
        log.error(
            "damaged", account=selected.mail.account_id, mailbox=selected.mailbox_id, numbers=trouble.damaged[:100]
        )
        return completed_with(Damaged("some messages cannot be read"))
    if trouble.undecodable:
        return no("An unknown transfer encoding", "UNKNOWN-CTE")  # RFC 3516 §4.3
    return ok("FETCH completed")


async def _tell(session: Session, batch: Batch, items: Sequence[Item]) -> None:
    if Attribute.FLAGS in items or batch.newly_seen:
        say_new_keywords(session, [flag_set.keywords_text for flag_set in batch.flag_sets])
    if batch.has_far:
        for at in range(len(batch.numbers)):
            await _tell_apart(session, batch.slice(at, at + 1), items)
    else:
        bodies = iter(batch.bodies)
        told = [_told(session, batch, item, bodies) for item in items]
        numbers, word = _named(session, batch)
        tails = _tails(session, batch, items) if batch.newly_seen else None
        session.connection.say_octets(fetch_lines(numbers, told, word=word, tails=tails))
        await session.connection.flush_when_full()
    # A client that reads as fast as we write would otherwise keep all others waiting.
    await asyncio.sleep(0)


async def _tell_apart(session: Session, batch: Batch, items: Sequence[Item]) -> None:
    """One message: its octets go out as they come from the store, never joined to anything."""
    connection = session.connection
    numbers, word = _named(session, batch)
    connection.say_octets(b"* %d %b (" % (numbers[0], word))
    bodies = iter(batch.bodies)
    separator = b""
    for item in items:
        column = next(bodies) if isinstance(item, BodyItem | BinarySize) else ()
        if column and isinstance(item, BodyItem) and isinstance(column[0], Far):
            connection.say_octets(separator + item.label + b" " + literal_head(len(column[0])))
            await _send_far(session, column[0])
        else:
            told = _told(session, batch, item, iter([column]))
            connection.say_octets(separator + told.form % tuple(next(iter(values)) for values in told.columns))
        separator = b" "
    tails = _tails(session, batch, items) if batch.newly_seen else [b""]
    connection.say_octets(tails[0] + b")\r\n")


async def _send_far(session: Session, far: Far) -> None:
    connection = session.connection
    try:
        async for piece in pieces(session.mailbox.mail, far):
            connection.say_octets(piece)
            await connection.flush_when_full()
    except DomainError as fault:
        # The length of the literal is said already: nothing but the end of the connection can take it back.
        log.error("damaged", account=session.mailbox.mail.account_id, message=far.message_id, detail=fault.detail)
        connection.abort()
        raise PeerGone from fault


def _named(session: Session, batch: Batch) -> tuple[Sequence[int], bytes]:
    """RFC 9586 §3.3: whoever works by UID alone is told no message numbers."""
    return (batch.uids, UID_FETCH) if session.is_uid_only else (batch.numbers, FETCH)


def _tails(session: Session, batch: Batch, items: Sequence[Item]) -> list[bytes]:
    """RFC 9051 §6.4.5: that a message has become \\Seen is told in the same response; RFC 7162 §3.2.4: with UID and
    MODSEQ.
    """
    texts = [flags_text(*flag_set) for flag_set in batch.flag_sets]
    has_mod_seq = session.is_condstore and Attribute.MODSEQ not in items
    has_uid = session.is_condstore and Attribute.UID not in items and not session.is_uid_only
    tails = []
    for number, uid, at, mod_seq in zip(batch.numbers, batch.uids, batch.flag_numbers, batch.mod_seqs, strict=True):
        tail = b""
        if number in batch.newly_seen:
            tail += b" UID %d" % uid if has_uid else b""
            tail += b"" if Attribute.FLAGS in items else b" FLAGS (%b)" % texts[at]
            tail += b" MODSEQ (%d)" % mod_seq if has_mod_seq else b""
        tails.append(tail)
    return tails


def _told(session: Session, batch: Batch, item: Item, bodies: Iterator[Sequence[Octets | None]]) -> Told:
    if isinstance(item, Attribute):
        return _attribute(session.mailbox.mail.account_id, batch, item)
    column = next(bodies)
    if isinstance(item, BinarySize):
        return binary_sizes_told(item.label, [0 if octets is None else len(octets) for octets in column])
    # A far one is sent apart by _tell_apart.
    octets = cast("Sequence[bytes | None]", column)
    return literals8_told(item.label, octets) if item.is_decoded else literals_told(item.label, octets)


def _attribute(account_id: AccountId, batch: Batch, item: Attribute) -> Told:
    match item:
        case Attribute.FLAGS:
            # A mailbox has a dozen combinations: each is spelt once.
            texts = [flags_text(*flag_set) for flag_set in batch.flag_sets]
            return flags_told(map(texts.__getitem__, batch.flag_numbers))
        case Attribute.UID:
            return uids_told(batch.uids)
        case Attribute.MODSEQ:
            return mod_seqs_told(batch.mod_seqs)
        case _:
            return _fact(account_id, batch.facts[_COLUMNS[item]], item)


def _fact(account_id: AccountId, values: Sequence[Any], item: Attribute) -> Told:
    match item:
        case Attribute.SIZE:
            return sizes_told(values)
        case Attribute.INTERNALDATE | Attribute.SAVEDATE:
            return dates_told(item.value, values)
        case Attribute.EMAILID:
            return object_ids_told(item.value, [email_object_id(account_id, value) for value in values])
        case Attribute.THREADID:
            return object_ids_told(item.value, [thread_object_id(account_id, value) for value in values])
        case Attribute.PREVIEW:
            return written_told(item.value, [nstring(value.encode()) for value in values])
        case _:
            return written_told(item.value, values)
