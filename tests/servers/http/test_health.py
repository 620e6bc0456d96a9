"""Probes, on either listener and under any name."""

import orjson
import pytest

from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving


@pytest.mark.parametrize("role", list(HttpRole))
@pytest.mark.parametrize("host", [b"mail.example.com", b"10.1.2.3:8080", b"nobody.example"])
async def test_a_probe_is_answered_whatever_the_host_is(role: HttpRole, host: bytes) -> None:
    async with serving(HttpWorld(), role) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert (reply.status, orjson.loads(reply.body)) == (200, {"status": "ok"})
        assert reply.headers["content-type"] == "application/json"
        await client.close()


async def test_ready_says_the_generation_to_this_machine() -> None:
    async with serving(HttpWorld(generation=7)) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /readyz HTTP/1.1\r\nHost: x.example\r\n\r\n")
        assert (reply.status, orjson.loads(reply.body)) == (200, {"status": "ready", "generation": 7})
        await client.close()
