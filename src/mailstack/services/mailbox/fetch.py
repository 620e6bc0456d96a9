"""What a session reads of many messages, in batches that never hold much. RFC 9051 §6.4.5.

Not how it is written (wire/imap): columns come out, one value a message, in the order of the batch.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

import structlog

from mailstack.model.errors import Damaged, NotFound, Unsupported
from mailstack.model.flags import SEEN
from mailstack.model.message import Column, FlagOperation, FlagSet, Placement
from mailstack.model.numset import NumSet, numset_of
from mailstack.services.mailbox.access import may_keep_seen
from mailstack.services.mailbox.bodies import Cut, Far, Octets, are_whole, kept_selectors, needed_columns, read_cuts
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.section import HeaderSelector
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox

FLAGS_AT_ONCE = 5_000
FACTS_AT_ONCE = 1_000
OCTETS_AT_ONCE = 512 * 1024
"""Of bodies; one message may have more, then it comes alone."""

_IN_FORMS = (
    Column.ENVELOPE,
    Column.HEADER_BLOCK,
    Column.BODY,
    Column.BODY_STRUCTURE,
    Column.PARTS,
    Column.PREVIEW,
)
"""None in one of them: what is kept of the message is damaged."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """needs_flags: flags and mod-sequences. marks_seen: RFC 9051 §6.4.5: BODY[…] without .PEEK sets \\Seen.

    columns: what must be read of each message, for the cuts too. selectors: how every cut is made from what is kept of
    the header; empty when one of them needs the message. only_whole: nothing is asked for but the message itself.
    """

    needs_flags: bool
    columns: tuple[Column, ...]
    cuts: tuple[Cut, ...]
    selectors: tuple[HeaderSelector, ...]
    only_whole: bool
    marks_seen: bool


def wanted(
    *, wants_flags: bool, facts: Sequence[Column] = (), cuts: Sequence[Cut] = (), marks_seen: bool = False
) -> Wanted:
    """facts: what is asked of each message without its octets."""
    selectors = kept_selectors(cuts)
    for_cuts = (Column.HEADER_BLOCK,) if selectors else needed_columns(cuts)
    return Wanted(
        needs_flags=wants_flags or marks_seen,
        columns=tuple(dict.fromkeys((*facts, *for_cuts))),
        cuts=tuple(cuts),
        selectors=selectors,
        only_whole=bool(cuts) and not facts and are_whole(cuts),
        marks_seen=marks_seen,
    )


@dataclass(slots=True, kw_only=True)
class Batch:
    """Built up step by step here, and only read elsewhere. One entry for each message in every column; columns that
    nobody wants are empty.

    flag_numbers: places in flag_sets. bodies: for each of Wanted.cuts a column; None: the message has no such part.
    has_far: some of them are Far. newly_seen: numbers of messages that this fetch has made so.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flag_numbers: Sequence[int] = ()
    mod_seqs: Sequence[int] = ()
    flag_sets: Sequence[FlagSet] = ()
    facts: Mapping[Column, Sequence[Any]] = field(default_factory=dict)
    bodies: Sequence[Sequence[Octets | None]] = ()
    has_far: bool = False
    newly_seen: frozenset[int] = frozenset()

    def keep(self, selectors: Iterable[bool]) -> "Batch":
        """Only the messages for which it is True."""
        chosen = list(selectors)
        return replace(
            self,
            numbers=list(compress(self.numbers, chosen)),
            uids=list(compress(self.uids, chosen)),
            flag_numbers=list(compress(self.flag_numbers, chosen)),
            mod_seqs=list(compress(self.mod_seqs, chosen)),
            facts={column: list(compress(values, chosen)) for column, values in self.facts.items()},
            bodies=[list(compress(values, chosen)) for values in self.bodies],
        )

    def slice(self, start: int, stop: int) -> "Batch":
        return replace(
            self,
            numbers=self.numbers[start:stop],
            uids=self.uids[start:stop],
            flag_numbers=self.flag_numbers[start:stop],
            mod_seqs=self.mod_seqs[start:stop],
            facts={column: values[start:stop] for column, values in self.facts.items()},
            bodies=[values[start:stop] for values in self.bodies],
        )


@dataclass(slots=True)
class Trouble:
    """Numbers of messages that are in no batch. damaged: cannot be read. undecodable: RFC 3516 §4.3, UNKNOWN-CTE."""

    damaged: list[int] = field(default_factory=list)
    undecodable: list[int] = field(default_factory=list)


async def fetch(selected: SelectedMailbox, chosen: Chosen, wanted: Wanted, trouble: Trouble) -> AsyncIterator[Batch]:
    """Messages that are gone meanwhile are passed over, RFC 2180 §4.1.2. trouble: grows on the way."""
    at_once = FACTS_AT_ONCE if wanted.columns else FLAGS_AT_ONCE
    for start in range(0, len(chosen.uids), at_once):
        stop = start + at_once
        part = Chosen(numbers=chosen.numbers[start:stop], uids=chosen.uids[start:stop])
        if wanted.needs_flags:
            batch = await _with_flags(selected, part)
        else:
            batch = Batch(numbers=part.numbers, uids=part.uids)
        if wanted.only_whole and len(batch.uids) == 1 and (message_id := selected.message_id(batch.uids[0])):
            batch.facts = {Column.MESSAGE_ID: (message_id,), Column.SIZE_BYTES: (None,)}
        elif wanted.columns and batch.numbers:
            batch = await _with_facts(selected, batch, wanted.columns, trouble)
        async for one in _with_bodies(selected, batch, wanted, trouble):
            yield one


async def _with_flags(selected: SelectedMailbox, part: Chosen) -> Batch:
    placed = await selected.table(part)
    table = placed.table
    return Batch(
        numbers=placed.numbers,
        uids=table.uids,
        flag_numbers=table.flag_numbers,
        mod_seqs=table.mod_seqs,
        flag_sets=table.flag_sets,
    )


async def _with_facts(selected: SelectedMailbox, batch: Batch, columns: tuple[Column, ...], trouble: Trouble) -> Batch:
    mail = selected.mail
    rows = await mail.messages.columns(mail.account_id, selected.mailbox_id, columns, _span(batch.uids))
    uids = [row[0] for row in rows]
    if uids != list(batch.uids):
        found, known = set(uids), set(batch.uids)
        rows = [row for row in rows if row[0] in known]
        batch = batch.keep(uid in found for uid in batch.uids)
    values = list(zip(*rows, strict=True))[1:] if rows else [()] * len(columns)
    batch.facts = dict(zip(columns, values, strict=True))
    for column in _IN_FORMS:
        if column in batch.facts and None in batch.facts[column]:
            is_whole = [value is not None for value in batch.facts[column]]
            trouble.damaged += [number for number, whole in zip(batch.numbers, is_whole, strict=True) if not whole]
            batch = batch.keep(is_whole)
    return batch


def _span(uids: Sequence[int]) -> NumSet:
    """The cheapest set for the store to look up: one range where few other numbers lie between."""
    if uids[-1] - uids[0] < 4 * len(uids):
        return NumSet(((uids[0], uids[-1]),))
    return numset_of(uids)


async def _with_bodies(
    selected: SelectedMailbox, batch: Batch, wanted: Wanted, trouble: Trouble
) -> AsyncIterator[Batch]:
    if wanted.selectors:
        blocks = batch.facts[Column.HEADER_BLOCK]
        batch.bodies = [list(map(select, blocks)) for select in wanted.selectors]
        if wanted.marks_seen:
            await _mark_seen(selected, batch)
    if wanted.selectors or not wanted.cuts:
        if batch.numbers:
            yield batch
        return
    start = 0
    while start < len(batch.numbers):
        stop = start + _how_many(batch.facts[Column.SIZE_BYTES][start:], len(wanted.cuts))
        part = batch if stop - start == len(batch.numbers) else batch.slice(start, stop)
        read = await _read(selected, part, wanted, trouble)
        if wanted.marks_seen:
            await _mark_seen(selected, read)
        if read.numbers:
            yield read
        start = stop


def _how_many(sizes: Sequence[int], cuts: int) -> int:
    if len(sizes) == 1:
        return 1
    octets = 0
    for count, size in enumerate(sizes):
        octets += size * cuts
        if count and octets > OCTETS_AT_ONCE:
            return count
    return len(sizes)


async def _read(selected: SelectedMailbox, batch: Batch, wanted: Wanted, trouble: Trouble) -> Batch:
    facts = batch.facts
    parts = facts.get(Column.PARTS) or [b""] * len(batch.numbers)
    rows: list[list[Octets | None]] = []
    is_read: list[bool] = []
    for number, message_id, size, part_table in zip(
        batch.numbers, facts[Column.MESSAGE_ID], facts[Column.SIZE_BYTES], parts, strict=True
    ):
        try:
            rows.append(await read_cuts(selected, message_id, size, part_table, wanted.cuts))
            is_read.append(True)
            continue
        except NotFound:
            pass
        except Damaged as fault:
            log.warning("message_damaged", account=selected.mail.account_id, number=number, detail=fault.detail)
            trouble.damaged.append(number)
        except Unsupported:
            trouble.undecodable.append(number)
        is_read.append(False)
    batch = batch if all(is_read) else batch.keep(is_read)
    batch.bodies = list(zip(*rows, strict=True))
    batch.has_far = any(isinstance(octets, Far) for row in rows for octets in row)
    return batch


async def _mark_seen(selected: SelectedMailbox, batch: Batch) -> None:
    """What was not yet \\Seen now is, where the client may do that."""
    if not await may_keep_seen(selected):
        return
    is_seen = [SEEN in flag_set.keywords_text.split() for flag_set in batch.flag_sets]
    unseen = [uid for uid, at in zip(batch.uids, batch.flag_numbers, strict=True) if not is_seen[at]]
    if not unseen:
        return
    changed = await change_flags(selected, numset_of(unseen), flag_change(FlagOperation.ADD, (SEEN,)))
    now: dict[int, Placement] = {placement.uid: placement for placement in changed.changed}
    flag_sets, flag_numbers, mod_seqs = list(batch.flag_sets), list(batch.flag_numbers), list(batch.mod_seqs)
    for at, uid in enumerate(batch.uids):
        if uid in now:
            flag_numbers[at], mod_seqs[at] = len(flag_sets), now[uid].mod_seq
            flag_sets.append(FlagSet(now[uid].keywords_text, now[uid].is_deleted))
    batch.flag_sets, batch.flag_numbers, batch.mod_seqs = flag_sets, flag_numbers, mod_seqs
    batch.newly_seen = frozenset(number for number, uid in zip(batch.numbers, batch.uids, strict=True) if uid in now)
