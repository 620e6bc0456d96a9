"""Notices of success: mail that is in the mailboxes of those whose sender asked to be told, or has gone on to several.
RFC 3461 §4.1, §5.2.7, §6; RFC 3464 §2.3.3.

Strangers whom nobody vouches for have lost the wish by then: services.inbound.stages.notices.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from mailstack.formats.dsn import Action, Notice, RecipientStatus, write_notice
from mailstack.formats.headers import header_end
from mailstack.model.delivery import NULL_PATH, SmtpReply
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.handling import Notification, NotifyOn
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Delivery, Letter, Shipment
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.outbound.promises import TlsWish, tls_wish

TOKEN_BYTES = 16
STORED = SmtpReply(code=250, status="2.1.5", text="stored")
EXPANDED = SmtpReply(code=250, status="2.1.5", text="passed on")

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
    wished = [each for each in addressed if each.notification.wants(NotifyOn.SUCCESS)]
    by_action = {
        Action.DELIVERED: [each for each in wished if _is_reached(each, logins)],
        Action.EXPANDED: [each for each in wished if each.resolution.expands],
    }
    # RFC 5321 §4.5.5: a notice about a notice would never end. What is junk here was not sent for an answer.
    if not any(by_action.values()) or letter.reverse_path == NULL_PATH or letter.is_suspicious:
        return
    try:
        notices = [_written(letter, action, told, hostname) for action, told in by_action.items() if told]
        await delivery.deliver([Shipment(letter=notice, external=(letter.reverse_path,)) for notice in notices])
    except (Invalid, TryAgainLater) as fault:  # to refuse the mail now would bring it a second time
        log.warning("no notice of success", trace=letter.trace_id, fault=fault.detail)


def _token(letter: Letter, reached: Iterable[Addressed]) -> str:
    """As good as random: of one mail there is one notice of success for each that is delivered on its own, by LMTP."""
    words = "\0".join((letter.trace_id, *(each.path for each in reached)))
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=TOKEN_BYTES).hexdigest()


def _is_reached(each: Addressed, logins: set[str]) -> bool:
    # RFC 3461 §5.2.7.1: what a list has taken is delivered; its copies are the list's own mail.
    if each.resolution.goes_on:
        return False
    return all(account.login in logins for account in each.resolution.accounts)


def _written(letter: Letter, action: Action, reached: Sequence[Addressed], hostname: str) -> Letter:
    reply = STORED if action is Action.DELIVERED else EXPANDED
    statuses = [
        RecipientStatus(
            recipient=each.path, reply=reply, host="", original_recipient=each.notification.original_recipient
        )
        for each in reached
    ]
    notice = Notice(
        action=action,
        reporting_host=hostname,
        to=letter.reverse_path,
        arrived_at=letter.received_at,
        written_at=letter.received_at,
        recipients=statuses,
        header=letter.raw[: header_end(letter.raw)],
        envelope_id=letter.handling.envelope_id,
        trace_id=letter.trace_id,
        is_tls_optional=tls_wish(letter.handling, letter.raw, reverse_path=letter.reverse_path) is TlsWish.OPTIONAL,
    )
    return Letter(
        reverse_path=NULL_PATH,
        peer_host="",
        raw=write_notice(notice, token=_token(letter, reached)),
        received=b"",
        received_at=letter.received_at,
        is_8bit=False,
        smtp_utf8=not letter.reverse_path.isascii(),
        trace_id=letter.trace_id,
        handling=letter.handling.inherited,
    )
