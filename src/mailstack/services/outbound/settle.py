"""What one outcome means for a queued recipient: done, tried again, returned, late. Pure but for the notices' tokens.

RFC 5321 §4.5.4.1, §6.1.
"""

from dataclasses import dataclass

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.instant import Instant
from mailstack.services.outbound.bounce import delay_notice, failure_notice, success_notice
from mailstack.services.outbound.schedule import is_delay_notice_due, next_attempt
from mailstack.services.outbound.service import OutboundService


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What queue.settle is told."""

    outcome: Outcome
    next_at: Instant | None = None
    notices: tuple[OutgoingMail, ...] = ()


def settlement(service: OutboundService, item: QueueItem, outcome: Outcome, content: bytes, now: Instant) -> Settlement:
    match outcome:
        case Delivered():
            return Settlement(outcome=outcome, notices=success_notice(service, item, outcome, content, now))
        case Failed():
            return Settlement(outcome=outcome, notices=failure_notice(service, item, outcome, content, now))
        case Deferred():
            return _deferred(service, item, outcome, content, now)


def _deferred(service: OutboundService, item: QueueItem, outcome: Deferred, content: bytes, now: Instant) -> Settlement:
    next_at = next_attempt(
        service.schedule,
        tries=item.tries + 1,
        queued_at=item.queued_at,
        now=now,
        is_own_fault=outcome.is_own_fault,
    )
    if next_at is None:
        failed = Failed(reply=_expired(outcome.reply), host=outcome.host)
        return Settlement(outcome=failed, notices=failure_notice(service, item, failed, content, now))
    late = is_delay_notice_due(service.schedule, item, now, is_own_fault=outcome.is_own_fault)
    notices = delay_notice(service, item, outcome, content, now) if late else ()
    return Settlement(outcome=outcome, next_at=next_at, notices=notices)


def _expired(last: SmtpReply) -> SmtpReply:
    # RFC 3463 §3.5, X.4.7: delivery time expired.
    return SmtpReply(code=554, status="5.4.7", text=f"given up after too many days; the last attempt ended in: {last}")
