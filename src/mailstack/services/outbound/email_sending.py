"""Emails that lie in an account and are sent from there. RFC 8621 §7.5.

All of it goes through the queue, at once or when its time has come: mail and what its author sees of it are written in
one transaction, so that a crash leaves both or none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from mailstack.model.delivery import OutgoingMail
from mailstack.model.email_submission import (
    Arrival,
    EmailSubmission,
    SubmissionHead,
    SubmittedRecipient,
    UndoStatus,
)
from mailstack.model.handling import PLAIN, Handling, Notification
from mailstack.model.ids import MessageId, SubmissionId, ThreadId
from mailstack.model.instant import Clock, Instant, iso
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.ports.email_submissions import EmailSubmissions
from mailstack.services.inbound.deliver import queued_name
from mailstack.services.inbound.mail import Defer, Reject
from mailstack.services.inbound.success import EXPANDED, Addressed, tell_of_success
from mailstack.services.outbound.submit import Origin, Prepared, Submission

MOST_KEPT = 10_000
"""Of an account: those beyond it give way, the oldest first, or where all are still to go, no more are taken."""
PROTOCOL = "JMAP"
QUEUED = "250 2.1.5 queued"
_ID_OCTETS = 8

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an author wants sent. envelope: JSON, as they see it. reverse_path, recipients: paths. release_at: None for
    at once."""

    identity_id: str
    message_id: MessageId
    thread_id: ThreadId
    raw: RawMessage
    envelope: str
    reverse_path: str
    recipients: Sequence[str]
    handling: Handling = PLAIN
    notifications: Mapping[str, Notification] = field(default_factory=dict)
    release_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSending:
    """most_recipients: of one email. token: random bytes."""

    submission: Submission
    kept: EmailSubmissions
    most_recipients: int
    clock: Clock
    token: Callable[[int], bytes]

    async def send(
        self, account: Account, wanted: Sent, *, if_number: int | None = None
    ) -> EmailSubmission | Reject | Defer:
        """if_number: as of ports.email_submissions. Raises what Submission.prepare and the port's add raise."""
        submission_id, now = SubmissionId(f"S{self.token(_ID_OCTETS).hex()}"), self.clock()
        is_held = wanted.release_at is not None and wanted.release_at > now
        origin = Origin(
            ehlo_domain="",
            peer_host="",
            protocol=PROTOCOL,
            trace_id=submission_id,
            smtp_utf8=True,
            handling=wanted.handling,
            notifications=wanted.notifications,
            release_at=wanted.release_at if is_held else None,
        )
        mail = await self.submission.prepare(account, wanted.reverse_path, wanted.recipients, wanted.raw, origin)
        if not isinstance(mail, Prepared):
            return mail
        send_at = origin.release_at or now
        made = EmailSubmission(
            head=SubmissionHead(
                submission_id=submission_id,
                identity_id=wanted.identity_id,
                message_id=wanted.message_id,
                thread_id=wanted.thread_id,
                send_at=send_at,
                undo_status=UndoStatus.PENDING if is_held else UndoStatus.FINAL,
            ),
            envelope=wanted.envelope,
            recipients=tuple(_recipient(each, mail) for each in mail.addressed),
        )
        put = partial(self._add, account, made, now=now, if_number=if_number)
        hold = self.submission.delivery.hold(mail.shipments, until=send_at, put=put)
        await self.submission.taken(account, mail, hold)
        if not is_held:
            await tell_of_success(
                self.submission.delivery, mail.letter, mail.addressed, (), hostname=self.submission.hostname
            )
        log.info(
            "submitted", trace=submission_id, account=account.login, recipients=len(made.recipients), at=iso(send_at)
        )
        return made

    async def cancel(self, account: Account, submission_id: SubmissionId, *, if_number: int | None = None) -> bool:
        """As ports.email_submissions has it."""
        is_canceled = await self.kept.cancel(account.account_id, submission_id, now=self.clock(), if_number=if_number)
        if is_canceled:
            log.info("submission canceled", trace=submission_id, account=account.login)
        return is_canceled

    async def _add(
        self,
        account: Account,
        made: EmailSubmission,
        mails: Sequence[OutgoingMail],
        *,
        now: Instant,
        if_number: int | None,
    ) -> None:
        own = [replace(mail, submission_id=made.head.submission_id) for mail in mails]
        await self.kept.add(account.account_id, made, own, now=now, most=MOST_KEPT, if_number=if_number)


def _recipient(each: Addressed, mail: Prepared) -> SubmittedRecipient:
    target = _target(each, mail)
    if target:
        return SubmittedRecipient(path=each.path, target=target, arrival=Arrival.QUEUED, reply=QUEUED)
    return SubmittedRecipient(path=each.path, target="", arrival=Arrival.UNKNOWN, reply=str(EXPANDED))


def _target(each: Addressed, mail: Prepared) -> str:
    """ "" where the queue has several for it, or none: those behind an address are nobody's business."""
    to = each.resolution
    if to.onward or to.lists or len(to.accounts) + len(to.external) != 1:
        return ""
    return to.external[0] if to.external else queued_name(to.accounts[0], mail.letter.paths)
