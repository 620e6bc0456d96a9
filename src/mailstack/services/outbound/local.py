"""Queued mail for our own mailboxes: what was full or locked when it came, bounces to our accounts, and mail whose
domain has become ours since."""

from dataclasses import dataclass, replace
from typing import Protocol

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.errors import DomainError, Forbidden, NotFound, QuotaExceeded, TooLarge
from mailstack.model.instant import Instant
from mailstack.services.inbound.deliver import Delivery, Letter, Shipment, apart, is_taken, outgoing
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.recipients import by_target, own_paths
from mailstack.services.inbound.success import EXPANDED, STORED
from mailstack.services.inbound.trace import passed_addresses
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.sender import forward_address


class OwnMailboxes(Protocol):
    """What mail comes to them by. hostname: ours."""

    @property
    def hostname(self) -> str: ...
    @property
    def forwarding(self) -> Forwarding: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def delivery(self) -> Delivery: ...


@dataclass(frozen=True, slots=True)
class LocalResult:
    """further: mail that an alias sends on, or that some of its accounts could not take yet."""

    outcome: Outcome
    further: tuple[OutgoingMail, ...] = ()


async def deliver_locally(service: OwnMailboxes, item: QueueItem, content: bytes, now: Instant) -> LocalResult:
    try:
        to = await service.forwarding.resolve(
            forward_address(item.recipient),
            reverse_path=item.reverse_path,
            now=now,
            passed=passed_addresses(content),
        )
    except DomainError as fault:
        return LocalResult(_outcome(fault))
    if not service.lists.takes_unseen(to.lists):
        return LocalResult(_NOT_POSTED)
    service.lists.note_bounces(to.lists, item.trace_id)
    letter = Letter(
        reverse_path=item.reverse_path,
        peer_host="",
        raw=content,
        received=b"",
        received_at=now,
        is_8bit=item.is_8bit,
        smtp_utf8=item.smtp_utf8,
        trace_id=item.trace_id,
        is_suspicious=item.is_suspicious,
        handling=item.handling,
        notifications=by_target([(item.notification, to)]),
        paths=own_paths([(item.recipient, to)]),
        priority=item.priority,
    )
    found = await service.delivery.store(letter, to.accounts) if to.accounts else []
    failed = [account for account, one in zip(to.accounts, found, strict=True) if isinstance(one, DomainError)]
    refusal = next((one for one in found if isinstance(one, DomainError)), None)
    if refusal is not None and len(failed) == len(to.accounts) and not to.leaves:
        return LocalResult(_outcome(refusal))
    further = await service.forwarding.shipments(letter, replace(to, accounts=tuple(failed)))
    is_refused = bool(found) and not any(map(is_taken, found))
    stored = Delivered(
        reply=EXPANDED if to.expands else STORED,
        host=service.hostname,
        # RFC 3461 §5.2.7.2, RFC 3464 §3: one notice of success, from where the mail ends; what goes on has the wish.
        # RFC 5429 §2.1.2, §2.2: and the notice of a refusal is all that there is of a mail that scripts refuse.
        will_notify=(bool(further) or is_refused) and not to.expands,
        is_final=not further and not is_refused and not to.expands,
        is_expanded=to.expands,
    )
    return LocalResult(stored, tuple([await _queued(item, part) for each in further for part in apart(each)]))


async def _queued(item: QueueItem, shipment: Shipment) -> OutgoingMail:
    # The queue lifetime goes on, it does not begin anew.
    return replace(await outgoing(shipment), queued_at=item.queued_at)


_NOT_POSTED = Failed(
    reply=SmtpReply(code=550, status="5.7.1", text="the list takes mail from who may post, while they are connected"),
    host="",
)


def _outcome(fault: DomainError) -> Outcome:
    match fault:
        case NotFound():
            return Failed(reply=SmtpReply(code=550, status="5.1.1", text="no such mailbox here"), host="")
        case Forbidden():
            return Failed(reply=SmtpReply(code=550, status="5.2.1", text="the mailbox takes no mail"), host="")
        case TooLarge():
            return Failed(reply=SmtpReply(code=552, status="5.2.3", text="too large for the mailbox"), host="")
        case QuotaExceeded():
            return Deferred(reply=SmtpReply(code=452, status="4.2.2", text="the mailbox is full"), host="")
        case _:
            return Deferred(
                reply=SmtpReply(code=451, status="4.3.0", text="not stored for now"), host="", is_own_fault=True
            )
