"""Notices to the sender: mail that came back, mail that is late. One for each recipient, in the settlement's own
transaction, so that none is lost or doubled; none about a notice. RFC 5321 §4.5.5, §6.1; RFC 3464."""

import structlog

from mailstack.formats.dsn import Action, Notice, RecipientStatus, write_notice
from mailstack.formats.headers import header_end
from mailstack.model.delivery import NULL_PATH, Deferred, Failed, OutgoingMail, QueueItem
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.services.outbound.schedule import expires_at
from mailstack.services.outbound.service import OutboundService

TOKEN_BYTES = 16

log = structlog.get_logger()


def failure_notice(
    service: OutboundService, item: QueueItem, outcome: Failed, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    status = RecipientStatus(recipient=item.recipient, reply=outcome.reply, host=outcome.host)
    return _notice(service, item, Action.FAILED, status, content, now)


def delay_notice(
    service: OutboundService, item: QueueItem, outcome: Deferred, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    until = expires_at(service.schedule, item.queued_at)
    status = RecipientStatus(recipient=item.recipient, reply=outcome.reply, host=outcome.host, retry_until=until)
    return _notice(service, item, Action.DELAYED, status, content, now)


def _notice(
    service: OutboundService, item: QueueItem, action: Action, status: RecipientStatus, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    if item.reverse_path == NULL_PATH:
        return ()  # RFC 5321 §4.5.5: a notice about a notice would never end
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
    )
    return write_notice(notice, token=service.token(TOKEN_BYTES).hex())
