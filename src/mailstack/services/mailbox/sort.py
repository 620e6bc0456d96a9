"""Messages in the order that somebody asked for. RFC 5256 §3, RFC 5957, RFC 6203 §6.

Strings are compared by i;unicode-casemap (RFC 5256 §7) unless the key says otherwise; what is the same keeps the order
of the mailbox. A message whose forms are damaged is sorted as one without the header field.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, assert_never

from mailstack.formats.collation import FOLDS
from mailstack.formats.first_address import AddressField, first_display, first_mailbox
from mailstack.model.instant import Instant
from mailstack.model.message import Column
from mailstack.model.sorting import SortField, SortKey
from mailstack.services.mailbox.found_columns import read_found
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox

MANY = 5_000
"""From here on the other sessions would wait too long: it is done in a thread."""

_Values = list[Any]
_Rows = Sequence[tuple[Any, ...]]

COLUMNS: Mapping[SortField, tuple[Column, ...]] = {
    SortField.ARRIVAL: (Column.RECEIVED_AT,),
    SortField.DATE: (Column.SENT_AT, Column.RECEIVED_AT),
    SortField.SIZE: (Column.SIZE_BYTES,),
    SortField.SUBJECT: (Column.BASE_SUBJECT,),
    SortField.CC: (Column.ENVELOPE,),
    SortField.FROM: (Column.ENVELOPE,),
    SortField.TO: (Column.ENVELOPE,),
    SortField.DISPLAY_FROM: (Column.ENVELOPE,),
    SortField.DISPLAY_TO: (Column.ENVELOPE,),
    SortField.RELEVANCY: (),
}


async def sort(
    selected: SelectedMailbox, found: Chosen, keys: Sequence[SortKey], scores: Mapping[int, int]
) -> Sequence[int]:
    """Places in `found`, in the order asked for; those that are gone meanwhile are left out.

    scores: by UID, for RELEVANCY.
    """
    wanted = tuple(dict.fromkeys(column for key in keys for column in COLUMNS[key.field]))
    places, rows = await read_found(selected, found, wanted)
    if len(rows) < MANY:
        order = _order(rows, wanted, keys, scores)
    else:
        order = await asyncio.to_thread(_order, rows, wanted, keys, scores)
    return [places[at] for at in order]


def _order(rows: _Rows, wanted: Sequence[Column], keys: Sequence[SortKey], scores: Mapping[int, int]) -> Sequence[int]:
    order = list(range(len(rows)))
    # Each pass leaves equals as they were, so the last key comes first.
    for key in reversed(keys):
        values = values_of(key, rows, wanted, scores)
        order.sort(key=values.__getitem__, reverse=key.is_reverse)
    return order


def values_of(key: SortKey, rows: _Rows, wanted: Sequence[Column], scores: Mapping[int, int]) -> _Values:
    """What is compared, one for each row: the UID, then the columns wanted."""

    def column(one: Column) -> Callable[[tuple[Any, ...]], Any]:
        return itemgetter(wanted.index(one) + 1)

    fold = FOLDS[key.collation]
    match key.field:
        case SortField.ARRIVAL:
            return list(map(column(Column.RECEIVED_AT), rows))
        case SortField.SIZE:
            return list(map(column(Column.SIZE_BYTES), rows))
        case SortField.DATE:
            return sent_dates(map(column(Column.SENT_AT), rows), map(column(Column.RECEIVED_AT), rows))
        case SortField.SUBJECT:
            return [fold(subject or "") for subject in map(column(Column.BASE_SUBJECT), rows)]
        case SortField.FROM:
            return _first(first_mailbox, AddressField.FROM, map(column(Column.ENVELOPE), rows), fold)
        case SortField.TO:
            return _first(first_mailbox, AddressField.TO, map(column(Column.ENVELOPE), rows), fold)
        case SortField.CC:
            return _first(first_mailbox, AddressField.CC, map(column(Column.ENVELOPE), rows), fold)
        case SortField.DISPLAY_FROM:
            return _first(first_display, AddressField.FROM, map(column(Column.ENVELOPE), rows), fold)
        case SortField.DISPLAY_TO:
            return _first(first_display, AddressField.TO, map(column(Column.ENVELOPE), rows), fold)
        case SortField.RELEVANCY:
            return [-scores.get(row[0], 0) for row in rows]
        case _:
            assert_never(key.field)


def sent_dates(sent: Iterable[Instant | None], received: Iterable[Instant]) -> list[Instant]:
    """RFC 5256 §2.2: INTERNALDATE stands in for a Date that is not there or cannot be read."""
    return [at if at is not None else instead for at, instead in zip(sent, received, strict=True)]


def _first(
    read: Callable[[bytes | None, AddressField], str],
    field: AddressField,
    envelopes: Iterable[bytes | None],
    fold: Callable[[str], str],
) -> _Values:
    return [fold(read(envelope, field)) for envelope in envelopes]
