"""Puts into the server's log what people have done to the queue beside it. Whichever worker comes first tells it.

Woken by whoever did it; a wake-up that was lost is made good by a look now and then, and what was done while no server
ran is told by the next one.
"""

import structlog

from mailstack.app.woken import Woken
from mailstack.model.hand_note import HandNote
from mailstack.model.instant import iso
from mailstack.ports.bus import HAND_TOPIC, Bus
from mailstack.ports.hand_notes import HandNotes

log = structlog.get_logger()

LOOK_EVERY_S = 60.0
AT_ONCE = 100


class HandNoteTeller:
    """Begins at once, ends when cancelled by `end`."""

    def __init__(self, notes: HandNotes, bus: Bus) -> None:
        self._notes = notes
        self._woken = Woken(
            self._tell_all,
            bus=bus,
            topic=HAND_TOPIC,
            every_s=LOOK_EVERY_S,
            failing="what people did to the queue is not read",
        )

    async def end(self) -> None:
        await self._woken.end()

    async def _tell_all(self) -> None:
        while found := await self._notes.take(limit=AT_ONCE):
            for note in found:
                _tell(note)


def _tell(note: HandNote) -> None:
    log.info(
        note.action.value,
        trace=note.trace_id,
        mail=note.mail_id,
        sender=note.reverse_path,
        recipient=note.recipient,
        by=note.by,
        done_at=iso(note.at),
    )
