"""Probes, on either listener and under any name."""

import orjson
import pytest

from mailstack.model.errors import Damaged
from mailstack.model.ids import Generation
from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving
from tests.support.memory_state import MemoryState


@pytest.mark.parametrize("role", list(HttpRole))
@pytest.mark.parametrize("host", [b"mail.example.com", b"10.1.2.3:8080", b"nobody.example"])
async def test_a_probe_is_answered_whatever_the_host_is(role: HttpRole, host: bytes) -> None:
    async with serving(HttpWorld(), role) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert (reply.status, orjson.loads(reply.body)) == (200, {"status": "ok"})
        assert reply.headers["content-type"] == "application/json"


async def test_ready_says_the_generation_to_this_machine() -> None:
    async with serving(HttpWorld(generation=7)) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /readyz HTTP/1.1\r\nHost: x.example\r\n\r\n")
        assert (reply.status, orjson.loads(reply.body)) == (200, {"status": "ready", "generation": 7})


class BrokenState(MemoryState):
    async def generation(self) -> Generation:
        raise Damaged("system.db: malformed")


async def test_a_store_that_does_not_answer_is_not_ready_and_says_no_more() -> None:
    async with serving(HttpWorld(state=BrokenState())) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /readyz HTTP/1.1\r\nHost: x.example\r\n\r\n")
        assert (reply.status, orjson.loads(reply.body)) == (503, {"status": "unavailable"})
        assert (await client.ask(b"GET /healthz HTTP/1.1\r\nHost: x.example\r\n\r\n")).status == 200
