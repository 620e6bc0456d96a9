"""Addresses of elsewhere that nothing is sent to: they refused for good on several days, or a person said so.

Nothing of it is asked for mail to others: the queue's items say whose address may be bad. docs/decisions/0027.
"""

import asyncio
from collections.abc import Sequence

import structlog

from mailstack.model.bad_address import BadAddress, SuppressRule, is_of_the_address
from mailstack.model.delivery import Delivered, Outcome, QueueItem, SmtpReply
from mailstack.model.errors import DomainError
from mailstack.model.instant import Clock, iso
from mailstack.ports.bad_addresses import BadAddresses
from mailstack.services.outbound.sender import forward_address

log = structlog.get_logger()


class Suppression:
    """rule: None: refusals count for nothing, and only what a person suppressed is. hostname: whom senders may ask."""

    def __init__(self, addresses: BadAddresses, rule: SuppressRule | None, *, hostname: str, clock: Clock) -> None:
        self._addresses = addresses
        self._rule = rule
        self._hostname = hostname
        self._clock = clock

    async def refusal(self, item: QueueItem) -> SmtpReply | None:
        """Why nothing is sent to its recipient, who is elsewhere; None: it may be tried. Raises DomainError."""
        if not item.is_doubtful:
            return None
        bad = await self._addresses.find(forward_address(item.recipient).key)
        if bad is None or not bad.is_in_force(self._clock()) or not (bad.by or self._rule):
            return None
        return _refusal(bad, self._hostname)

    async def note(self, answers: Sequence[tuple[QueueItem, Outcome]]) -> None:
        """What servers said of recipients elsewhere."""
        await asyncio.gather(*(self._noted(item, outcome) for item, outcome in answers))

    async def _noted(self, item: QueueItem, outcome: Outcome) -> None:
        try:
            await self._note(item, outcome)
        except DomainError as fault:  # no reason to forget what became of a mail
            log.warning("refusal not counted", mail=item.mail_id, recipient=item.recipient, fault=repr(fault))

    async def _note(self, item: QueueItem, outcome: Outcome) -> None:
        if isinstance(outcome, Delivered) and item.is_doubtful:
            await self._addresses.accepted(forward_address(item.recipient).key)
        elif self._rule is not None and is_of_the_address(outcome):
            address = forward_address(item.recipient).key
            bad = await self._addresses.refused(address, outcome.reply, now=self._clock(), rule=self._rule)
            if bad is not None and bad.is_suppressed:
                _tell(bad, item)


def _tell(bad: BadAddress, item: QueueItem) -> None:
    log.warning(
        "an address is suppressed",
        recipient=bad.address,
        until=None if bad.ends_at is None else iso(bad.ends_at),
        refusals=bad.refusals,
        since=iso(bad.since),
        reply=bad.reply,
        trace=item.trace_id,
        remedy=f"mailstack suppress remove SPEC {bad.address}",
    )


def _refusal(bad: BadAddress, hostname: str) -> SmtpReply:
    until = "" if bad.ends_at is None else f" until {iso(bad.ends_at)}"
    lifted = f"whoever runs {hostname} can lift that: mailstack suppress remove {bad.address}"
    if bad.by:
        # RFC 3463 §3.8, X.7.1: not authorised. Their reason is no stranger's business.
        text = f"not sent: mail to this address was stopped here on {iso(bad.since)}{until}; {lifted}"
        return SmtpReply(code=550, status="5.7.1", text=text)
    # RFC 3463 §3.2, X.1.1: what is known of the address, as its server would say it once more.
    text = (
        f"not sent: this address is suppressed here{until}, for its server refused {bad.refusals} mails, last on"
        f" {iso(bad.last_at)}: {bad.reply}; if it is good again, {lifted}"
    )
    return SmtpReply(code=550, status="5.1.1", text=text)
