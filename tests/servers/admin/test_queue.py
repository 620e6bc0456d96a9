"""The queue, bans and keys as a person looks through them and decides."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.conduct import Ban
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.queue_entry import Status
from mailstack.model.resource import DkimKeyBody, Kind, Operation, Resource, ResourceChange, fields_of
from tests.support.admin_world import HOSTILE, USER, AdminWorld, admin_world, is_harmless
from tests.support.stores import outgoing_mail

ACTS = {
    "/admin/queue/act": {"act": "drop", "item": "1"},
    "/admin/bans/lift": {"peer": "192.0.2.1"},
}


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


async def test_what_is_ticked_is_held_released_and_dropped(world: AdminWorld) -> None:
    first, second = await enqueue(world, "bob@x.example", "carol@x.example")
    reply = await world.post("/admin/queue/act", {"act": "hold", "item": [first]})
    assert (reply.status_code, reply.headers["location"]) == (303, "/admin/queue")
    assert await statuses(world) == [Status.HELD, Status.WAITING]
    await world.post("/admin/queue/act", {"act": "release", "item": [first]})
    assert await statuses(world) == [Status.WAITING, Status.WAITING]
    await world.post("/admin/queue/act", {"act": "retry", "item": [second]})
    assert await world.store.queue.next_due() == world.clock()
    await world.post("/admin/queue/act", {"act": "drop", "item": [first, second]})
    assert await statuses(world) == []
    assert {note.by for note in await world.store.hand_notes.take(limit=10)} == {"u0@peer.test"}
    assert (await world.post("/admin/queue/act", {"act": "burn", "item": [first]})).status_code == 400


async def test_a_ban_is_lifted(world: AdminWorld) -> None:
    now = world.clock()
    await world.store.bans.put(Ban(peer="192.0.2.1", reason=HOSTILE, since=now, until=Instant(now + HOUR_MS), times=1))
    reply = await world.get("/admin/bans")
    assert "192.0.2.1" in reply.text
    assert is_harmless(reply)
    assert (await world.post("/admin/bans/lift", {"peer": "192.0.2.1"})).status_code == 303
    assert "Nobody is banned." in (await world.get("/admin/bans")).text
    assert (await world.post("/admin/bans/lift", {})).status_code == 303


async def test_keys(world: AdminWorld) -> None:
    body = DkimKeyBody(domain=HOSTILE, selector=HOSTILE, algorithm=HOSTILE, public_key="x", origin=HOSTILE)
    key = Resource(kind=Kind.DKIM_KEY, name="s._domainkey.a.example", fields=fields_of(body))
    state = world.store.state
    change = ResourceChange(operation=Operation.CREATE, resource=key, secrets={"private_key": "open sesame"})
    await state.commit([change], base=await state.generation(), spec_hash="")
    reply = await world.get("/admin/keys")
    assert is_harmless(reply)
    assert "open sesame" not in reply.text


@pytest.mark.parametrize("path", ACTS)
async def test_only_administrators_act_and_only_from_here(world: AdminWorld, path: str) -> None:
    await enqueue(world, "bob@x.example")
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await world.post(path, ACTS[path], headers=foreign)).status_code == 403
    assert (await world.post(path, ACTS[path], cookie=await world.cookie(USER))).status_code == 401
    assert (await world.post(path, ACTS[path], cookie="")).status_code == 401
    assert len(await world.store.queue.items()) == 1
