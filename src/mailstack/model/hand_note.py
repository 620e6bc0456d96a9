"""What a person has done to mail in the queue that left it by that, for the log of the server."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant


class HandAction(StrEnum):
    DROPPED = "dropped by hand"
    GIVEN_UP = "given up by hand"  # and its sender told, where a notice may be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class HandNote:
    """Of one recipient, as it was in the queue. by: the person's name on the machine. at: when it left."""

    item_id: QueueItemId
    mail_id: MailId
    trace_id: str
    reverse_path: str
    recipient: str
    action: HandAction
    by: str
    at: Instant
