"""What a session reads of many messages, in batches that never hold much. RFC 9051 §6.4.5.

Not how it is written (wire/imap): columns come out, one value a message, in the order of the batch.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from mailstack.model.errors import Damaged, NotFound
from mailstack.model.flags import SEEN
from mailstack.model.message import FlagOperation, Placement, StoredMessage
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.section import Partial, Section, SectionText
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.section import header_selector, read_section, view_section
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox
from mailstack.services.mailbox.stored import read_stored

PLACEMENTS_AT_ONCE = 5_000
STORED_AT_ONCE = 250
OCTETS_AT_ONCE = 512 * 1024
"""One message may be larger; then it comes alone."""

COPIED_OCTETS = 64 * 1024
"""Of larger messages views are cut: 64 items of one FETCH must not mean 64 copies of it."""

log = structlog.get_logger()

Body = tuple[Section, Partial | None]
Octets = bytes | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """needs_stored: something of StoredMessage. marks_seen: RFC 9051 §6.4.5: BODY[…] without .PEEK sets \\Seen."""

    needs_stored: bool
    bodies: tuple[Body, ...]
    marks_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One entry for each message in every column. stored and bodies are empty when nobody wants them.

    bodies: for each of Wanted.bodies a column; None: the message has no such part. newly_seen: this fetch did that.
    damaged: numbers of messages that could not be read, and are in no column.
    """

    numbers: Sequence[int]
    placements: Sequence[Placement]
    stored: Sequence[StoredMessage] = ()
    bodies: Sequence[Sequence[Octets | None]] = ()
    newly_seen: frozenset[int] = field(default=frozenset())
    damaged: Sequence[int] = ()


async def fetch(selected: SelectedMailbox, chosen: Chosen, wanted: Wanted) -> AsyncIterator[Batch]:
    """Messages that are gone meanwhile are passed over, RFC 2180 §4.1.2."""
    size = STORED_AT_ONCE if wanted.needs_stored or wanted.bodies else PLACEMENTS_AT_ONCE
    for start in range(0, len(chosen.uids), size):
        part = Chosen(numbers=chosen.numbers[start : start + size], uids=chosen.uids[start : start + size])
        batch = await _placed(selected, part)
        if not batch.placements:
            continue
        if not wanted.needs_stored and not wanted.bodies:
            yield batch
            continue
        batch = await _with_stored(selected, batch)
        if not wanted.bodies:
            yield batch
            continue
        async for read in _with_bodies(selected, batch, wanted):
            yield read


async def _placed(selected: SelectedMailbox, part: Chosen) -> Batch:
    mail = selected.mail
    uids = None if len(part.uids) == selected.count else _span(part.uids)
    return placed(part, await mail.messages.placements(mail.account_id, selected.mailbox_id, uids))


def placed(chosen: Chosen, placements: Sequence[Placement]) -> Batch:
    """The placements that are chosen, each with its position."""
    # Most often the store has just what the session sees, and two lists of numbers are compared at the speed of C.
    if [placement.uid for placement in placements] == chosen.uids:
        return Batch(numbers=chosen.numbers, placements=placements)
    numbers = dict(zip(chosen.uids, chosen.numbers, strict=True))
    known = [placement for placement in placements if placement.uid in numbers]
    return Batch(numbers=[numbers[placement.uid] for placement in known], placements=known)


def _span(uids: Sequence[int]) -> NumSet:
    """The smallest set for the store to look up: one range where few numbers lie between."""
    if uids[-1] - uids[0] < 2 * len(uids):
        return NumSet(((uids[0], uids[-1]),))
    return numset_of(uids)


async def _with_stored(selected: SelectedMailbox, batch: Batch) -> Batch:
    mail = selected.mail
    message_ids = [placement.message_id for placement in batch.placements]
    stored, damaged = await read_stored(mail.messages, mail.account_id, message_ids)
    if len(stored) == len(batch.placements):
        return Batch(numbers=batch.numbers, placements=batch.placements, stored=stored)
    found = {one.message_id: one for one in stored}
    rows = [
        (number, placement, found[placement.message_id])
        for number, placement in zip(batch.numbers, batch.placements, strict=True)
        if placement.message_id in found
    ]
    pairs = zip(batch.numbers, message_ids, strict=True)
    return Batch(
        numbers=[row[0] for row in rows],
        placements=[row[1] for row in rows],
        stored=[row[2] for row in rows],
        damaged=[number for number, message_id in pairs if message_id in damaged],
    )


async def _with_bodies(selected: SelectedMailbox, batch: Batch, wanted: Wanted) -> AsyncIterator[Batch]:
    from_header = _header_columns(batch, wanted)
    if from_header is not None:
        yield replace(batch, bodies=from_header)
        return
    if batch.damaged:
        yield Batch(numbers=(), placements=(), bodies=[()] * len(wanted.bodies), damaged=batch.damaged)
    start = 0
    while start < len(batch.numbers):
        stop = start + _how_many(batch.stored, start, len(wanted.bodies))
        yield await _read(selected, _slice(batch, start, stop), wanted)
        start = stop


def _header_columns(batch: Batch, wanted: Wanted) -> list[list[bytes | None]] | None:
    """Header fields that are kept with the digest need no message; None when something else is wanted too."""
    if wanted.marks_seen:
        return None
    columns: list[list[bytes | None]] = []
    for section, partial in wanted.bodies:
        if section.part or section.text is not SectionText.HEADER_FIELDS or partial is not None:
            return None
        select = header_selector(section.fields)
        if select is None:
            return None
        columns.append([select(one.digest.header_block) for one in batch.stored])
    return columns


def _how_many(stored: Sequence[StoredMessage], start: int, bodies: int) -> int:
    octets = 0
    for count, one in enumerate(stored[start:]):
        octets += one.size_bytes * bodies
        if count and octets > OCTETS_AT_ONCE:
            return count
    return len(stored) - start


def _slice(batch: Batch, start: int, stop: int) -> Batch:
    return Batch(
        numbers=batch.numbers[start:stop], placements=batch.placements[start:stop], stored=batch.stored[start:stop]
    )


async def _read(selected: SelectedMailbox, batch: Batch, wanted: Wanted) -> Batch:
    rows: list[tuple[int, Placement, StoredMessage, list[Octets | None]]] = []
    damaged: list[int] = []
    for number, placement, stored in zip(batch.numbers, batch.placements, batch.stored, strict=True):
        try:
            raw = await selected.mail.messages.read(selected.mail.account_id, placement.message_id)
        except NotFound:
            continue
        except Damaged as fault:
            log.warning("message_damaged", account=selected.mail.account_id, number=number, detail=fault.detail)
            damaged.append(number)
            continue
        parts = stored.digest.parts
        cut = view_section if len(raw) > COPIED_OCTETS else read_section
        cuts = [cut(raw, parts, section, partial) for section, partial in wanted.bodies]
        rows.append((number, placement, stored, cuts))
    seen = await _mark_seen(selected, [row[1] for row in rows]) if wanted.marks_seen else {}
    return Batch(
        numbers=[row[0] for row in rows],
        placements=[seen.get(row[1].uid, row[1]) for row in rows],
        stored=[row[2] for row in rows],
        bodies=[[row[3][at] for row in rows] for at in range(len(wanted.bodies))],
        newly_seen=frozenset(seen),
        damaged=damaged,
    )


async def _mark_seen(selected: SelectedMailbox, placements: Sequence[Placement]) -> dict[int, Placement]:
    """What has become \\Seen just now, by UID."""
    if selected.is_read_only:
        return {}
    unseen = [placement.uid for placement in placements if SEEN not in placement.keywords]
    if not unseen:
        return {}
    change = flag_change(FlagOperation.ADD, (SEEN,))
    marked = await change_flags(selected, numset_of(unseen), change)
    return {placement.uid: placement for placement in marked.changed}
