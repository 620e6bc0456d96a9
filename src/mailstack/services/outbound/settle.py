"""What one outcome means for a queued recipient: done, tried again, returned, late. Pure but for the notices' tokens.

RFC 5321 §4.5.4.1, §6.1.
"""

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, QueueItem, Settlement, SmtpReply
from mailstack.model.instant import Instant
from mailstack.services.outbound.bounce import delay_notice, failure_notice, success_notice
from mailstack.services.outbound.schedule import is_delay_notice_due, next_attempt, next_word
from mailstack.services.outbound.service import OutboundService


def settlement(service: OutboundService, item: QueueItem, outcome: Outcome, content: bytes, now: Instant) -> Settlement:
    match outcome:
        case Delivered():
            return Settlement(
                item_id=item.item_id, outcome=outcome, notices=success_notice(service, item, outcome, content, now)
            )
        case Failed():
            return Settlement(
                item_id=item.item_id, outcome=outcome, notices=failure_notice(service, item, outcome, content, now)
            )
        case Deferred():
            return _deferred(service, item, outcome, content, now)


def _deferred(service: OutboundService, item: QueueItem, outcome: Deferred, content: bytes, now: Instant) -> Settlement:
    if outcome.until is not None:
        until = min(outcome.until, next_word(service.schedule, item, now))
        return _waiting(service, item, outcome, until, content, now)
    next_at = next_attempt(
        service.schedule,
        tries=item.tries + 1,
        queued_at=item.queued_at,
        now=now,
        is_own_fault=outcome.is_own_fault,
    )
    if next_at is None:
        failed = Failed(reply=_expired(outcome), host=outcome.host, tls=outcome.tls, source=outcome.source)
        return Settlement(
            item_id=item.item_id, outcome=failed, notices=failure_notice(service, item, failed, content, now)
        )
    return _waiting(service, item, outcome, next_at, content, now)


def _waiting(
    service: OutboundService, item: QueueItem, outcome: Deferred, next_at: Instant, content: bytes, now: Instant
) -> Settlement:
    late = is_delay_notice_due(service.schedule, item, now)
    notices = delay_notice(service, item, outcome, content, now) if late else ()
    return Settlement(item_id=item.item_id, outcome=outcome, next_at=next_at, notices=notices, is_delay_told=late)


def _expired(outcome: Deferred) -> SmtpReply:
    last = outcome.reply
    # RFC 3463 §3.5, X.4.7: delivery time expired. Where a policy let no server have it, that is why (§3.8, X.7.x).
    status = f"5{last.status[1:]}" if outcome.is_of_policy else "5.4.7"
    return SmtpReply(code=554, status=status, text=f"given up after too many days; the last attempt ended in: {last}")
