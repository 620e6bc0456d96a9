"""The figures' own listener: they and the probes are there, nothing else, and not for the open internet."""

import asyncio

import pytest

from mailstack.model.errors import Damaged
from mailstack.model.ids import Generation
from mailstack.net.admission import Admission
from mailstack.net.connections import Connections
from mailstack.servers.http.health import LIVE_PATHS, READY_PATHS
from mailstack.servers.http.server import HttpServer
from mailstack.servers.http.service import HttpRole
from tests.support.http_wire import TURNS, KeptTransport
from tests.support.http_world import FIGURES, HttpWorld, Reply, serving
from tests.support.memory_state import MemoryState


async def asked(world: HttpWorld, path: str, accept: str = "text/plain") -> Reply:
    client = await world.connect()
    return await client.ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n\r\n".encode())


async def test_the_figures_come_in_the_form_that_is_accepted() -> None:
    async with serving(HttpWorld(), HttpRole.METRICS) as world:
        reply = await asked(world, "/metrics", "application/openmetrics-text")
        assert (reply.status, reply.body) == (200, FIGURES)
        assert reply.headers["content-type"] == "application/openmetrics-text"


@pytest.mark.parametrize("role", [HttpRole.PLAIN, HttpRole.SECURE])
async def test_no_other_listener_has_them(role: HttpRole) -> None:
    async with serving(HttpWorld(), role) as world:
        reply = await asked(world, "/metrics")
        assert (reply.status, FIGURES in reply.body) == (404 if role is HttpRole.SECURE else 308, False)


@pytest.mark.parametrize("path", ["/", "/told", "/mail", "/admin", "/jmap/session", "/metrics/", "/.well-known/jmap"])
async def test_their_listener_has_nothing_else(path: str) -> None:
    async with serving(HttpWorld(), HttpRole.METRICS) as world:
        assert (await asked(world, path)).status == 404


class BrokenState(MemoryState):
    async def generation(self) -> Generation:
        raise Damaged("system.db: malformed")


@pytest.mark.parametrize("path", [*LIVE_PATHS, *READY_PATHS])
async def test_probes_are_answered_by_all_their_names(path: str) -> None:
    async with serving(HttpWorld(), HttpRole.METRICS) as world:
        assert (await asked(world, path)).status == 200
    async with serving(HttpWorld(state=BrokenState()), HttpRole.METRICS) as world:
        assert (await asked(world, path)).status == (503 if path in READY_PATHS else 200)


@pytest.mark.parametrize(
    ("peer", "status"),
    [("127.0.0.1", 200), ("10.0.0.7", 200), ("100.64.1.1", 200), ("fd00::7", 200), ("8.8.8.8", 403), ("2600::1", 403)],
)
async def test_whoever_asks_from_the_open_internet_is_sent_away(peer: str, status: int) -> None:
    world = HttpWorld()
    server = HttpServer(world.service, Connections(), Admission(), Admission())
    protocol = server.protocol(HttpRole.METRICS)()
    transport = KeptTransport(protocol, peer)
    protocol.connection_made(transport)
    protocol.data_received(b"GET /metrics HTTP/1.1\r\nHost: x.example\r\n\r\n")
    for _ in range(TURNS):
        await asyncio.sleep(0)
    transport.close()
    await asyncio.sleep(0)
    assert transport.written.startswith(b"HTTP/1.1 %d " % status)
    assert (FIGURES in transport.written) is (status == 200)


async def test_others_from_the_same_address_keep_no_watcher_out() -> None:
    world = HttpWorld()
    world.limit(connections_per_ip=1)
    async with serving(world, HttpRole.METRICS):
        held = world.admission.admit("127.0.0.1", limit=1, part=lambda: None)
        assert held is not None
        assert (await asked(world, "/metrics")).status == 200
