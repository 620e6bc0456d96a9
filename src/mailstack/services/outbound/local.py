"""Queued mail for our own mailboxes: what was full or locked when it came, bounces to our accounts, and mail whose
domain has become ours since."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.errors import DomainError, Forbidden, NotFound, QuotaExceeded, TooLarge
from mailstack.model.instant import Instant
from mailstack.services.inbound.deliver import Letter
from mailstack.services.inbound.recipients import resolve
from mailstack.services.outbound.sender import forward_address
from mailstack.services.outbound.service import OutboundService


@dataclass(frozen=True, slots=True)
class LocalResult:
    """further: mail that an alias sends on, or that some of its accounts could not take yet."""

    outcome: Outcome
    further: tuple[OutgoingMail, ...] = ()


async def deliver_locally(service: OutboundService, item: QueueItem, content: bytes, now: Instant) -> LocalResult:
    try:
        to = await resolve(service.accounts, forward_address(item.recipient), postmaster=service.postmaster)
    except DomainError as fault:
        return LocalResult(_outcome(fault))
    letter = Letter(
        reverse_path=item.reverse_path,
        recipients=(item.recipient,),
        peer_host="",
        raw=content,
        received=b"",
        received_at=now,
        is_8bit=item.is_8bit,
        smtp_utf8=item.smtp_utf8,
        trace_id=item.trace_id,
        handling=item.handling,
    )
    faults = await service.delivery.store(letter, to.accounts) if to.accounts else []
    failed = [(account, fault) for account, fault in zip(to.accounts, faults, strict=True) if fault is not None]
    if failed and len(failed) == len(to.accounts) and not to.external:
        return LocalResult(_outcome(failed[0][1]))
    onward = (*(account.login for account, _ in failed), *to.external)
    stored = Delivered(reply=SmtpReply(code=250, status="2.1.5", text="stored"), host=service.hostname)
    return LocalResult(stored, _further(item, onward, content))


def _further(item: QueueItem, recipients: Sequence[str], content: bytes) -> tuple[OutgoingMail, ...]:
    if not recipients:
        return ()
    mail = OutgoingMail(
        reverse_path=item.reverse_path,
        recipients=tuple(recipients),
        raw=content,
        queued_at=item.queued_at,  # the queue lifetime goes on, it does not begin anew
        is_8bit=item.is_8bit,
        smtp_utf8=item.smtp_utf8,
        trace_id=item.trace_id,
        handling=item.handling,
        notifications=dict.fromkeys(recipients, item.notification),
    )
    return (mail,)


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
