"""The queue as a person looks through it and decides; and keys."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.delivery import Deferred, Settlement, SmtpReply
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.queue_entry import Status
from mailstack.model.resource import DkimKeyBody, Kind, Operation, Resource, ResourceChange, fields_of
from mailstack.servers.admin.queue import MOST_SHOWN
from tests.support.admin_world import ADMIN, HOSTILE, USER, AdminWorld, admin_world, is_harmless
from tests.support.stores import outgoing_mail

ACT = "/admin/queue/act"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


async def enqueue(world: AdminWorld, *recipients: str, sender: str = "alice@example.com") -> list[str]:
    """Their numbers, as a form has them. Due in an hour."""
    mail = replace(outgoing_mail(), recipients=recipients, reverse_path=sender, queued_at=world.clock())
    await world.store.queue.enqueue([mail], next_at=Instant(world.clock() + HOUR_MS))
    return [str(item.item_id) for item in await world.store.queue.items()]


async def statuses(world: AdminWorld) -> list[Status]:
    return [entry.status for entry in await world.store.queue.page(after=QueueItemId(0), now=world.clock(), limit=9)]


async def test_what_waits_is_looked_through(world: AdminWorld) -> None:
    await enqueue(world, "bob@x.example", f'"{HOSTILE}"@y.example', sender=f'"{HOSTILE}"@z.example')
    reply = await world.get("/admin/queue")
    assert "bob@x.example" in reply.text
    assert is_harmless(reply)
    reply = await world.get("/admin/queue?domain=x.*")
    assert reply.text.count('name="item"') == 1
    assert is_harmless(await world.get('/admin/queue?sender="><script>top.canary=1</script>'))
    assert "Nothing fits." in (await world.get("/admin/queue?recipient=nobody@*")).text


async def test_one_recipient_is_looked_at(world: AdminWorld) -> None:
    bob, other = await enqueue(world, "bob@x.example", f'"{HOSTILE}"@y.example')
    assert "bob@x.example" in (await world.get(f"/admin/queue/item?id={bob}")).text
    assert is_harmless(await world.get(f"/admin/queue/item?id={other}"))
    found = [(await world.get(f"/admin/queue/item?id={number}")).status_code for number in ("99", "0", "-1", "x", "")]
    assert found == [404, 404, 400, 400, 400]


async def test_what_is_ticked_is_held_released_and_tried(world: AdminWorld) -> None:
    first, second = await enqueue(world, "bob@x.example", "carol@x.example")
    reply = await world.post(ACT, {"act": "hold", "item": [first]})
    assert (reply.status_code, reply.headers["location"]) == (303, "/admin/queue?told=hold&done=1")
    assert await statuses(world) == [Status.HELD, Status.WAITING]
    reply = await world.post(ACT, {"act": "release", "item": [first, second]})
    assert reply.headers["location"] == "/admin/queue?told=release&done=1&left=1"
    assert await statuses(world) == [Status.WAITING, Status.WAITING]
    await world.post(ACT, {"act": "retry", "item": [second]})
    assert await world.store.queue.next_due() == world.clock()
    assert (await world.post(ACT, {"act": "burn", "item": [first]})).status_code == 400
    assert (await world.post(ACT, {"act": "hold", "item": ["x"]})).status_code == 400
    assert (await world.post(ACT, {"act": "hold"})).headers["location"] == "/admin/queue?told=none"


async def test_what_is_dropped_is_asked_once_more(world: AdminWorld) -> None:
    first, second = await enqueue(world, "bob@x.example", f'"{HOSTILE}"@y.example')
    asked = await world.post(ACT, {"act": "drop", "item": [first, second]})
    assert (asked.status_code, "Remove 2 recipients and tell nobody?" in asked.text) == (200, True)
    assert is_harmless(asked)
    assert await statuses(world) == [Status.WAITING, Status.WAITING]
    done = await world.post(ACT, {"act": "drop", "item": [first, second], "confirmed": "yes"})
    assert done.headers["location"] == "/admin/queue?told=drop&done=2"
    assert await statuses(world) == []
    assert {note.by for note in await world.store.hand_notes.take(limit=10)} == {ADMIN}


async def test_senders_of_what_is_given_up_hear_of_it(world: AdminWorld) -> None:
    (number,) = await enqueue(world, "bob@x.example")
    assert "Give up 1 recipient and tell the sender?" in (await world.post(ACT, {"act": "bounce", "item": number})).text
    done = await world.post(ACT, {"act": "bounce", "item": number, "confirmed": "yes"})
    assert done.headers["location"] == "/admin/queue?told=bounce&done=1&notices=1"
    (notice,) = await world.store.queue.items()
    assert (notice.recipient, notice.reverse_path) == ("alice@example.com", "")
    told = await world.get(done.headers["location"])
    assert "1 recipient given up. 1 notice to senders queued." in told.text


async def test_what_is_being_sent_is_left_alone(world: AdminWorld) -> None:
    (number,) = await enqueue(world, "bob@x.example")
    now = world.clock()
    await world.store.queue.take("one", [QueueItemId(int(number))], now=now, until=Instant(now + HOUR_MS))
    done = await world.post(ACT, {"act": "drop", "item": number, "confirmed": "yes"})
    assert done.headers["location"] == "/admin/queue?told=drop&left=1"
    assert "0 recipients dropped. 1 recipient left as before" in (await world.get(done.headers["location"])).text
    assert await statuses(world) == [Status.SENDING]


async def test_all_that_fit_are_meant_by_what_is_looked_for(world: AdminWorld) -> None:
    await enqueue(world, *(f"b{number}@x.example" for number in range(MOST_SHOWN + 1)), "carol@y.example")
    asked = await world.post(ACT, {"act": "hold", "all": "yes", "domain": "x.*"})
    assert f"Hold {MOST_SHOWN + 1} recipients?" in asked.text
    assert "carol@y.example" not in asked.text
    done = await world.post(ACT, {"act": "hold", "all": "yes", "domain": "x.*", "confirmed": "yes"})
    assert done.headers["location"] == f"/admin/queue?domain=x.%2A&told=hold&done={MOST_SHOWN + 1}"
    assert "carol@y.example" in (await world.get("/admin/queue?status=waiting")).text
    assert "Nothing fits." in (await world.get("/admin/queue?status=sending")).text
    assert (await world.get("/admin/queue?status=lost")).status_code == 400


async def test_a_long_queue_is_looked_through_in_parts(world: AdminWorld) -> None:
    numbers = await enqueue(world, *(f"b{number}@x.example" for number in range(MOST_SHOWN + 1)))
    first = await world.get("/admin/queue")
    assert first.text.count('name="item"') == MOST_SHOWN
    assert f'<a href="/admin/queue?after={numbers[-2]}">' in first.text
    last = await world.get(f"/admin/queue?after={numbers[-2]}")
    assert last.text.count('name="item"') == 1
    assert "Those that came later" not in last.text
    assert "From the oldest on" in last.text


async def test_destinations_that_are_held_back_say_why(world: AdminWorld) -> None:
    await enqueue(world, "bob@x.example")
    now, until = world.clock(), Instant(world.clock() + 2 * HOUR_MS)
    (item,) = await world.store.queue.take("one", [QueueItemId(1)], now=now, until=until)
    reply = SmtpReply(code=451, status="4.7.0", text=f"left alone {HOSTILE}")
    held_back = Deferred(reply=reply, host="", until=until, waits_for="mx.x.example")
    settlement = Settlement(item_id=item.item_id, outcome=held_back, next_at=until)
    await world.store.queue.settle("one", [settlement])
    slowed = {"connections": 2, "most": 8, "until": None, "why": HOSTILE}
    world.running = {"slowed": [{"destination": name, **slowed} for name in ("mx.x.example", HOSTILE)]}
    reply_page = await world.get("/admin/queue")
    assert is_harmless(reply_page)
    assert '<th scope="row">mx.x.example</th>' in reply_page.text
    assert reply_page.text.count("2 of 8") == 2


@pytest.mark.parametrize(
    "query",
    ["told=<script>top.canary=1</script>", "told=drop&done=-1", "told=drop&done=99999999999", "told=drop&done=x"],
)
async def test_a_link_cannot_say_what_it_wants(world: AdminWorld, query: str) -> None:
    reply = await world.get(f"/admin/queue?{query}")
    assert is_harmless(reply)
    assert ("0 recipients dropped." in reply.text) == query.startswith("told=drop")


async def test_keys(world: AdminWorld) -> None:
    body = DkimKeyBody(domain=HOSTILE, selector=HOSTILE, algorithm=HOSTILE, public_key="x", origin=HOSTILE)
    key = Resource(kind=Kind.DKIM_KEY, name="s._domainkey.a.example", fields=fields_of(body))
    state = world.store.state
    change = ResourceChange(operation=Operation.CREATE, resource=key, secrets={"private_key": "open sesame"})
    await state.commit([change], base=await state.generation(), spec_hash="")
    reply = await world.get("/admin/keys")
    assert is_harmless(reply)
    assert "open sesame" not in reply.text


async def test_only_administrators_act_and_only_from_here(world: AdminWorld) -> None:
    await enqueue(world, "bob@x.example")
    form = {"act": "drop", "item": "1", "confirmed": "yes"}
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await world.post(ACT, form, headers=foreign)).status_code == 403
    assert (await world.post(ACT, form, cookie=await world.cookie(USER))).status_code == 401
    assert (await world.post(ACT, form, cookie="")).status_code == 401
    assert len(await world.store.queue.items()) == 1
