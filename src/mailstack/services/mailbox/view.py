"""A mailbox as the store has it, kept in arrays and brought up to date from the change log; shared by every session of
the process that has it open.

Not what one session has told its client (services.mailbox.selected). RFC 7162 §3.1, RFC 2180.
"""

import asyncio
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import compress, takewhile

from mailstack.model.changes import Change, ChangedType, ChangeKind
from mailstack.model.errors import Conflict, NotFound
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.message import Column, FlagSet, PlacementTable
from mailstack.model.numset import NumSet, numset_of
from mailstack.ports.changes import Changes
from mailstack.ports.mailboxes import Mailboxes
from mailstack.ports.messages import Messages
from mailstack.services.mailbox.collapsed import firsts
from mailstack.services.mailbox.counts import MailboxCounts, counts_of
from mailstack.services.mailbox.instants import Instants
from mailstack.services.mailbox.receipt_order import ReceiptOrder

MANY = 5_000
"""From here on the other sessions would wait too long: messages are put in order in a thread."""
MAX_CHANGES = 1_000
"""Past this many rows of the change log, reading the mailbox anew is cheaper than reading them."""
MAX_KEPT_CHANGES = 500
"""What sessions find changed without comparing whole arrays."""
OCTETS_PER_MESSAGE = 24
OCTETS_PER_VIEW = 2_000
SPARE_FLAG_SETS = 1_000
"""Combinations of flags that nobody has any more stay in the list until the mailbox is read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSource:
    """Where views are read from."""

    mailboxes: Mailboxes
    messages: Messages
    changes: Changes


class MailboxView:
    """table: what is there; its array of UIDs only ever grows, and is replaced by another when a message goes, so that
    sessions may hold on to it. mod_seq: of the account, up to which all changes are in. highest: of this mailbox.
    uid_next: above all UIDs that ever were there."""

    def __init__(self, source: ViewSource, account_id: AccountId, mailbox_id: MailboxId) -> None:
        self._source = source
        self._account_id = account_id
        self.mailbox_id = mailbox_id
        self.mod_seq = ModSeq(0)
        self.highest = ModSeq(0)
        self.uid_next = 1
        self.table = PlacementTable(
            uids=array("I"), message_ids=array("q"), mod_seqs=array("q"), flag_numbers=array("I"), flag_sets=[]
        )
        self._flag_sets: list[FlagSet] = []
        self._numbers: dict[FlagSet, int] = {}
        self._changes: deque[Change] = deque()
        self._changes_from = ModSeq(0)
        self._received = Instants()
        self._threads = array("q")
        self._by_receipt = ReceiptOrder()
        self._by_thread: dict[bool, tuple[int, array[int]]] = {}
        self._first_unseen: tuple[ModSeq, int | None] | None = None
        self._keywords: tuple[ModSeq, Sequence[str]] | None = None
        self._counts: tuple[ModSeq, MailboxCounts] | None = None
        self._guard = asyncio.Lock()

    @property
    def octets(self) -> int:
        facts = len(self._received.values) + len(self._threads)
        orders = self._by_receipt.octets + sum(4 * len(places) for _, places in self._by_thread.values())
        return OCTETS_PER_VIEW + OCTETS_PER_MESSAGE * len(self.table) + 8 * facts + orders

    async def refresh(self) -> None:
        """Raises NotFound when the mailbox is gone."""
        now = await self._source.changes.mod_seq(self._account_id)
        if now <= self.mod_seq:
            return
        async with self._guard:
            if now <= self.mod_seq:
                return
            rows = await self._rows(now)
            if rows is None:
                await self._load(now)
            else:
                await self._apply(rows, now)

    def since(self, mod_seq: ModSeq) -> Sequence[Change] | None:
        """The changes above it, ascending; None when they are not all known here."""
        if mod_seq < self._changes_from:
            return None
        return list(takewhile(lambda change: change.mod_seq > mod_seq, reversed(self._changes)))[::-1]

    def first_unseen(self) -> int | None:
        """Its position, from 1."""
        if self._first_unseen is None or self._first_unseen[0] != self.mod_seq:
            unseen = [SEEN not in flags.keywords for flags in self._flag_sets]
            places = compress(range(len(self.table)), map(unseen.__getitem__, self.table.flag_numbers))
            place = next(places, None)
            self._first_unseen = self.mod_seq, None if place is None else place + 1
        return self._first_unseen[1]

    async def keywords(self) -> Sequence[str]:
        """Ever used there, sorted; asked for anew when anything has changed."""
        known, mod_seq = self._keywords, self.mod_seq
        if known is None or known[0] != mod_seq:
            known = mod_seq, await self._source.mailboxes.keywords(self._account_id, self.mailbox_id)
            self._keywords = known
        return known[1]

    async def counts(self) -> MailboxCounts:
        """Counted anew when anything in the mailbox has changed."""
        threads = await self.threads()
        if self._counts is None or self._counts[0] != self.highest:
            self._counts = self.highest, counts_of(self.table, threads)
        return self._counts[1]

    async def received(self) -> Instants:
        """When each message of the table was received; read when it is first asked for."""
        await self._read_facts(Column.RECEIVED_AT, lambda: self._received.values)
        return self._received

    async def threads(self) -> "array[int]":
        """The thread of each message of the table; read when they are first asked for."""
        await self._read_facts(Column.THREAD_ID, lambda: self._threads)
        return self._threads

    async def by_receipt(self) -> Sequence[int]:
        """All places of the table, by when the messages were received, then by when they were stored; a range where
        that is how they stand."""
        received, table = await self.received(), self.table
        if len(table) - len(self._by_receipt.places) > MANY:
            order = ReceiptOrder()
            await asyncio.to_thread(order.extend, received.values[:], table.message_ids[:])
            received = await self.received()
            if self.table is table:
                self._by_receipt = order
        self._by_receipt.extend(received.values, self.table.message_ids)
        return self._by_receipt.places

    async def by_thread(self, *, is_reverse: bool) -> "array[int]":
        """Of each thread the place that comes first in by_receipt, or in the reverse of it."""
        order, table = await self.by_receipt(), self.table
        # Something may have come, or gone, between the two.
        while len(await self.threads()) != len(order) or self.table is not table:
            order, table = await self.by_receipt(), self.table
        count, places = self._by_thread.get(is_reverse, (-1, array("I")))
        if count != len(order):
            count, turned, threads = len(order), order[::-1] if is_reverse else order, self._threads[:]
            found = firsts(turned, threads) if count <= MANY else await asyncio.to_thread(firsts, turned, threads)
            places = array("I", found)
            if self.table is table:
                self._by_thread[is_reverse] = count, places
        return places

    async def _read_facts(self, column: Column, known: "Callable[[], array[int]]") -> None:
        """known: beside the beginning of the table, as it is then; the rest is added to it."""
        while len(known()) < len(self.table):
            first, last = self.table.uids[len(known())], self.table.uids[-1]
            rows = await self._source.messages.columns(
                self._account_id, self.mailbox_id, [column], NumSet(((first, last),))
            )
            found = dict(rows)
            # The table may be another one by now. What the store no longer has will leave it soon.
            news = self.table.uids[len(known()) :]
            if news and news[0] >= first:  # else all was read anew meanwhile
                known().extend(found.get(uid, 0) for uid in news if uid <= last)

    async def _load(self, now: ModSeq) -> None:
        # In this order: what has happened in the mailbox up to the status is in the table for certain.
        status = await self._source.mailboxes.status(self._account_id, self.mailbox_id)
        table = await self._source.messages.table(self._account_id, self.mailbox_id)
        self._received = Instants()
        self._threads = array("q")
        self._by_receipt = ReceiptOrder()
        self._by_thread = {}
        self._flag_sets = list(table.flag_sets)
        self._numbers = {flags: number for number, flags in enumerate(self._flag_sets)}
        self._set(table.uids, table.message_ids, table.mod_seqs, table.flag_numbers)
        self.mod_seq = max(now, status.highest_mod_seq)
        self.highest = status.highest_mod_seq
        self.uid_next = max(int(status.uid_next), table.uids[-1] + 1 if table.uids else 1)
        self._changes.clear()
        self._changes_from = self.mod_seq

    async def _rows(self, now: ModSeq) -> Sequence[Change] | None:
        """All up to now at least. None: too many to read, the log does not reach back, or nothing was read yet."""
        if not self.mod_seq or len(self._flag_sets) > len(self.table) + SPARE_FLAG_SETS:
            return None
        rows: list[Change] = []
        reached = self.mod_seq
        while reached < now and len(rows) < MAX_CHANGES:
            try:
                page = await self._source.changes.since(
                    self._account_id, reached, mailbox_id=self.mailbox_id, limit=MAX_CHANGES
                )
            except Conflict:
                return None
            if not page:
                return rows
            # However short, a page may be cut before a ModSeq that would not fit into it whole.
            rows += page
            reached = page[-1].mod_seq
        return rows if len(rows) < MAX_CHANGES else None

    async def _apply(self, rows: Sequence[Change], now: ModSeq) -> None:
        if any(row.type is ChangedType.MAILBOX and row.kind is ChangeKind.DESTROYED for row in rows):
            raise NotFound("the mailbox was deleted")
        destroyed = {row.uid for row in rows if row.kind is ChangeKind.DESTROYED and row.uid is not None}
        touched = {row.uid for row in rows if row.kind is not ChangeKind.DESTROYED and row.uid is not None} - destroyed
        if touched:
            fresh = await self._source.messages.table(self._account_id, self.mailbox_id, numset_of(touched))
            self._merge(fresh)
            # RFC 7162 §3.1: what went since the log was read goes now, for all that is left of it here is older than
            # what somebody may have been told of it.
            destroyed |= touched.difference(fresh.uids)
        if destroyed:
            self._drop(destroyed)
        if rows:
            self.highest = max(self.highest, rows[-1].mod_seq)
            self.uid_next = max((self.uid_next, *(row.uid + 1 for row in rows if row.uid is not None)))
            self._keep(rows)
        self.mod_seq = max(now, rows[-1].mod_seq) if rows else now

    def _merge(self, fresh: PlacementTable) -> None:
        table = self.table
        numbers = [self._number_of(flags) for flags in fresh.flag_sets]
        for at, uid in enumerate(fresh.uids):
            flag_number = numbers[fresh.flag_numbers[at]]
            place = bisect_left(table.uids, uid)
            if place == len(table.uids):
                table.uids.append(uid)
                table.message_ids.append(fresh.message_ids[at])
                table.mod_seqs.append(fresh.mod_seqs[at])
                table.flag_numbers.append(flag_number)
            elif table.uids[place] == uid:
                table.mod_seqs[place] = fresh.mod_seqs[at]
                table.flag_numbers[place] = flag_number

    def _drop(self, uids: Set[int]) -> None:
        table = self.table
        stays = [uid not in uids for uid in table.uids]
        self._received = self._received.kept(stays)
        self._threads = array("q", compress(self._threads, stays))
        self._by_receipt = self._by_receipt.kept(stays)
        self._by_thread = {}
        self._set(
            array("I", compress(table.uids, stays)),
            array("q", compress(table.message_ids, stays)),
            array("q", compress(table.mod_seqs, stays)),
            array("I", compress(table.flag_numbers, stays)),
        )

    def _set(
        self, uids: "array[int]", message_ids: "array[int]", mod_seqs: "array[int]", flag_numbers: "array[int]"
    ) -> None:
        self.table = PlacementTable(
            uids=uids,
            message_ids=message_ids,
            mod_seqs=mod_seqs,
            flag_numbers=flag_numbers,
            flag_sets=self._flag_sets,
        )

    def _number_of(self, flags: FlagSet) -> int:
        number = self._numbers.setdefault(flags, len(self._flag_sets))
        if number == len(self._flag_sets):
            self._flag_sets.append(flags)
        return number

    def _keep(self, rows: Sequence[Change]) -> None:
        self._changes.extend(rows)
        while len(self._changes) > MAX_KEPT_CHANGES:
            # The rows of one ModSeq go together.
            self._changes_from = self._changes.popleft().mod_seq
