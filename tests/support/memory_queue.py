# ruff: noqa: ARG002 - the port names arguments that memory has no use for
"""The outbound queue in memory: what was enqueued, in order."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.delivery import Deferred, Outcome, OutgoingMail, QueueItem, QueueState
from mailstack.model.errors import NotFound, TryAgainLater
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant


class MemoryQueue:
    """Works as ports.queue.Queue; leases do not expire. is_broken: as a full disk would have it."""

    def __init__(self) -> None:
        self.mails: list[OutgoingMail] = []
        self.waiting: dict[QueueItemId, QueueItem] = {}
        self.is_broken = False

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        if self.is_broken:
            raise TryAgainLater("the disk is full")
        ids = []
        for mail in mails:
            # What was given may be a file that is closed as soon as this returns.
            self.mails.append(replace(mail, raw=bytes(mail.raw)))
            ids.append(MailId(len(self.mails)))
            for recipient in mail.recipients:
                self._add(mail, ids[-1], recipient, next_at, state)
        return ids

    async def lease(self, owner: str, *, now: Instant, until: Instant, limit: int) -> Sequence[QueueItem]:
        return [item for item in self.waiting.values() if item.next_at <= now][:limit]

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> None:
        """Leases do not expire here."""

    async def content(self, mail_id: MailId) -> bytes:
        if not 0 < mail_id <= len(self.mails):
            raise NotFound("no such mail")
        return bytes(self.mails[mail_id - 1].raw)

    async def settle(
        self,
        owner: str,
        item_id: QueueItemId,
        outcome: Outcome,
        *,
        next_at: Instant | None,
        notices: Sequence[OutgoingMail] = (),
    ) -> bool:
        item = self.waiting.pop(item_id, None)
        if item is None:
            return False
        if isinstance(outcome, Deferred) and next_at is not None:
            self._add(self.mails[item.mail_id - 1], item.mail_id, item.recipient, next_at, item.state)
        for notice in notices:
            await self.enqueue((notice,), next_at=notice.queued_at)
        return True

    async def next_due(self) -> Instant | None:
        return min((item.next_at for item in self.waiting.values()), default=None)

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        return [item for item in self.waiting.values() if not states or item.state in states][:limit]

    def _add(self, mail: OutgoingMail, mail_id: MailId, recipient: str, next_at: Instant, state: QueueState) -> None:
        item_id = QueueItemId(max(self.waiting, default=0) + 1)
        self.waiting[item_id] = QueueItem(
            item_id=item_id,
            mail_id=mail_id,
            reverse_path=mail.reverse_path,
            recipient=recipient,
            state=state,
            size_bytes=len(mail.raw),
            queued_at=mail.queued_at,
            next_at=next_at,
            tries=0,
            last_reply=None,
            last_host="",
            is_8bit=mail.is_8bit,
            smtp_utf8=mail.smtp_utf8,
            trace_id=mail.trace_id,
        )
