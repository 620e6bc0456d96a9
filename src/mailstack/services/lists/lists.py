"""Mail to the addresses of lists: taken or refused, sent on to members, and whoever asks to leave lets go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mailstack.formats.headers import first
from mailstack.model.delivery import QueueItem
from mailstack.model.instant import Clock
from mailstack.model.principal import MailingList
from mailstack.services.inbound.deliver import Letter, Shipment
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.mail import Defer, Reason, Reject
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.lists.distribution import Distribution
from mailstack.services.lists.members import Members
from mailstack.services.lists.names import AtList, Purpose
from mailstack.services.lists.posting import Posted, names_of_authors, why_not_posted, why_unproven
from mailstack.services.lists.tokens import MAX_TOKEN, read_token

_TOKEN = re.compile(rb"[A-Za-z0-9_-]{24,%d}" % MAX_TOKEN)
MOST_TOKENS = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    distribution: Distribution
    clock: Clock

    async def why_refused(self, at: Sequence[AtList], posted: Posted) -> Reject | Defer | None:
        """A mail is taken for all of its recipients or for none: RFC 5321 §4.2.5 has one reply after DATA, and who
        wrote it can send it again without the list."""
        for each in at:
            found: Reject | Defer | None = None
            if each.purpose is Purpose.POST:
                found = await why_not_posted(self.forwarding.accounts, self._members, each.mailing_list, posted)
            elif each.purpose is Purpose.UNSUBSCRIBE and not await self._leaver(each, posted):
                found = why_unproven(posted, each.mailing_list) or Reject(
                    reason=Reason.LIST_LEAVING, detail=each.mailing_list.address
                )
            if found is not None:
                return found
        return None

    async def shipments(self, letter: Letter, to: Resolution, posted: Posted) -> list[Shipment]:
        """Of what was not refused, all that goes to members; and whoever wrote to leave has left, durably. to: of the
        whole mail."""
        found: list[Shipment] = []
        for each in to.lists:
            if each.purpose is Purpose.POST:
                found += await self.distribution.shipments(each.mailing_list, letter, posted, to)
            elif each.purpose is Purpose.UNSUBSCRIBE:
                for member in await self._leaver(each, posted):
                    await self.leave(each.mailing_list.address, member, trace=letter.trace_id)
        self.note_bounces(to.lists, letter.trace_id)
        return found

    def takes_unseen(self, at: Sequence[AtList]) -> bool:
        """Mail of whose author nothing is known any more: bounces alone."""
        return all(each.purpose is Purpose.BOUNCES for each in at)

    def note_bounces(self, at: Sequence[AtList], trace_id: str) -> None:
        for each in at:
            if each.purpose is Purpose.BOUNCES:
                log.info("bounced", trace=trace_id, list=each.mailing_list.address, member=each.detail)

    async def has_sent(self, item: QueueItem) -> bool:
        return await self.distribution.copies.list_of(self.forwarding.accounts, item.reverse_path) is not None

    async def personal(self, item: QueueItem, content: bytes) -> tuple[QueueItem, bytes]:
        """As a queued mail leaves, to one recipient; what no list has sent stays as it is."""
        return await self.distribution.copies.of_item(self.forwarding.accounts, item, content, now=self.clock())

    async def leave_by(self, token: str) -> MailingList | None:
        """By a link of ours, whether or not anybody is left to leave. None: the link is not ours, or the list is
        gone."""
        found = await self.list_named_by(token)
        if found is None:
            return None
        mailing_list, member = found
        await self.leave(mailing_list.address, member)
        return mailing_list

    async def list_named_by(self, token: str) -> tuple[MailingList, str] | None:
        """And the member."""
        named = read_token(self.distribution.copies.secret, token)
        owner = await self.forwarding.accounts.find(named[0]) if named is not None else None
        return (owner, named[1]) if named is not None and isinstance(owner, MailingList) else None

    async def leave(self, list_address: str, member: str, **asked_by: str) -> None:
        """asked_by: for the log, where a mail asked."""
        if await self._members.unsubscribed.add(list_address, member, now=self.clock()):
            log.info("unsubscribed", **asked_by, list=list_address, member=member)

    @property
    def forwarding(self) -> Forwarding:
        return self._members.forwarding

    @property
    def _members(self) -> Members:
        return self.distribution.members

    async def _leaver(self, at: AtList, posted: Posted) -> frozenset[str]:
        """Who leaves: whom the link names that the mail was made from, or its proven author. Nobody where neither is
        a member."""
        subject = first(posted.fields, b"subject") or b""
        for token in _TOKEN.findall(subject)[:MOST_TOKENS]:
            named = read_token(self.distribution.copies.secret, token.decode("ascii"))
            if named is not None and named[0] == at.mailing_list.address:
                return frozenset({named[1]})
        if why_unproven(posted, at.mailing_list) is not None:
            return frozenset()
        names = await names_of_authors(self.forwarding.accounts, posted)
        reached = await self._members.of(at.mailing_list)
        return frozenset().union(*names) & reached.keys if len(names) == 1 else frozenset()
