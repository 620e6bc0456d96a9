"""ports.hand_notes on every engine."""

import asyncio

from mailstack.ports.store import Store
from tests.support.hand_notes import hand_note

NOTES = [hand_note(number) for number in range(1, 6)]


async def test_the_oldest_are_taken_once(store: Store) -> None:
    await store.hand_notes.add(NOTES[2:])
    await store.hand_notes.add(NOTES[:2])
    assert await store.hand_notes.take(limit=3) == NOTES[:3]
    assert await store.hand_notes.take(limit=3) == NOTES[3:]
    assert await store.hand_notes.take(limit=3) == []


async def test_of_many_who_take_each_note_has_one(store: Store) -> None:
    await store.hand_notes.add(NOTES)
    taken = await asyncio.gather(*(store.hand_notes.take(limit=2) for _ in range(5)))
    assert sorted((note for part in taken for note in part), key=lambda note: note.item_id) == NOTES
