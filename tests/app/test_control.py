"""Messages between processes, with sockets, however the bytes are cut."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from mailstack.app.control import Channel
from mailstack.app.messages import Applied, Commit, Job, Loaded, Message, Prepare, Prepared, Stop, decode, encode
from mailstack.app.sockets import Endpoint
from tests.support.running import DEADLINE_S

ENDPOINT = Endpoint(service="imap", host="127.0.0.1", port=143)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Channel, Channel]]:
    left, right = socket.socketpair()
    one, other = Channel(left), Channel(right)
    yield one, other
    one.close()
    other.close()


@pytest.mark.parametrize(
    "message",
    [
        Stop(grace_s=2.5),
        Prepared(number=3),
        Commit(number=3, closed=(ENDPOINT,)),
        Prepare(number=3, blueprint={"generation": 7}, opened=()),
        Loaded(storage={"folder": "/x"}, workers=0, endpoints=(ENDPOINT,), watch=["/y"], read_at_ns=5),
        Applied(blueprint={"generation": 7}, accounts={"alice@example.com": "pw"}),
        Job(spec="mail.yaml", sandbox={"state": "/s", "outbound": None}),
    ],
)
def test_a_message_survives_the_line(message: Message) -> None:
    assert decode(encode(message)) == message


async def test_messages_arrive_in_order_and_whole(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    large = Prepare(number=1, blueprint={"text": "x" * 2_000_000}, opened=())
    one.send(large)
    one.send(Commit(number=1, closed=()))
    assert [await other.receive(), await other.receive()] == [(large, ()), (Commit(number=1, closed=()), ())]


async def test_sockets_go_with_the_message_that_names_them(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one.send(Prepare(number=1, blueprint={"text": "x" * 300_000}, opened=()))
        one.send(Prepare(number=2, blueprint={}, opened=(ENDPOINT,)), (listener,))
        await other.receive()
        arrived = await other.receive()
        assert arrived is not None
        (received,) = arrived[1]
        with received:
            assert received.getsockname() == listener.getsockname()


async def test_the_end_of_one_side_is_told_to_the_other(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.send(Stop(grace_s=1))
    one.close()
    async with asyncio.timeout(DEADLINE_S):
        assert [await other.receive() for _ in range(3)] == [(Stop(grace_s=1), ()), None, None]
    other.send(Prepared(number=1))


async def test_writing_to_an_end_that_is_gone_does_nothing(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    other.close()
    one.send(Stop(grace_s=1))
    one.send(Stop(grace_s=1))
    assert await one.receive() is None
