"""Streams of events, over sockets: what is told, when they end, and what they cost others. RFC 8620 §7.3."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import orjson
import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.signed_in import COOKIE
from mailstack.servers.jmap import event_stream
from mailstack.services.states.feed import Listener, StateFeed
from mailstack.wire.jmap.session import EVENTS_PATH
from tests.support.app_passwords import app_password_for
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.jmap_calls import put, share
from tests.support.jmap_served import EventClient, ServedJmap, events_of, serving_jmap
from tests.support.jmap_world import JmapWorld
from tests.support.running import DEADLINE_S, until
from tests.support.stores import account_resource, apply, destroyed, mailbox_with, new_message

AUTHORIZATION = b"Authorization: Basic " + base64.b64encode(f"u0@{DOMAIN}:{PASSWORD}".encode()) + b"\r\n"
ASKED = (
    b"GET " + EVENTS_PATH.encode() + b"?types=*&closeafter=no&ping=0 HTTP/1.%d\r\nHost: 127.0.0.1\r\n" + AUTHORIZATION
)


@pytest.fixture
async def served(world: JmapWorld) -> AsyncIterator[ServedJmap]:
    async with serving_jmap(world.service) as running:
        yield running


async def deliver(world: JmapWorld, who: str = "u0") -> None:
    await put(world, MailboxRole.INBOX, new_message(), who=who)


async def test_a_change_is_told_as_it_happens(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    account_id = (await world.account()).account_id
    async with events_of(served) as client:
        assert client.response.headers["content-type"] == "text/event-stream"
        assert client.response.headers["cache-control"] == "no-store"
        assert client.response.headers["access-control-allow-origin"] == "*"
        beginning = await client.block()
        assert beginning is not None
        assert (beginning.name, beginning.data) == ("", "")
        await deliver(world)
        event = await client.event()
        change = orjson.loads(event.data)
        assert event.name == "state"
        assert event.id != beginning.id
        assert change["@type"] == "StateChange"
        assert change["changed"].keys() == {account_id}
        assert change["changed"][account_id].keys() == {"Mailbox", "Email", "Thread", "EmailDelivery"}
        state = str(await world.imap.store.changes.mod_seq(account_id))
        assert change["changed"][account_id]["Email"] == state


async def test_only_types_that_are_asked_for(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    async with events_of(served, "types=EmailDelivery,CalendarEvent&closeafter=no&ping=0") as client:
        await deliver(world)
        (states,) = orjson.loads((await client.event()).data)["changed"].values()
        assert states == {"EmailDelivery": "2"}


async def test_a_stream_may_end_with_its_first_event(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    async with events_of(served, "types=*&closeafter=state&ping=0") as client:
        await deliver(world)
        event = await client.event()
        assert event.name == "state"
        assert await client.block() is None
    assert event.id is not None
    async with events_of(served, "types=*&closeafter=state&ping=0", headers={"Last-Event-ID": event.id}) as client:
        await client.block()
        await deliver(world)
        assert (await client.event()).name == "state"


@pytest.mark.parametrize("known", ["own", "nonsense"])
async def test_who_comes_back_is_told_at_once_what_was_missed(world: JmapWorld, served: ServedJmap, known: str) -> None:
    await deliver(world)
    async with events_of(served) as client:
        beginning = await client.block()
    assert beginning is not None
    await deliver(world)
    last = beginning.id if known == "own" else "12345"
    async with events_of(served, headers={"Last-Event-ID": last or ""}) as client:
        (states,) = orjson.loads((await client.event()).data)["changed"].values()
        assert {"Email", "EmailDelivery"} <= states.keys()
        assert ("Quota" in states) is (known == "nonsense")


async def test_nothing_missed_is_nothing_told(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    async with events_of(served) as client:
        beginning = await client.block()
    assert beginning is not None
    async with events_of(
        served, "types=*&closeafter=no&ping=1", headers={"Last-Event-ID": beginning.id or ""}
    ) as client:
        assert (await client.event()).name == "ping"


async def test_pings_have_no_id_and_tell_how_often_they_come(world: JmapWorld, served: ServedJmap) -> None:
    async with events_of(served, "types=*&closeafter=no&ping=1") as client:
        for _ in range(2):
            event = await client.event()
            assert (event.name, event.id, orjson.loads(event.data)) == ("ping", None, {"interval": 1})


async def test_without_pings_there_is_a_sign_of_life(
    world: JmapWorld, served: ServedJmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SIGN_S", 0.01)
    async with events_of(served) as client:
        await client.block()
        block = await client.block()
        assert block is not None
        assert (block.name, block.id, block.data) == ("", None, "")


@pytest.mark.parametrize(
    "query", ["closeafter=never", "ping=-1", "ping=x", "ping=1.5", "ping=9999999999", "ping=%D9%A1"]
)
async def test_what_cannot_be_wanted(served: ServedJmap, query: str) -> None:
    async with events_of(served, query) as client:
        assert client.response.status_code == 400


async def test_nobody_listens_who_has_not_logged_in(served: ServedJmap) -> None:
    async with events_of(served, login=f"u9@{DOMAIN}") as client:
        assert client.response.status_code == 401


async def test_an_account_has_no_more_streams_than_are_allowed(world: JmapWorld) -> None:
    async with (
        serving_jmap(world.service, limits=HttpLimits(streams_per_account=2)) as served,
        AsyncExitStack() as open_,
    ):
        clients = [await open_.enter_async_context(events_of(served)) for _ in range(2)]
        for client in clients:
            await client.block()
        async with events_of(served) as refused:
            assert refused.response.status_code == 429
            assert "retry-after" in refused.response.headers
        async with events_of(served, login=f"u1@{DOMAIN}") as other:
            assert other.response.status_code == 200
        await clients[0].response.aclose()

        async def is_let_in() -> bool:
            async with events_of(served) as client:
                return client.response.status_code == 200

        await until(is_let_in)


async def test_who_stays_does_not_count_for_its_address(world: JmapWorld) -> None:
    async with (
        serving_jmap(world.service, limits=HttpLimits(connections_per_ip=2)) as served,
        AsyncExitStack() as open_,
    ):
        for _ in range(5):
            client = await open_.enter_async_context(events_of(served))
            assert client.response.status_code == 200
    assert len(served.connections) == 0
    assert served.admission.crowds() == served.streams.crowds() == {}


async def test_a_server_that_ends_ends_its_streams(world: JmapWorld) -> None:
    async with serving_jmap(world.service) as served, events_of(served) as client:
        await client.block()
        assert await served.connections.drain(grace_s=5) == 0
        assert await client.block() is None


async def test_who_may_not_stay_is_sent_away(world: JmapWorld, served: ServedJmap) -> None:
    async with events_of(served) as client, events_of(served, login=f"u1@{DOMAIN}") as other:
        for each in (client, other):
            await each.block()
        await served.server.recheck_logins()
        await apply(world.imap.store, destroyed(account_resource(f"u0@{DOMAIN}")))
        await served.server.recheck_logins()
        assert await client.block() is None
        await deliver(world, "u1")
        assert (await other.event()).name == "state"


async def test_who_came_by_an_app_password_that_is_revoked_is_sent_away(world: JmapWorld, served: ServedJmap) -> None:
    app_passwords = world.imap.store.app_passwords
    account_id = (await world.account()).account_id
    (gone, text), (_, kept) = [await app_password_for(app_passwords, account_id) for _ in range(2)]
    async with events_of(served, password=text) as client, events_of(served, password=kept) as other:
        for each in (client, other):
            await each.block()
        await app_passwords.revoke(account_id, gone.app_password_id)
        await served.server.recheck_app_passwords()
        assert await client.block() is None
        await deliver(world)
        assert (await other.event()).name == "state"


async def until_gone(world: JmapWorld, served: ServedJmap) -> None:
    """The server knows of nobody any more, and its feed of nobody who listens."""
    account_id = (await world.account()).account_id

    async def is_gone() -> bool:
        return not len(served.connections) and not world.service.feed.states_of(account_id)

    await until(is_gone)


async def test_who_hangs_up_is_forgotten(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(ASKED % 1 + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    await until_gone(world, served)


async def test_a_client_of_http_1_0_is_told_without_chunks(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(ASKED % 0 + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert (await reader.readuntil(b"\n\n")).startswith(b"retry: 3000\nid: ")
    await deliver(world)
    assert (await reader.readuntil(b"\n\n")).startswith(b"event: state\nid: ")
    await served.connections.drain(grace_s=5)
    assert await reader.read() == b""
    writer.close()


async def test_head_says_what_get_would(world: JmapWorld, served: ServedJmap) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(ASKED.replace(b"GET", b"HEAD") % 1 + b"\r\n")
    async with asyncio.timeout(DEADLINE_S):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"text/event-stream" in answer
    assert answer.endswith(b"\r\n\r\n")
    writer.close()
    await until_gone(world, served)


async def test_who_reads_nothing_is_kept_nothing_for_and_cut_off(world: JmapWorld) -> None:
    await deliver(world)
    async with serving_jmap(world.service, limits=HttpLimits(write_s=0.3)) as served:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(("127.0.0.1", served.port))
            client.sendall(ASKED.replace(b"ping=0", b"ping=1") % 1 + b"\r\n")

            async def is_there() -> bool:
                return bool(served.streams.limit)

            await until(is_there)
            (line,) = served.server._shared.lines.open
            line.write(b"x" * 8_000_000)  # as if as many events had been told
            assert line.is_paused
            held = line._transport.get_write_buffer_size()
            for _ in range(3):
                await deliver(world)
            assert line._transport.get_write_buffer_size() == held
            await until_gone(world, served)


async def test_what_a_slow_reader_missed_is_told_once(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    async with events_of(served) as client:
        await client.block()
        (line,) = served.server._shared.lines.open
        line.pause_writing()
        for _ in range(5):
            await deliver(world)
        line.resume_writing()
        newest = str(await world.imap.store.changes.mod_seq((await world.account()).account_id))
        event = await client.until(lambda heard: f'"Email":"{newest}"' in heard.data)
        assert '"EmailDelivery":"6"' in event.data


async def test_of_others_accounts_what_they_share(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    account_id = (await world.account()).account_id
    await share(world, await mailbox_with(world.imap.store, account_id, MailboxRole.INBOX), "lr")
    async with events_of(served, login=f"u1@{DOMAIN}") as client:
        await client.block()
        await deliver(world)
        assert orjson.loads((await client.event()).data)["changed"].keys() == {account_id}


async def test_a_stream_by_a_cookie_ends_with_its_session(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    logins = world.service.signed_in.web_logins
    (own, cookie), (other, kept) = [
        await logins.open(f"u0@{DOMAIN}", PASSWORD, peer_host="127.0.0.1", agent="Firefox") for _ in range(2)
    ]

    def by(cookie: str) -> AbstractAsyncContextManager[EventClient]:
        return events_of(served, login=None, headers={"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"})

    async with by(cookie) as ending, by(kept) as staying:
        for client in (ending, staying):
            await client.block()
        await logins.close(own)
        assert await ending.block() is None
        await deliver(world)
        assert (await staying.event()).name == "state"
        await logins.close(other)
        assert await staying.block() is None
    async with by(kept) as refused:
        assert refused.response.status_code == 401


@pytest.fixture
def slow_feed(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Set once somebody wants to listen; and what they wait for then."""
    entered, gate = asyncio.Event(), asyncio.Event()
    real = StateFeed.listen

    async def slow(feed: StateFeed, *arguments: Any, **more: Any) -> Listener:
        entered.set()
        await gate.wait()
        return await real(feed, *arguments, **more)

    monkeypatch.setattr(StateFeed, "listen", slow)
    return entered, gate


async def test_a_login_that_ends_before_the_stream_begins(
    world: JmapWorld, served: ServedJmap, slow_feed: tuple[asyncio.Event, asyncio.Event]
) -> None:
    entered, gate = slow_feed
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(ASKED % 1 + b"\r\n")
    await entered.wait()
    await apply(world.imap.store, destroyed(account_resource(f"u0@{DOMAIN}")))
    await served.server.recheck_logins()
    gate.set()
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()


async def test_who_is_gone_before_the_stream_begins_holds_no_place(
    world: JmapWorld, slow_feed: tuple[asyncio.Event, asyncio.Event]
) -> None:
    entered, gate = slow_feed
    async with serving_jmap(world.service, limits=HttpLimits(streams_per_account=1)) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(ASKED % 1 + b"\r\n")
        await entered.wait()
        writer.transport.abort()

        async def is_gone() -> bool:
            return not len(served.connections)

        await until(is_gone)
        gate.set()
        await until_gone(world, served)
        async with events_of(served) as client:
            assert client.response.status_code == 200
