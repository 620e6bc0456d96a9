"""Messages of accounts in memory, as delivery puts them in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.flags import keywords_text
from mailstack.model.ids import AccountId, MailboxId, MessageId, ModSeq, Uid
from mailstack.model.message import Appended, NewMessage, Placement
from mailstack.model.numset import NumSet
from mailstack.ports.bus import Bus, account_topic
from mailstack.ports.mailboxes import DeliveryMailboxes


class MemoryMessages:
    """Works as ports.messages.Intake."""

    def __init__(self, mailboxes: DeliveryMailboxes, bus: Bus) -> None:
        self._mailboxes = mailboxes
        self._bus = bus
        self._kept: defaultdict[AccountId, dict[MessageId, NewMessage]] = defaultdict(dict)
        self._placed: defaultdict[tuple[AccountId, MailboxId], list[Placement]] = defaultdict(list)
        self._mod_seqs = count(1)

    async def append(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        messages: Sequence[NewMessage],
        *,
        quota_bytes: int | None = None,
    ) -> Sequence[Appended]:
        await self._require_mailbox(account_id, mailbox_id)
        size_bytes = sum(len(message.raw) for message in messages)
        if quota_bytes is not None and await self.used_bytes(account_id) + size_bytes > quota_bytes:
            raise QuotaExceeded(f"{size_bytes} octets are more than is left of {quota_bytes}")
        mod_seq = ModSeq(next(self._mod_seqs))
        appended = [self._put(account_id, mailbox_id, message, mod_seq) for message in messages]
        self._bus.publish(account_topic(account_id))
        return appended

    async def placements(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None
    ) -> Sequence[Placement]:
        await self._require_mailbox(account_id, mailbox_id)
        placed = self._placed[account_id, mailbox_id]
        return [placement for placement in placed if uids is None or placement.uid in uids]

    async def read(self, account_id: AccountId, message_id: MessageId) -> bytes:
        message = self._kept[account_id].get(message_id)
        if message is None:
            raise NotFound("no such message")
        return bytes(message.raw)

    async def used_bytes(self, account_id: AccountId) -> int:
        return sum(len(message.raw) for message in self._kept[account_id].values())

    def holders(self) -> Sequence[AccountId]:
        """Accounts that have any message, in the order of their first."""
        return [account_id for account_id, kept in self._kept.items() if kept]

    def _put(self, account_id: AccountId, mailbox_id: MailboxId, message: NewMessage, mod_seq: ModSeq) -> Appended:
        kept, placed = self._kept[account_id], self._placed[account_id, mailbox_id]
        message_id, uid = MessageId(len(kept) + 1), Uid(len(placed) + 1)
        # What was given may be a file that is closed as soon as this returns.
        kept[message_id] = replace(message, raw=bytes(message.raw))
        placed.append(Placement(uid, message_id, mod_seq, message.is_deleted, keywords_text(message.keywords)))
        return Appended(message_id=message_id, uid=uid, mod_seq=mod_seq)

    async def _require_mailbox(self, account_id: AccountId, mailbox_id: MailboxId) -> None:
        if all(mailbox.mailbox_id != mailbox_id for mailbox in await self._mailboxes.list(account_id)):
            raise NotFound("no such mailbox")
