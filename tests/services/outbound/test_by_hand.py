"""Mail that a person gives up."""

from mailstack.model.delivery import OutgoingMail, QueueState
from mailstack.model.errors import Damaged
from mailstack.model.hand_note import HandAction, HandNote
from mailstack.model.ids import MailId
from mailstack.model.instant import Instant
from mailstack.services.outbound.by_hand import Hand, Returned, drop, give_back
from tests.support.hand_notes import MemoryHandNotes
from tests.support.outbound_world import OutboundWorld
from tests.support.quota import quota

RAW = b"From: alice@example.com\r\nSubject: hi\r\n\r\nbody\r\n"


async def enqueue(world: OutboundWorld, *recipients: str, state: QueueState = QueueState.WAITING) -> MailId:
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=recipients,
        raw=RAW,
        queued_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t1",
    )
    (mail_id,) = await world.queue.enqueue([mail], next_at=world.clock.now, state=state)
    return mail_id


async def give_all_back(world: OutboundWorld) -> Returned:
    item_ids = [item.item_id for item in await world.queue.items()]
    return await give_back(hand(world), world.service(), item_ids, owner="me")


def hand(world: OutboundWorld, notes: MemoryHandNotes | None = None) -> Hand:
    return Hand(queue=world.queue, notes=notes or MemoryHandNotes(), by="root", clock=world.clock)


async def test_the_sender_has_a_notice_of_each_recipient_that_waits_or_is_held(world: OutboundWorld) -> None:
    await enqueue(world, "bob@them.test")
    await enqueue(world, "eve@them.test", state=QueueState.HELD)
    assert await give_all_back(world) == Returned(items=2, notices=2)
    items = await world.queue.items()
    assert {(item.reverse_path, item.recipient) for item in items} == {("", "alice@example.com")}
    told = b"".join([await world.queue.content(item.mail_id) for item in items])
    assert told.count(b"Status: 5.3.0") == 2
    assert b"bob@them.test" in told
    assert b"eve@them.test" in told


async def test_what_is_being_attempted_is_not_given_up(world: OutboundWorld) -> None:
    await enqueue(world, "bob@them.test")
    now = world.clock.now
    await world.queue.lease("runner", now=now, until=Instant(now + 1), quota=quota(1))
    assert await give_all_back(world) == Returned()


async def test_of_a_damaged_mail_its_sender_hears_all_the_same(world: OutboundWorld) -> None:
    damaged = await enqueue(world, "bob@them.test")
    world.queue.faults[damaged] = Damaged("bits")
    assert await give_all_back(world) == Returned(items=1, notices=1)


async def test_what_a_person_did_is_noted_of_what_left_and_of_nothing_else(world: OutboundWorld) -> None:
    notes = MemoryHandNotes()
    mail_id = await enqueue(world, "bob@them.test", "eve@them.test", "pat@them.test")
    now = world.clock.now
    (leased,) = await world.queue.lease("runner", now=now, until=Instant(now + 1), quota=quota(1))
    left = [item.item_id for item in await world.queue.items() if item != leased]
    assert await drop(hand(world, notes), [left[0], leased.item_id]) == 1
    given_up = await give_back(hand(world, notes), world.service(), [*left, leased.item_id], owner="me")
    assert given_up == Returned(items=1, notices=1)
    assert [(note.item_id, note.action) for note in notes.held] == [
        (left[0], HandAction.DROPPED),
        (left[1], HandAction.GIVEN_UP),
    ]
    assert notes.held[0] == HandNote(
        item_id=left[0],
        mail_id=mail_id,
        trace_id="t1",
        reverse_path="alice@example.com",
        recipient=notes.held[0].recipient,
        action=HandAction.DROPPED,
        by="root",
        at=now,
    )
