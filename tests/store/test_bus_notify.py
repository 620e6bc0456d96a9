"""Events by NOTIFY: what comes and goes with the database. What every bus does is tests/contract/test_bus.py's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.store.bus_far import MAX_WAITING, FarBus
from mailstack.store.bus_notify import CHANNEL, MAX_PAYLOAD_OCTETS, NotifyLine, _payloads, notify_bus
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.wakes import Wakes, eventually, reach


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        yield running


@asynccontextmanager
async def started(*buses: FarBus) -> AsyncIterator[None]:
    for bus in buses:
        await bus.start()
    yield
    for bus in buses:
        await bus.close()


def two_nodes(server: PostgresServer) -> tuple[FarBus, FarBus]:
    return notify_bus(server.url("postgres"), node="one"), notify_bus(server.url("postgres"), node="two")


@pytest.mark.parametrize("at_once", [True, False], ids=["killed", "stopped"])
async def test_a_database_that_was_gone_and_is_back_is_found_again(server: PostgresServer, at_once: bool) -> None:
    one, two = two_nodes(server)
    async with started(one, two):
        woken, here = Wakes(), Wakes()
        two.watch("account/1", woken)
        await reach(one, "account/1", woken)
        server.stop(at_once=at_once)
        await eventually(lambda: not (one.is_open or two.is_open))
        woken.count = 0
        one.watch("account/1", here)
        one.publish("account/1")
        await here.wait()  # this process needs no database to hear of itself
        server.start()
        await reach(one, "account/1", woken)


async def test_a_connection_that_is_ended_by_others_is_made_anew(server: PostgresServer) -> None:
    one, two = two_nodes(server)
    async with started(one, two):
        woken = Wakes()
        two.watch("queue", woken)
        await reach(one, "queue", woken)
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mailstack events'"
        assert len(server.run(ours)) == 2
        await eventually(lambda: not (one.is_open or two.is_open))
        woken.count = 0
        await reach(one, "queue", woken)


async def test_ten_thousand_topics_of_one_moment_go_in_a_few_notifications(server: PostgresServer) -> None:
    one, two = two_nodes(server)
    async with started(one, two):
        first, last = Wakes(), Wakes()
        two.watch(f"account/{0:016x}", first)
        two.watch(f"account/{MAX_WAITING - 1:016x}", last)
        with psycopg.connect(server.url("postgres"), autocommit=True) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            for number in range(MAX_WAITING):
                one.publish(f"account/{number:016x}")
            await first.wait()
            await last.wait()
            heard = [*listener.notifies(timeout=0.1)]
    assert len(heard) < 50
    assert max(len(one.payload) for one in heard) <= MAX_PAYLOAD_OCTETS


async def test_a_node_does_not_wake_itself_by_way_of_the_database(server: PostgresServer) -> None:
    one, same, other = (notify_bus(server.url("postgres"), node=name) for name in ("one", "one", "other"))
    async with started(one, same, other):
        not_woken, woken, heard = Wakes(), Wakes(), Wakes()
        same.watch("queue", not_woken)
        same.watch("account/1", heard)
        other.watch("queue", woken)
        await reach(one, "queue", woken)
        await reach(other, "account/1", heard)
        assert not_woken.count == 0


async def test_a_database_that_is_not_there_is_told_once_and_without_the_password(
    server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bus = notify_bus(f"postgresql://mailstack:secret@127.0.0.1:{server.port}/missing", node="one")
    async with started(bus):
        bus.publish("queue")
        assert not bus.is_open
    said = capsys.readouterr().out
    assert said.count("no events between nodes") == 1
    assert 'database "missing" does not exist' in said
    assert "secret" not in said


async def test_a_url_that_is_none_hinders_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    bus = notify_bus("postgresql://[", node="one")
    async with started(bus):
        bus.publish("queue")
    assert "no events between nodes" in capsys.readouterr().out


async def test_a_url_that_cannot_be_read_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    bus = notify_bus("postgresql://mailstack:hidden%word@127.0.0.1/mail", node="one")
    async with started(bus):
        bus.publish("queue")
    said = capsys.readouterr().out
    assert "storage.database" in said
    assert "hidden" not in said


async def test_a_line_that_was_lost_takes_no_other_socket_along(server: PostgresServer) -> None:
    heard: list[str] = []
    line = NotifyLine(server.url("postgres"), node="one", hear=heard.append)
    await line.open()
    connection = line._connection
    assert connection is not None
    number = connection.fileno()
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mailstack events'")
    with pytest.raises(TryAgainLater):
        await line.until_lost()
    loop, woken = asyncio.get_running_loop(), Wakes()
    pairs = [socket.socketpair()]
    while pairs[-1][0].fileno() < number:
        pairs.append(socket.socketpair())
    heir, _ = next((pair if pair[0].fileno() == number else pair[::-1]) for pair in pairs[::-1])
    assert heir.fileno() == number
    loop.add_reader(heir, woken)
    await line.close()
    assert loop.remove_reader(heir)
    for pair in pairs:
        for one in pair:
            one.close()


def test_payloads_hold_as_much_as_there_is_room_for_and_never_more() -> None:
    topics = [f"account/{number:016x}" for number in range(1_000)] + ["ü" * 250] * 40
    payloads = [*_payloads("node", topics)]
    assert max(len(payload.encode()) for payload in payloads) <= MAX_PAYLOAD_OCTETS
    assert [topic for payload in payloads for topic in payload.split("\n")[1:]] == topics
    assert {payload.split("\n")[0] for payload in payloads} == {"node"}
    assert len(payloads) == 6


def test_no_topics_are_no_payload() -> None:
    assert [*_payloads("node", [])] == []
