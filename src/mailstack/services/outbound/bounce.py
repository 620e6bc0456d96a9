"""Notices to the sender: mail that came back, mail that is late. One for each recipient, in the settlement's own
transaction, so that none is lost or doubled; none about a notice, and none that was not wished for.
RFC 5321 §4.5.5, §6.1; RFC 3461 §4.1, §5.2, §6; RFC 3464."""

import structlog

from mailstack.formats.dsn import Action, Notice, RecipientStatus, write_notice
from mailstack.formats.headers import header_end
from mailstack.model.delivery import NULL_PATH, Deferred, Delivered, Failed, Outcome, OutgoingMail, QueueItem
from mailstack.model.errors import Invalid
from mailstack.model.handling import NotifyOn
from mailstack.model.instant import Instant
from mailstack.services.outbound.schedule import expires_at
from mailstack.services.outbound.service import OutboundService

TOKEN_BYTES = 16

log = structlog.get_logger()


def failure_notice(
    service: OutboundService, item: QueueItem, outcome: Failed, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    return _notice(service, item, Action.FAILED, _status(item, outcome), content, now)


def delay_notice(
    service: OutboundService, item: QueueItem, outcome: Deferred, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    until = expires_at(service.schedule, item.queued_at)
    return _notice(service, item, Action.DELAYED, _status(item, outcome, retry_until=until), content, now)


def success_notice(
    service: OutboundService, item: QueueItem, outcome: Delivered, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    # RFC 3461 §5.2.2: whoever took it is not asked for a notice, so ours says that there will be no other.
    action = Action.DELIVERED if outcome.host == service.hostname else Action.RELAYED
    return _notice(service, item, action, _status(item, outcome), content, now)


def _status(item: QueueItem, outcome: Outcome, *, retry_until: Instant | None = None) -> RecipientStatus:
    return RecipientStatus(
        recipient=item.recipient,
        reply=outcome.reply,
        host=outcome.host,
        original_recipient=item.notification.original_recipient,
        retry_until=retry_until,
    )


def _notice(
    service: OutboundService, item: QueueItem, action: Action, status: RecipientStatus, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    if item.reverse_path == NULL_PATH:
        return ()  # RFC 5321 §4.5.5: a notice about a notice would never end
    if not item.notification.wants(_EVENTS[action]):
        return ()  # RFC 3461 §4.1
    try:
        raw = _written(service, item, action, status, content, now)
    except Invalid as fault:
        log.warning("no notice", trace=item.trace_id, fault=fault.detail)  # nobody could be told at such an address
        return ()
    mail = OutgoingMail(
        reverse_path=NULL_PATH,
        recipients=(item.reverse_path,),
        raw=raw,
        queued_at=now,
        is_8bit=False,
        smtp_utf8=not item.reverse_path.isascii(),
        trace_id=item.trace_id,
    )
    return (mail,)


def _written(
    service: OutboundService, item: QueueItem, action: Action, status: RecipientStatus, content: bytes, now: Instant
) -> bytes:
    notice = Notice(
        action=action,
        reporting_host=service.hostname,
        to=item.reverse_path,
        arrived_at=item.queued_at,
        written_at=now,
        recipients=(status,),
        header=content[: header_end(content)],
        envelope_id=item.handling.envelope_id,
    )
    return write_notice(notice, token=service.token(TOKEN_BYTES).hex())


_EVENTS = {
    Action.FAILED: NotifyOn.FAILURE,
    Action.DELAYED: NotifyOn.DELAY,
    Action.DELIVERED: NotifyOn.SUCCESS,
    Action.RELAYED: NotifyOn.SUCCESS,
}
