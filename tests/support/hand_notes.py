"""What people did to the queue, made up and in memory."""

from collections.abc import Sequence

from mailstack.model.hand_note import HandAction, HandNote
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant


def hand_note(number: int) -> HandNote:
    return HandNote(
        item_id=QueueItemId(number),
        mail_id=MailId(number + 1),
        trace_id=f"trace {number}",
        reverse_path="",
        recipient=f"ä{number}@x.example",
        action=HandAction.DROPPED,
        by="root",
        at=Instant(1_700_000_000_000),
    )


class MemoryHandNotes:
    """Works as ports.hand_notes.HandNotes."""

    def __init__(self) -> None:
        self.held: list[HandNote] = []

    async def add(self, notes: Sequence[HandNote]) -> None:
        self.held += notes

    async def take(self, *, limit: int) -> Sequence[HandNote]:
        taken, self.held = self.held[:limit], self.held[limit:]
        return taken
