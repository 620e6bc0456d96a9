"""What people did to the queue, in the server's log."""

from collections.abc import Sequence

from structlog.testing import capture_logs

from mailstack.app.hand_notes import HandNoteTeller
from mailstack.model.errors import TryAgainLater
from mailstack.model.hand_note import HandNote
from tests.support.hand_notes import MemoryHandNotes, hand_note
from tests.support.recording_bus import RecordingBus
from tests.support.wakes import eventually


async def test_what_was_done_before_and_what_is_done_now_is_told_once() -> None:
    notes, bus = MemoryHandNotes(), RecordingBus()
    await notes.add([hand_note(1)])
    with capture_logs() as logs:
        teller = HandNoteTeller(notes, bus)
        await eventually(lambda: len(logs) == 1)
        await notes.add([hand_note(number) for number in range(2, 300)])
        bus.publish("hand")
        await eventually(lambda: len(logs) == 299)
        await teller.end()
    assert logs[0] == {
        "event": "dropped by hand",
        "log_level": "info",
        "trace": "trace 1",
        "mail": 2,
        "sender": "",
        "recipient": "ä1@x.example",
        "by": "root",
        "done_at": "2023-11-14T22:13:20Z",
    }
    assert notes.held == []


async def test_a_store_that_is_away_is_asked_again() -> None:
    notes, bus = Away(), RecordingBus()
    await notes.add([hand_note(1)])
    with capture_logs() as logs:
        teller = HandNoteTeller(notes, bus)
        await eventually(lambda: len(logs) == 1)
        notes.is_away = False
        bus.publish("hand")
        await eventually(lambda: len(logs) == 2)
        await teller.end()
    assert [line["event"] for line in logs] == ["what people did to the queue is not read", "dropped by hand"]


class Away(MemoryHandNotes):
    is_away = True

    async def take(self, *, limit: int) -> Sequence[HandNote]:
        if self.is_away:
            raise TryAgainLater("locked")
        return await super().take(limit=limit)
