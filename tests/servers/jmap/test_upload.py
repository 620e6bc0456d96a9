"""Uploads over HTTP: what comes is there again, bounded, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, parse_rights
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import API_PATH
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with

LARGE = bytes(range(256)) * 3_000


async def path_to(world: JmapWorld, name: str = "u0") -> str:
    return f"/jmap/upload/{(await world.account(name)).account_id}"


@pytest.mark.parametrize("content", [b"", b"x", LARGE])
async def test_what_was_sent_is_there_again(world: JmapWorld, content: bytes) -> None:
    path = await path_to(world)
    reply = await world.ask("POST", path, content=content, headers={"Content-Type": "image/png; x=y"})
    assert reply.status_code == 201
    found = reply.json()
    own = await world.account("u0")
    assert found == {
        "accountId": own.account_id,
        "blobId": found["blobId"],
        "type": "image/png; x=y",
        "size": len(content),
    }
    again = await world.ask("GET", f"/jmap/download/{own.account_id}/{found['blobId']}/x?accept=image/png")
    assert (again.status_code, again.content) == (200, content)
    assert (await world.ask("POST", path, content=content)).json()["blobId"] == found["blobId"]


async def test_others_do_not_get_it(world: JmapWorld) -> None:
    owner, viewer = await world.account("u0"), await world.account("u1")
    sent = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT)
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights("lri"))
    await world.imap.store.sharing.change(owner.account_id, sent, grant)
    reply = await world.ask("POST", await path_to(world), content=b"mine")
    path = f"/jmap/download/{owner.account_id}/{reply.json()['blobId']}/x"
    assert (await world.ask("GET", path)).status_code == 200
    assert (await world.ask("GET", path, login=f"u1@{DOMAIN}")).status_code == 404
    # Where somebody shares mail, one may upload for that, and has it there.
    shared = await world.ask("POST", await path_to(world), content=b"ours", login=f"u1@{DOMAIN}")
    path = f"/jmap/download/{owner.account_id}/{shared.json()['blobId']}/x"
    assert (await world.ask("GET", path, login=f"u1@{DOMAIN}")).content == b"ours"
    assert (await world.ask("GET", path)).status_code == 404


async def test_to_nobody_elses_account(world: JmapWorld) -> None:
    for path in (await path_to(world, "u1"), "/jmap/upload/nobody"):
        assert (await world.ask("POST", path, content=b"x")).status_code == 404
    assert (await world.ask("POST", await path_to(world), content=b"x", password="wrong")).status_code == 401


async def test_too_much(world: JmapWorld) -> None:
    limits = JmapLimits(upload_octets=1_000, uploads_octets=1_500)
    small = replace(world, service=replace(world.service, limits=limits))
    path = await path_to(world)
    reply = await small.ask("POST", path, content=b"x" * 1_001)
    assert (reply.status_code, reply.json()["limit"]) == (413, "maxSizeUpload")
    assert (await small.ask("POST", path, content=b"x" * 1_000)).status_code == 201
    assert (await small.ask("POST", path, content=b"y" * 1_000)).status_code == 507


async def test_an_upload_that_stops_half_way_leaves_nothing_and_its_place(world: JmapWorld) -> None:
    few = replace(world, service=replace(world.service, limits=JmapLimits(concurrent_upload=1)))
    path, held = await path_to(world), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        held.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(few.ask("POST", path, content=slow()))
    await held.wait()
    reply = await few.ask("POST", path, content=b"x")
    assert (reply.status_code, reply.json()["limit"]) == (400, "maxConcurrentUpload")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await few.ask("POST", path, content=b"half")).status_code == 201


async def test_what_says_that_it_is_too_much_is_refused_before_it_comes(world: JmapWorld) -> None:
    async def nothing_comes() -> AsyncIterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    small = replace(world, service=replace(world.service, limits=JmapLimits(upload_octets=1_000, request_octets=1_000)))
    headers = {"Content-Length": "1001"}
    reply = await small.ask("POST", await path_to(world), content=nothing_comes(), headers=headers)
    assert (reply.status_code, reply.json()["limit"]) == (413, "maxSizeUpload")
    reply = await small.ask("POST", API_PATH, content=nothing_comes(), headers=headers)
    assert (reply.status_code, reply.json()["limit"]) == (400, "maxSizeRequest")
