"""Which messages of an account a query finds: in one mailbox, or in all that the viewer may read. RFC 8621 §4.4.

The filter is decided mailbox by mailbox, as SEARCH is; a message that lies in several is found once. Where it has
\\Deleted it is not found (RFC 8621 §4.1.1).
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import cast, overload

from mailstack.model.errors import NotFound
from mailstack.model.ids import MessageId
from mailstack.model.message import Column, PlacementTable
from mailstack.model.numset import numset_of
from mailstack.model.query import (
    And,
    Contains,
    Everything,
    HasKeyword,
    HeaderContains,
    InMailbox,
    InMailboxOtherThan,
    InUids,
    IsDeleted,
    Not,
    Query,
    ThreadHasKeyword,
    nodes,
    rewritten,
)
from mailstack.model.sorting import EmailSortKey, KeywordKey
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.collapsed import firsts
from mailstack.services.mailbox.email_order import Here, kept_order, ordered, values_beside
from mailstack.services.mailbox.evaluation import evaluate
from mailstack.services.mailbox.indexing import catch_up
from mailstack.services.mailbox.readable import Readable
from mailstack.services.mailbox.view import MailboxView


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailQuery:
    """filter: without what only a session of IMAP knows. is_collapsed: of each thread only the first that is found."""

    filter: Query
    sort: Sequence[EmailSortKey] = ()
    is_collapsed: bool = False


class EmailsFound(Sequence[MessageId]):
    """Of many that are found a client sees few: only those are taken out of the columns. order: places in ids."""

    def __init__(self, ids: Sequence[int], order: Sequence[int]) -> None:
        self._ids = ids
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, at: int) -> MessageId: ...
    @overload
    def __getitem__(self, at: slice) -> "EmailsFound": ...
    def __getitem__(self, at: int | slice) -> "MessageId | EmailsFound":
        if isinstance(at, slice):
            return EmailsFound(self._ids, self._order[at])
        return MessageId(self._ids[self._order[at]])

    def __iter__(self) -> Iterator[MessageId]:
        # A NewType costs a call for each.
        return cast("Iterator[MessageId]", map(self._ids.__getitem__, self._order))

    def __contains__(self, message_id: object) -> bool:
        return cast("MessageId", message_id) in iter(self)

    def index(self, message_id: object, start: int = 0, stop: int = sys.maxsize) -> int:
        """As a list has it; raises ValueError."""
        return [*self].index(cast("MessageId", message_id), start, stop)


async def find_emails(mail: AccountMail, asked: EmailQuery) -> EmailsFound:
    """In the order asked for. What is the same by it, and everything where no order is given: by when it was stored,
    as the last key goes, the newest first where there is none."""
    if any(isinstance(node, Contains | HeaderContains) for node in nodes(asked.filter)):
        await catch_up(mail.search, mail.account_id)
    readable = Readable(mail)
    found: list[Here] = []
    seen: set[int] = set()
    views = await _searched(asked.filter, readable)
    for view in views:
        here = await _found_in(mail, view, asked.filter, readable)
        if here is None or not here.places:
            continue
        if found:
            seen.update(found[-1].message_ids)
            here = here.without(seen)
        found.append(here)
    return await _in_order(mail, readable, found, asked)


async def _in_order(mail: AccountMail, readable: Readable, found: Sequence[Here], asked: EmailQuery) -> EmailsFound:
    if len(found) == 1:
        kept = await kept_order(found[0], asked.sort, is_collapsed=asked.is_collapsed)
        if kept is not None:
            return EmailsFound(found[0].table.message_ids, kept)
    found, order = await ordered(mail, readable, found, asked.sort)
    ids = list(chain.from_iterable(here.message_ids for here in found))
    if asked.is_collapsed:
        threads = [await values_beside(here, Column.THREAD_ID) for here in found]
        return EmailsFound(ids, firsts(order, list(chain.from_iterable(threads))))
    return EmailsFound(ids, order)


def is_by_thread(asked: EmailQuery) -> bool:
    """Whether what happens to one message changes how others of its thread are found."""
    by_filter = any(isinstance(node, ThreadHasKeyword) for node in nodes(asked.filter))
    return asked.is_collapsed or by_filter or any(getattr(key, "thread", None) is not None for key in asked.sort)


def is_immutable(asked: EmailQuery) -> bool:
    """Whether what is found, and its order, stay the same for as long as the messages are there."""
    by_state = HasKeyword | InMailbox | InMailboxOtherThan | ThreadHasKeyword
    is_by_state = any(isinstance(node, by_state) for node in nodes(asked.filter))
    return not (asked.is_collapsed or is_by_state or any(isinstance(key, KeywordKey) for key in asked.sort))


async def _searched(query: Query, readable: Readable) -> Sequence[MailboxView]:
    """All that can hold a match: where it must lie in one mailbox, none but that is looked at."""
    terms = query.terms if isinstance(query, And) else (query,)
    for term in terms:
        if isinstance(term, InMailbox):
            view = await readable.view(term.mailbox_id)
            return [] if view is None else [view]
    return await readable.views()


async def _found_in(mail: AccountMail, view: MailboxView, query: Query, readable: Readable) -> Here | None:
    """None: the mailbox was just deleted."""
    local: dict[Query, Query] = {}
    for node in nodes(query):
        if isinstance(node, InMailbox | InMailboxOtherThan | ThreadHasKeyword) and node not in local:
            local[node] = await _localized(node, view, readable)
    query = rewritten(query, lambda leaf: local.get(leaf, leaf))
    try:
        matched = await evaluate(mail, view.mailbox_id, And((Not(IsDeleted()), query)))
    except NotFound:
        return None
    return Here(view=view, table=matched.table, places=matched.places())


async def _localized(
    node: InMailbox | InMailboxOtherThan | ThreadHasKeyword, view: MailboxView, readable: Readable
) -> Query:
    """What it means for the messages of this one mailbox."""
    if isinstance(node, ThreadHasKeyword):
        named, is_named = await readable.in_threads(node.keyword, node.reach)
        threads = await view.threads()
        return _these(view.table, ((thread in named) is is_named for thread in threads))
    if isinstance(node, InMailbox):
        if node.mailbox_id == view.mailbox_id:
            return Everything()
        other = await readable.view(node.mailbox_id)
        others = [] if other is None else [other]
    else:
        if view.mailbox_id not in node.mailbox_ids:
            return Everything()
        others = [each for each in await readable.views() if each.mailbox_id not in node.mailbox_ids]
    there = {message_id for other in others for message_id in other.table.shown(other.table.message_ids)}
    return _these(view.table, map(there.__contains__, view.table.message_ids))


def _these(table: PlacementTable, flags: Iterable[bool]) -> Query:
    uids = numset_of(compress(table.uids, flags))
    return InUids(uids) if uids.ranges else Not(Everything())
