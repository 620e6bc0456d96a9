"""What waited in a queue that knew of no priorities."""

from pathlib import Path

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant
from mailstack.store.sqlite import schema_system
from mailstack.store.sqlite.databases import open_migrated
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.quota import quota
from tests.support.recording_bus import RecordingBus

ADD_MAIL = """INSERT INTO mail (mail_id, reverse_path, is_8bit, smtp_utf8, trace_id, queued_at, size_bytes, blob_id)
    VALUES (?, ?, 0, 0, '', 0, 0, x'')"""
ADD_RECIPIENT = """INSERT INTO mail_recipient (mail_id, recipient, state, next_at, due_at)
    VALUES (?, 'b@x.example', 'waiting', 1, 1)"""


async def test_what_waited_before_there_were_priorities_has_one(tmp_path: Path) -> None:
    older = open_migrated(tmp_path / "system.db", schema_system.MIGRATIONS[:3], page_size=schema_system.PAGE_SIZE)
    for number, path in enumerate(("", "a@x.example")):
        older.run(ADD_MAIL, (number, path))
        older.run(ADD_RECIPIENT, (number,))
    older.close()
    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    items = await store.queue.lease("one", now=Instant(1), until=Instant(2), quota=quota(10))
    await store.close()
    found = {item.reverse_path: item.priority for item in items}
    assert found == {"": Priority.BOUNCE, "a@x.example": Priority.SUBMISSION}
