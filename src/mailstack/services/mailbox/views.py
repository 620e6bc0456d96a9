"""The mailbox views of one process, bounded in octets; those that nobody asked for lately are let go.

A view that is let go takes nothing from a session that still counts by it: it is read anew when it is next asked for.
"""

from collections import OrderedDict

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.services.mailbox.view import MailboxView, ViewSource

MAX_OCTETS = 64 << 20
KEPT_MS = 10 * MINUTE_MS

_Key = tuple[AccountId, MailboxId]


class _Kept:
    __slots__ = ("octets", "used_at", "view")

    def __init__(self, view: MailboxView) -> None:
        self.view = view
        self.octets = 0
        self.used_at = Instant(0)


class ViewCache:
    def __init__(self, source: ViewSource, *, clock: Clock, max_octets: int = MAX_OCTETS) -> None:
        self._source = source
        self._clock = clock
        self._max_octets = max_octets
        self._octets = 0
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    async def current(self, account_id: AccountId, mailbox_id: MailboxId) -> MailboxView:
        """Up to date when this returns. Raises NotFound when the mailbox is gone."""
        key = account_id, mailbox_id
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept(MailboxView(self._source, account_id, mailbox_id))
        try:
            await kept.view.refresh()
        except DomainError:
            self._drop(key, kept)
            raise
        self._touch(key, kept)
        return kept.view

    def kept(self, account_id: AccountId, mailbox_id: MailboxId) -> MailboxView | None:
        """As it was last, for what never changes; None: nobody has asked for it lately."""
        kept = self._kept.get((account_id, mailbox_id))
        return None if kept is None else kept.view

    def _touch(self, key: _Key, kept: _Kept) -> None:
        if self._kept.get(key) is not kept:
            return
        self._octets += kept.view.octets - kept.octets
        kept.octets = kept.view.octets
        kept.used_at = self._clock()
        self._kept.move_to_end(key)
        while True:
            oldest_key, oldest = next(iter(self._kept.items()))
            is_old = oldest.used_at < kept.used_at - KEPT_MS
            if oldest is kept or not (is_old or self._octets > self._max_octets):
                return
            self._drop(oldest_key, oldest)

    def _drop(self, key: _Key, kept: _Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]
            self._octets -= kept.octets
