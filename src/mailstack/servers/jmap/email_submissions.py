"""Submissions as JSON. RFC 8621 §7."""

from typing import Any

import orjson

from mailstack.model.email_submission import EmailSubmission, SubmittedRecipient, UndoStatus
from mailstack.model.ids import AccountId, EmailId
from mailstack.model.instant import iso
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.objectid import email_object_id, thread_object_id
from mailstack.servers.jmap.method import Call
from mailstack.wire.jmap.states import write_object_state

PROPERTIES = (
    "id",
    "identityId",
    "emailId",
    "threadId",
    "envelope",
    "sendAt",
    "undoStatus",
    "deliveryStatus",
    "dsnBlobIds",
    "mdnBlobIds",
)


def submission_object(account_id: AccountId, submission: EmailSubmission) -> dict[str, Any]:
    """With all PROPERTIES."""
    head = submission.head
    return {
        "id": head.submission_id,
        "identityId": head.identity_id,
        "emailId": email_object_id(account_id, EmailId(head.message_id)),
        "threadId": thread_object_id(account_id, head.thread_id),
        "envelope": orjson.loads(submission.envelope),
        "sendAt": iso(head.send_at),
        "undoStatus": head.undo_status,
        # RFC 8621 §7: null where it is not known, as of what went nowhere.
        "deliveryStatus": None
        if head.undo_status is UndoStatus.CANCELED
        else {each.path: _status(each) for each in submission.recipients},
        # Notices come to the account's mailboxes as other mail, and are not matched with what they are about.
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }


def submission_state(number: int) -> str:
    return write_object_state(JournalPoint(number))


async def submission_number(call: Call, account_id: AccountId) -> int:
    return await call.service.object_journal.number(account_id, ObjectKind.SUBMISSION)


def _status(recipient: SubmittedRecipient) -> dict[str, str]:
    return {"smtpReply": recipient.reply, "delivered": recipient.arrival, "displayed": "unknown"}
