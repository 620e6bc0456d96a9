"""Events by NATS: what comes and goes with its server. What every bus does is tests/contract/test_bus.py's."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from mailstack.store import bus_far, bus_nats
from mailstack.store.bus_far import FarBus
from mailstack.store.bus_nats import NatsLine, NatsServers, nats_bus
from tests.support.nats import NatsServer, running_nats
from tests.support.wakes import TIMEOUT_S, Wakes, eventually, reach


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with running_nats(tmp_path) as running:
        yield running


def servers_at(url: str) -> NatsServers:
    return NatsServers(urls=(url,), prefix="mailstack.test")


@asynccontextmanager
async def started(*buses: FarBus) -> AsyncIterator[None]:
    for bus in buses:
        await bus.start()
    yield
    for bus in buses:
        await bus.close()


async def test_a_server_that_was_killed_and_is_back_is_found_again(server: NatsServer) -> None:
    one, two = (nats_bus(servers_at(server.url), node=name) for name in ("one", "two"))
    async with started(one, two):
        woken, here = Wakes(), Wakes()
        two.watch("account/1", woken)
        await reach(one, "account/1", woken)
        server.kill()
        await eventually(lambda: not (one.is_open or two.is_open))
        woken.count = 0
        one.watch("account/1", here)
        one.publish("account/1")
        await here.wait()  # this process needs no server to hear of itself
        server.start()
        await reach(one, "account/1", woken)


async def test_a_start_and_an_end_without_a_server_wait_for_nobody(tmp_path: Path) -> None:
    unheard = NatsServer(tmp_path)
    bus = nats_bus(servers_at(unheard.url), node="one")
    began = time.monotonic()
    await bus.start()
    bus.publish("queue")
    await bus.close()
    assert time.monotonic() - began < TIMEOUT_S


class DeafClient:
    """As nats-py where it swallows a cancellation: whoever cancels it waits for an end that does not come."""

    def __init__(self) -> None:
        self.is_closing = asyncio.Event()

    async def close(self) -> None:
        self.is_closing.set()
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


async def test_a_library_that_does_not_let_go_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    line, client = NatsLine(servers_at("nats://127.0.0.1:1"), node="one", hear=lambda _: None), DeafClient()
    monkeypatch.setattr(line, "_client", client)
    ending = asyncio.create_task(line.close())
    await client.is_closing.wait()
    ending.cancel()
    async with asyncio.timeout(TIMEOUT_S):
        with pytest.raises(asyncio.CancelledError):
            await ending
    monkeypatch.setattr(bus_nats, "CLOSE_S", 0.05)
    async with asyncio.timeout(TIMEOUT_S):
        await line.close()
    await _let_go()


async def _let_go() -> None:
    """Of what the library still has in hand."""
    own = asyncio.current_task()
    while left := [task for task in asyncio.all_tasks() if task is not own]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.1)


async def test_a_server_that_comes_later_is_found(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    one, two = (nats_bus(servers_at(server.url), node=name) for name in ("one", "two"))
    async with started(one, two):
        woken = Wakes()
        two.watch("queue", woken)
        server.start()
        try:
            await reach(one, "queue", woken)
        finally:
            server.kill()


async def test_memory_a_storm_while_the_server_is_gone_is_bounded(tmp_path: Path) -> None:
    bus = nats_bus(servers_at(NatsServer(tmp_path).url), node="one")
    async with started(bus):
        for moment in range(20):
            for number in range(bus_far.MAX_WAITING):
                bus.publish(f"account/{moment}/{number}")
            await asyncio.sleep(0)
        assert len(bus._outgoing) == bus_far.MAX_WAITING
        for number in range(2 * bus_far.MAX_WAITING):
            bus.publish(f"account/{number}")
        assert len(bus._published) == bus_far.MAX_WAITING


async def test_processes_of_one_node_are_not_woken_by_way_of_the_server(server: NatsServer) -> None:
    one, same, other = (nats_bus(servers_at(server.url), node=name) for name in ("one", "one", "other"))
    async with started(one, same, other):
        not_woken, woken = Wakes(), Wakes()
        same.watch("queue", not_woken)
        other.watch("queue", woken)
        await reach(one, "queue", woken)
        heard = Wakes()
        same.watch("account/1", heard)
        await reach(other, "account/1", heard)
        assert not_woken.count == 0


async def test_two_installations_on_one_server_are_strangers(server: NatsServer) -> None:
    ours = servers_at(server.url)
    theirs = replace(ours, prefix="mailstack.other")
    one, two, strangers = (nats_bus(those, node=name) for those, name in ((ours, "1"), (ours, "2"), (theirs, "3")))
    async with started(one, two, strangers):
        woken, strange = Wakes(), Wakes()
        two.watch("queue", woken)
        strangers.watch("queue", strange)
        await eventually(lambda: "queue" in strangers._listening)
        await reach(one, "queue", woken)
        assert strange.count == 0


async def test_a_topic_that_nobody_watches_any_more_is_not_listened_to_for_good(server: NatsServer) -> None:
    patient = nats_bus(servers_at(server.url), node="one")
    one = FarBus("NATS", patient._make_line, linger_s=0.05)
    async with started(one):
        end = one.watch("account/1", Wakes())
        one.watch("queue", Wakes())
        await eventually(lambda: one._listening == {"account/1", "queue"})
        end()
        await eventually(lambda: one._listening == {"queue"})


async def test_a_login_is_shown_to_the_server_and_to_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_nats(tmp_path, "--user", "mail", "--pass", "secret word") as server:
        right = replace(servers_at(server.url), username="mail", password="secret word")
        wrong = replace(right, password="another secret")
        one, two, refused = (nats_bus(those, node=name) for those, name in ((right, "1"), (right, "2"), (wrong, "3")))
        async with started(one, two, refused):
            woken = Wakes()
            two.watch("queue", woken)
            await reach(one, "queue", woken)
            assert not refused.is_open
    said = capsys.readouterr().out
    assert f"NATS at 127.0.0.1:{server.port}" in said
    assert "Authorization Violation" in said
    assert "secret" not in said + str(right) + repr(right)


async def test_a_token_opens_a_server_that_asks_for_one(tmp_path: Path) -> None:
    with running_nats(tmp_path, "--auth", "a secret token") as server:
        bus = nats_bus(replace(servers_at(server.url), token="a secret token"), node="one")
        async with started(bus):
            await eventually(lambda: bus.is_open)


async def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    files = ("--tlscert", str(tmp_path / "cert.pem"), "--tlskey", str(tmp_path / "key.pem"))
    with running_nats(tmp_path, "--tls", *files) as server:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        trusted = NatsServers(urls=(f"tls://localhost:{server.port}",), prefix="mailstack.test", tls=context)
        one, two = nats_bus(trusted, node="one"), nats_bus(trusted, node="two")
        stranger = nats_bus(replace(trusted, tls=ssl.create_default_context()), node="three")
        async with started(one, two, stranger):
            woken = Wakes()
            two.watch("queue", woken)
            await reach(one, "queue", woken)
            assert not stranger.is_open
