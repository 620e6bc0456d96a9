"""Notices to the sender: mail that came back, mail that is late. One for each recipient, in the settlement's own
transaction, so that none is lost or doubled; none about a notice, and none that was not wished for.
RFC 5321 §4.5.5, §6.1; RFC 3461 §4.1, §5.2, §6; RFC 3464."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from mailstack.formats.dsn import Action, Notice, RecipientStatus, write_notice
from mailstack.formats.headers import header_end
from mailstack.formats.lines import in_lines
from mailstack.formats.seven_bit import in_7bit
from mailstack.formats.spam_fields import without_own_spam_fields
from mailstack.model.delivery import NULL_PATH, Deferred, Delivered, Failed, Outcome, OutgoingMail, Priority, QueueItem
from mailstack.model.errors import Invalid
from mailstack.model.handling import Handling, NotifyOn, Returned
from mailstack.model.instant import Instant
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.outbound.promises import TlsWish, tls_wish
from mailstack.services.outbound.schedule import expires_at
from mailstack.services.outbound.service import OutboundService

TOKEN_BYTES = 16
MAX_RETURNED_OCTETS = 256 * 1024

log = structlog.get_logger()


class Reporter(Protocol):
    """In whose name notices are written; OutboundService is one. token: random bytes."""

    @property
    def hostname(self) -> str: ...

    @property
    def forwarding(self) -> Forwarding: ...

    @property
    def token(self) -> Callable[[int], bytes]: ...


def failure_notice(
    service: Reporter, item: QueueItem, outcome: Failed, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    return _notice(service, item, Action.FAILED, _status(item, outcome), content, now)


def delay_notice(
    service: OutboundService, item: QueueItem, outcome: Deferred, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    until = expires_at(service.schedule, item.queued_at)
    return _notice(service, item, Action.DELAYED, _status(item, outcome, retry_until=until), content, now)


def success_notice(
    service: Reporter, item: QueueItem, outcome: Delivered, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    if outcome.will_notify:
        return ()  # RFC 3461 §5.2.1: what became of it is the next server's to tell
    # RFC 3461 §5.2.2: whoever took it is not asked for a notice, so ours says that there will be no other. RFC 3464
    # §2.3.3: delivered is what has reached the mailbox.
    action = Action.DELIVERED if outcome.is_final or outcome.host == service.hostname else Action.RELAYED
    if outcome.is_expanded:
        action = Action.EXPANDED  # RFC 3461 §5.2.7.3
    # RFC 3464 §2.3.5: no other server was involved in what was stored here.
    said = replace(outcome, host="") if outcome.host == service.hostname else outcome
    return _notice(service, item, action, _status(item, said), content, now)


def _status(item: QueueItem, outcome: Outcome, *, retry_until: Instant | None = None) -> RecipientStatus:
    return RecipientStatus(
        recipient=item.recipient,
        reply=outcome.reply,
        host=outcome.host,
        original_recipient=item.notification.original_recipient,
        retry_until=retry_until,
    )


def _notice(
    service: Reporter, item: QueueItem, action: Action, status: RecipientStatus, content: bytes, now: Instant
) -> tuple[OutgoingMail, ...]:
    # RFC 5321 §4.5.5: a notice about a notice would never end; and one about spam goes to whoever it names.
    if item.reverse_path == NULL_PATH or item.is_suspicious:
        return ()
    if not item.notification.wants(_EVENTS[action]):
        return ()  # RFC 3461 §4.1
    # At once to who sent it, not to a path of our own that would only lead there.
    sender = service.forwarding.sender_behind(item.reverse_path, now=now)
    try:
        raw = _written(service, item, sender, action, status, content, now)
    except Invalid as fault:
        log.warning("no notice", trace=item.trace_id, fault=fault.detail)  # nobody could be told at such an address
        return ()
    mail = OutgoingMail(
        reverse_path=NULL_PATH,
        recipients=(sender,),
        raw=raw,
        queued_at=now,
        is_8bit=False,
        smtp_utf8=not sender.isascii(),
        trace_id=item.trace_id,
        handling=item.handling.inherited,
        priority=Priority.BOUNCE,
    )
    return (mail,)


def _written(
    service: Reporter,
    item: QueueItem,
    sender: str,
    action: Action,
    status: RecipientStatus,
    content: bytes,
    now: Instant,
) -> bytes:
    # Which rules it met is not for who sent it.
    content = without_own_spam_fields(content)
    notice = Notice(
        action=action,
        reporting_host=service.hostname,
        to=sender,
        arrived_at=item.queued_at,
        written_at=now,
        recipients=(status,),
        header=content[: header_end(content)],
        envelope_id=item.handling.envelope_id,
        trace_id=item.trace_id,
        whole=_whole(content, item.handling) if action is Action.FAILED else b"",
        is_tls_optional=tls_wish(item.handling, content, reverse_path=item.reverse_path) is TlsWish.OPTIONAL,
    )
    return write_notice(notice, token=service.token(TOKEN_BYTES).hex())


def _whole(content: bytes, handling: Handling) -> bytes:
    """b"" where the header must do: not asked for, too much, or in no form that passes everywhere."""
    # RFC 3461 §4.3: RET is about failures alone. RFC 8689 §5: nor about mail that asks for TLS.
    if handling.returned is not Returned.FULL or handling.requires_tls or len(content) > MAX_RETURNED_OCTETS:
        return b""
    # RFC 2046 §5.2.1: message/rfc822 is not encoded, so that what is in it is.
    lines = in_lines(content)
    return (in_7bit(lines) if lines is not None else None) or b""


_EVENTS = {
    Action.FAILED: NotifyOn.FAILURE,
    Action.DELAYED: NotifyOn.DELAY,
    Action.DELIVERED: NotifyOn.SUCCESS,
    Action.RELAYED: NotifyOn.SUCCESS,
    Action.EXPANDED: NotifyOn.SUCCESS,
}
