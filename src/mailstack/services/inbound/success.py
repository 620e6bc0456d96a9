"""Notices of success: mail that is in the mailboxes of those whose sender asked to be told. RFC 3461 §4.1, §6.

Only where the sender is known to have written the mail: notices to forged addresses are spam sent through us.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from mailstack.formats.dsn import Action, Notice, RecipientStatus, write_notice
from mailstack.formats.headers import header_end
from mailstack.model.delivery import NULL_PATH, SmtpReply
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.handling import Notification, NotifyOn
from mailstack.model.principal import Account
from mailstack.model.verdict import Authentication, SpfResult
from mailstack.services.inbound.deliver import Delivery, Letter
from mailstack.services.inbound.recipients import Resolution

STORED = SmtpReply(code=250, status="2.1.5", text="stored")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """One recipient. path: as written in RCPT TO."""

    path: str
    notification: Notification
    resolution: Resolution


async def tell_of_success(
    delivery: Delivery, letter: Letter, addressed: Iterable[Addressed], stored: Sequence[Account], *, hostname: str
) -> None:
    """stored: whose mailboxes have it by now; of those it is queued for, the queue tells."""
    logins = {account.login for account in stored}
    reached = [each for each in addressed if _is_reached(each, logins)]
    if not reached or letter.reverse_path == NULL_PATH:  # RFC 5321 §4.5.5: a notice about a notice would never end
        return
    try:
        notice = _written(letter, reached, hostname)
        to = Resolution(accounts=(), external=(letter.reverse_path,))
        await delivery.deliver(notice, to)
    except (Invalid, TryAgainLater) as fault:  # to refuse the mail now would bring it a second time
        log.warning("no notice of success", trace=letter.trace_id, fault=fault.detail)


def as_trusted(notification: Notification, authentication: Authentication | None) -> Notification:
    """Without the wish for success where nobody vouches for the sender's address."""
    if authentication is not None and authentication.mail_from.result is SpfResult.PASS:
        return notification
    if notification.notify_on is None or NotifyOn.SUCCESS not in notification.notify_on:
        return notification
    return replace(notification, notify_on=notification.notify_on - {NotifyOn.SUCCESS})


def _is_reached(each: Addressed, logins: set[str]) -> bool:
    if not each.notification.wants(NotifyOn.SUCCESS) or each.resolution.external:
        return False
    return all(account.login in logins for account in each.resolution.accounts)


def _written(letter: Letter, reached: Sequence[Addressed], hostname: str) -> Letter:
    statuses = [
        RecipientStatus(
            recipient=each.path, reply=STORED, host="", original_recipient=each.notification.original_recipient
        )
        for each in reached
    ]
    notice = Notice(
        action=Action.DELIVERED,
        reporting_host=hostname,
        to=letter.reverse_path,
        arrived_at=letter.received_at,
        written_at=letter.received_at,
        recipients=statuses,
        header=letter.raw[: header_end(letter.raw)],
        envelope_id=letter.handling.envelope_id,
    )
    return Letter(
        reverse_path=NULL_PATH,
        recipients=(letter.reverse_path,),
        peer_host="",
        # One notice of success for one mail at most: its trace is as good as random.
        raw=write_notice(notice, token=letter.trace_id),
        received=b"",
        received_at=letter.received_at,
        is_8bit=False,
        smtp_utf8=not letter.reverse_path.isascii(),
        trace_id=letter.trace_id,
    )
