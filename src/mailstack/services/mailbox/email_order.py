"""Messages of many mailboxes in one order. RFC 8621 §4.4.2; the values compared are those of services.mailbox.sort."""

import asyncio
from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from mailstack.model.ids import MailboxId
from mailstack.model.message import Column, PlacementTable
from mailstack.model.sorting import EmailSortKey, KeywordKey, SortField, SortKey
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.collapsed import firsts
from mailstack.services.mailbox.evaluation import has_keyword
from mailstack.services.mailbox.found_columns import read_uids
from mailstack.services.mailbox.readable import Readable
from mailstack.services.mailbox.sort import COLUMNS, MANY, values_of
from mailstack.services.mailbox.view import MailboxView

_Values = Sequence[Any]
_FEW = 8
"""Sorting one of so many costs less than passing over the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What was found in one mailbox. places: in the table, ascending."""

    view: MailboxView
    table: PlacementTable
    places: Sequence[int]

    @property
    def message_ids(self) -> list[int]:
        return _at(self.places, self.table.message_ids)

    @property
    def uids(self) -> list[int]:
        return _at(self.places, self.table.uids)

    @property
    def mailbox_id(self) -> MailboxId:
        return self.view.mailbox_id

    def without(self, message_ids: AbstractSet[int]) -> "Here":
        ids = self.table.message_ids
        return replace(self, places=[at for at in self.places if ids[at] not in message_ids])


async def ordered(
    mail: AccountMail, readable: Readable, found: Sequence[Here], keys: Sequence[EmailSortKey]
) -> tuple[list[Here], list[int]]:
    """What is still there, and the order of it: places in all of it, one mailbox after the other.

    Without keys, and where they leave it open: by when the messages were stored, the newest first unless the last key
    ascends.
    """
    wanted = tuple(dict.fromkeys(column for key in keys for column in _columns(key)))
    left: list[Here] = []
    rows: list[tuple[Any, ...]] = []
    for here in found:
        if wanted:
            kept, read = await read_uids(mail, here.mailbox_id, here.uids, wanted, count=len(here.table))
            here = replace(here, places=[here.places[at] for at in kept])
            rows += read
        left.append(here)
    compared: list[tuple[_Values, bool]] = []
    for key in keys:
        if isinstance(key, SortKey) and _columns(key):
            values: _Values = values_of(key, rows, wanted, {})
        else:
            values = list(chain.from_iterable([await _known(readable, here, key) for here in left]))
        compared.append((values, key.is_reverse))
    ids = list(chain.from_iterable(here.message_ids for here in left))
    compared.append((ids, keys[-1].is_reverse if keys else True))
    return left, _sorted(len(ids), compared) if len(ids) < MANY else await asyncio.to_thread(
        _sorted, len(ids), compared
    )


async def kept_order(here: Here, keys: Sequence[EmailSortKey], *, is_collapsed: bool) -> Sequence[int] | None:
    """Places in the table of what was found, in the order asked for; None where the view does not keep that order.
    is_collapsed: of each thread only the first."""
    if len(keys) != 1 or not isinstance(keys[0], SortKey) or keys[0].field is not SortField.ARRIVAL:
        return None
    view, is_reverse = here.view, keys[0].is_reverse
    if is_collapsed and len(here.places) == len(view.table):
        kept = await view.by_thread(is_reverse=is_reverse)
        return kept if view.table is here.table and len(view.table) == len(here.places) else None
    threads: Sequence[int] = await view.threads() if is_collapsed else ()
    order = await view.by_receipt()
    if view.table is not here.table:
        return None
    places = _kept_places(here.places, order)
    if places is None:
        return None
    places = places[::-1] if is_reverse else places
    return firsts(places, threads) if is_collapsed else places


def _kept_places(places: Sequence[int], order: Sequence[int]) -> Sequence[int] | None:
    """In the order that all places of the table have; None where sorting costs less."""
    if isinstance(order, range):
        return places
    if len(places) * _FEW < len(order):
        return None
    return order if len(places) == len(order) else list(filter({*places}.__contains__, order))


async def values_beside(here: Here, column: Column) -> _Values:
    """RECEIVED_AT or THREAD_ID of each that was found: the view keeps them. 0 for what is gone meanwhile."""
    kept = await here.view.threads() if column is Column.THREAD_ID else (await here.view.received()).values
    if here.view.table is here.table:
        return _at(here.places, kept)
    by_uid = dict(zip(here.view.table.uids, kept, strict=False))
    return [by_uid.get(uid, 0) for uid in here.uids]


def _at(places: Sequence[int], column: "array[int]") -> list[int]:
    if places and places[-1] - places[0] + 1 == len(places):  # all between: what lists ask for most
        return column[places[0] : places[-1] + 1].tolist()
    return [column[at] for at in places]


def _columns(key: EmailSortKey) -> tuple[Column, ...]:
    """What has to be read of each message; of arrival, nothing."""
    return () if isinstance(key, KeywordKey) or key.field is SortField.ARRIVAL else COLUMNS[key.field]


async def _known(readable: Readable, here: Here, key: EmailSortKey) -> _Values:
    if isinstance(key, SortKey):
        return await values_beside(here, Column.RECEIVED_AT)
    if key.thread is not None:
        named, is_named = await readable.in_threads(key.keyword, key.thread)
        return [(thread in named) is is_named for thread in await values_beside(here, Column.THREAD_ID)]
    answers = [has_keyword(flags, key.keyword) for flags in here.table.flag_sets]
    return [answers[here.table.flag_numbers[at]] for at in here.places]


def _sorted(count: int, compared: Sequence[tuple[_Values, bool]]) -> list[int]:
    order = list(range(count))
    # Each pass leaves equals as they were, so the last key comes first.
    for values, is_reverse in reversed(compared):
        order.sort(key=values.__getitem__, reverse=is_reverse)
    return order
