"""A list's mail on its way: one shipment for all members elsewhere, one for each of those here. RFC 5321 §3.9.2.

Everybody gets it once, and not by the list who has it by the same mail anyway. From stays the author's unless that
would have the copies refused: DMARC asks for it, nothing of the author's signature is left, and no key of ours speaks
for their domain.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import structlog

from mailstack.formats.list_fields import ListChanges, changes
from mailstack.mailauth.dkim.broken import Signatures, signatures_after
from mailstack.mailauth.dkim.sign import sign
from mailstack.mailauth.dmarc.author import author_of
from mailstack.mailauth.dmarc.check import Published, published
from mailstack.model.address import Address
from mailstack.model.delivery import Priority
from mailstack.model.errors import Invalid
from mailstack.model.handling import Notification, NotifyOn
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account, MailingList
from mailstack.model.verdict import Authentication, DkimResult, DmarcPolicy, DmarcResult
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.deliver import LARGE_BYTES, Letter, Shipment
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.inbound.trace import delivered_to_field, prepend
from mailstack.services.lists.copies import Copies
from mailstack.services.lists.members import Members, targets_of
from mailstack.services.lists.names import bounce_path
from mailstack.services.lists.posting import Posted
from mailstack.services.outbound.sender import forward_address

ABOUT_FAILURES = Notification(notify_on=frozenset({NotifyOn.FAILURE}))
"""RFC 3461 §5.2.7.1: a list asks for what its owners want; of ten thousand members some are late every day."""

Made = TypeVar("Made")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """resolver: None where no sender is checked."""

    members: Members
    copies: Copies
    resolver: Resolver | None

    async def shipments(
        self, mailing_list: MailingList, letter: Letter, posted: Posted, direct: Resolution
    ) -> list[Shipment]:
        """direct: who has the mail without the list."""
        reached = await self.members.of(mailing_list)
        to = _others(reached.to, direct)
        own = await self._letter(mailing_list, letter, posted, to)
        log.info(
            "posted",
            trace=letter.trace_id,
            list=mailing_list.address,
            sender=letter.reverse_path,
            local=len(to.accounts),
            outside=len(to.external) + sum(len(onward.targets) for onward in to.onward),
        )
        return [
            *await self._forwarding.shipments(own, replace(to, accounts=())),
            *await self._here(mailing_list, own, to.accounts),
        ]

    @property
    def _forwarding(self) -> Forwarding:
        return self.members.forwarding

    async def _here(self, mailing_list: MailingList, letter: Letter, accounts: Sequence[Account]) -> list[Shipment]:
        def written() -> list[Shipment]:
            logins = [account.login for account in accounts]
            fields_of_each = self.copies.fields_of_each(mailing_list, logins, letter.raw, now=letter.received_at)
            return [
                Shipment(
                    letter=replace(letter, reverse_path=bounce_path(mailing_list, account.login), received=fields),
                    accounts=(account,),
                    queued_as=letter,
                )
                for account, fields in zip(accounts, fields_of_each, strict=True)
            ]

        # A signature takes most of a millisecond, and there may be a thousand accounts.
        return await asyncio.to_thread(written)

    async def _letter(self, mailing_list: MailingList, letter: Letter, posted: Posted, to: Resolution) -> Letter:
        """As all members get it; nothing of the envelope it came in is left. RFC 3461 §5.2.7.1."""
        found, signatures = await self._changes(mailing_list, letter.raw, posted)
        gone = sorted({*letter.left_out, *found.left_out, *((field.start, field.end) for field in signatures.broken)})
        changed = replace(letter, raw=await _in_thread_if_large(partial(prepend, found.top, left_out=gone), letter.raw))
        # Kept by lists elsewhere that put a List-Id of their own in the place of ours.
        mark = delivered_to_field(mailing_list.address)
        above = mark + letter.received + await self._proof(mailing_list, changed, posted, signatures)
        raw = await _in_thread_if_large(partial(prepend, above), changed.raw)
        return replace(
            letter,
            reverse_path=self.copies.path_in_queue(mailing_list),
            raw=raw,
            received=b"",
            left_out=(),
            # RFC 8689 §6: copies ask for TLS as the posting does.
            handling=letter.handling.inherited,
            notifications=dict.fromkeys(targets_of(to), ABOUT_FAILURES),
            priority=Priority.BULK,
        )

    async def _changes(
        self, mailing_list: MailingList, raw: RawMessage, posted: Posted
    ) -> tuple[ListChanges, Signatures]:
        found = changes(posted.fields, mailing_list, rewrites_from=False)
        signatures = signatures_after(raw, found.names)
        if await self._must_rewrite(mailing_list, raw, posted, signatures):
            found = changes(posted.fields, mailing_list, rewrites_from=True)
            signatures = signatures_after(raw, found.names)
        return found, signatures

    async def _must_rewrite(
        self, mailing_list: MailingList, raw: RawMessage, posted: Posted, signatures: Signatures
    ) -> bool:
        author = author_of(raw)
        domain = author.domain
        own = mailing_list.address.rpartition("@")[2]
        if domain in ("", own):
            return False
        if posted.account is not None and self.copies.signing_keys.get(domain):
            return False
        if self.resolver is None or _is_left_standing(domain, posted.authentication, signatures):
            return False
        found = await published(self.resolver, author)
        if _is_spoken_for(own, found):
            return False
        # Shown another way than it need be is better than not delivered.
        return found.verdict.result is DmarcResult.TEMPERROR or found.verdict.policy is not DmarcPolicy.NONE

    async def _proof(self, mailing_list: MailingList, letter: Letter, posted: Posted, signatures: Signatures) -> bytes:
        """What can be said of its author by those who may."""
        if posted.account is None:
            return await self._forwarding.seal(letter, mailing_list.address.rpartition("@")[2], posted.authentication)
        keys = self.copies.signing_keys.get(author_of(letter.raw).domain, ())
        if not signatures.broken or not keys:
            return b""
        return await _in_thread_if_large(partial(sign, keys=keys, now=letter.received_at), letter.raw)


def _is_spoken_for(own: str, found: Published) -> bool:
    """RFC 9989 §4.4: by the list's signature, which in relaxed alignment speaks for all of its organization."""
    organization = found.verdict.organizational_domain
    is_strict = found.record is not None and found.record.has_strict_dkim
    return bool(organization) and not is_strict and f".{own}".endswith(f".{organization}")


def _is_left_standing(domain: str, found: Authentication | None, signatures: Signatures) -> bool:
    """Does the author's own signature still speak for them; SPF knows nothing of the list's server."""
    if found is None:  # whoever brought it has checked it
        return any(f".{domain}".endswith(f".{signer}") for signer, _, _ in signatures.whole)
    organization = found.dmarc.organizational_domain
    return found.dmarc.has_dkim and any(
        verdict.result is DkimResult.PASS
        and f".{verdict.domain}".endswith(f".{organization}")
        and signatures.survives(verdict)
        for verdict in found.dkim
    )


def _others(to: Resolution, direct: Resolution) -> Resolution:
    logins = {account.login for account in direct.accounts}
    # As written, and members are named by keys; a path that is none is nobody's.
    paths = {found.key for path in direct.external if (found := _address(path)) is not None}
    paths.update(target for onward in direct.onward for target in onward.targets)
    onward = (
        replace(each, targets=tuple(target for target in each.targets if target not in paths)) for each in to.onward
    )
    return Resolution(
        accounts=tuple(account for account in to.accounts if account.login not in logins),
        external=tuple(path for path in to.external if path not in paths),
        onward=tuple(each for each in onward if each.targets),
    )


def _address(path: str) -> Address | None:
    try:
        return forward_address(path)
    except Invalid:
        return None


async def _in_thread_if_large(change: Callable[[RawMessage], Made], raw: RawMessage) -> Made:
    return await asyncio.to_thread(change, raw) if len(raw) > LARGE_BYTES else change(raw)
