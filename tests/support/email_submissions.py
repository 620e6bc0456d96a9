"""Submissions as tests of the store make them."""

from mailstack.model.delivery import OutgoingMail, Priority
from mailstack.model.email_submission import (
    Arrival,
    EmailSubmission,
    SubmissionHead,
    SubmittedRecipient,
    UndoStatus,
)
from mailstack.model.ids import MessageId, SubmissionId, ThreadId
from mailstack.model.instant import Instant
from tests.support.stores import raw_message


def submission(
    name: str,
    *paths: str,
    send_at: int = 5_000,
    undo_status: UndoStatus = UndoStatus.PENDING,
) -> EmailSubmission:
    return EmailSubmission(
        head=SubmissionHead(
            submission_id=SubmissionId(name),
            identity_id="Iabc",
            message_id=MessageId(7),
            thread_id=ThreadId(3),
            send_at=Instant(send_at),
            undo_status=undo_status,
        ),
        envelope="{}",
        recipients=tuple(
            SubmittedRecipient(path=path, target=path, arrival=Arrival.QUEUED, reply="250 2.1.5 queued")
            for path in paths or ("bob@x.example",)
        ),
    )


def mail_of(of: EmailSubmission) -> OutgoingMail:
    return OutgoingMail(
        reverse_path="alice@example.com",
        recipients=tuple(each.path for each in of.recipients),
        raw=raw_message(size_bytes=500),
        queued_at=of.head.send_at,
        is_8bit=False,
        smtp_utf8=False,
        trace_id=f"trace-{of.head.submission_id}",
        priority=Priority.SUBMISSION,
        submission_id=of.head.submission_id,
    )
