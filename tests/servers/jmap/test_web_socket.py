"""JMAP on a WebSocket, with a real client; and with octets that no client would send. RFC 8887, RFC 6455."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.http import web_socket
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.signed_in import COOKIE
from mailstack.servers.jmap.service import JmapService
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import CORE, MAIL, WEB_SOCKET, WEB_SOCKET_PATH
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.jmap_calls import put
from tests.support.jmap_served import ServedJmap, serving_jmap
from tests.support.jmap_world import JmapWorld
from tests.support.running import DEADLINE_S, until
from tests.support.stores import account_resource, apply, destroyed, new_message
from tests.support.websocket_frames import BINARY, PING, frame, goodbye

JMAP = [Subprotocol("jmap")]
AUTHORIZATION = "Basic " + base64.b64encode(f"u0@{DOMAIN}:{PASSWORD}".encode()).decode()


@pytest.fixture
async def served(world: JmapWorld) -> AsyncIterator[ServedJmap]:
    async with serving_jmap(world.service) as running:
        yield running


class Client:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def hear(self) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            return orjson.loads(await self.connection.recv())

    async def ask(self, message: Any) -> Any:
        await self.say(message)
        return await self.hear()

    async def end(self) -> int:
        """The code that it was closed with."""
        with pytest.raises(ConnectionClosed):  # noqa: PT012  # whatever is said before
            while True:
                await self.hear()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def client_of(
    served: ServedJmap, *, login: str | None = f"u0@{DOMAIN}", headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Client]:
    named = {"Authorization": "Basic " + base64.b64encode(f"{login}:{PASSWORD}".encode()).decode()}
    url = served.base_url.replace("http", "ws") + WEB_SOCKET_PATH
    given = {"subprotocols": JMAP, "max_size": None, **options}
    async with connect(
        url, additional_headers=(named if login else {}) | (headers or {}), proxy=None, **given
    ) as connection:
        yield Client(connection)


def request(*calls: object, request_id: str | None = "R1", using: list[str] | None = None) -> dict[str, Any]:
    ids = {} if request_id is None else {"id": request_id}
    return {"@type": "Request", **ids, "using": using or [CORE], "methodCalls": calls}


ECHO = ["Core/echo", {"hello": "ünïcode"}, "c1"]


async def deliver(world: JmapWorld, who: str = "u0") -> None:
    await put(world, MailboxRole.INBOX, new_message(), who=who)


async def test_the_session_says_where_it_is(world: JmapWorld) -> None:
    session = (await world.ask("GET", "/jmap/session")).json()
    facts = session["capabilities"][WEB_SOCKET]
    assert facts == {"url": "wss://mail.peer.test:8443/jmap/ws", "supportsPush": True}


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_requests_are_answered_under_their_ids(served: ServedJmap, compression: str | None) -> None:
    async with client_of(served, compression=compression) as client:
        assert client.connection.subprotocol == "jmap"
        for request_id in ("R1", "", None):
            answer = await client.ask(request(ECHO, request_id=request_id))
            assert answer["@type"] == "Response"
            assert answer.get("requestId") == request_id
            assert answer["methodResponses"] == [ECHO]
            assert answer["sessionState"]
        large = ["Core/echo", {"text": "x" * 900_000}, "c1"]
        assert (await client.ask(request(large)))["methodResponses"] == [large]


async def test_created_ids_are_told_to_who_gives_some(served: ServedJmap) -> None:
    async with client_of(served) as client:
        answer = await client.ask({**request(ECHO), "createdIds": {"a": "b"}})
        assert answer["createdIds"] == {"a": "b"}


@pytest.mark.parametrize(
    ("message", "request_id", "type_"),
    [
        ("{", None, "notJSON"),
        ("[]", None, "notRequest"),
        ('{"id": "R1"}', "R1", "notRequest"),
        ('{"@type": "Response", "id": "R1"}', "R1", "notRequest"),
        ('{"@type": "Request", "id": "R1"}', "R1", "notRequest"),
        ('{"@type": "Request", "id": 1, "using": [], "methodCalls": []}', None, "notRequest"),
        ('{"@type": "Request", "id": "R1", "using": ["urn:x"], "methodCalls": []}', "R1", "unknownCapability"),
        ('{"@type": "WebSocketPushEnable", "dataTypes": "Email"}', None, "notRequest"),
        ('{"@type": "WebSocketPushEnable", "dataTypes": null, "pushState": 1}', None, "notRequest"),
    ],
)
async def test_what_is_no_request(served: ServedJmap, message: str, request_id: str | None, type_: str) -> None:
    async with client_of(served) as client:
        answer = await client.ask(message)
        assert answer["@type"] == "RequestError"
        assert answer["requestId"] == request_id
        assert answer["type"] == f"urn:ietf:params:jmap:error:{type_}"
        assert answer["status"] == 400
        assert (await client.ask(request(ECHO)))["methodResponses"] == [ECHO]


async def test_states_are_pushed_while_they_are_wanted(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    account_id = (await world.account()).account_id
    async with client_of(served) as client:
        await client.say({"@type": "WebSocketPushEnable", "dataTypes": ["Email", "CalendarEvent"]})
        await until_listened_to(world)
        await deliver(world)
        change = await client.hear()
        state = str(await world.imap.store.changes.mod_seq(account_id))
        assert change["@type"] == "StateChange"
        assert change["changed"] == {account_id: {"Email": state}}
        # RFC 8887 §4.3.5.2: whoever comes back is told what was missed; and may want something else by now.
        await client.say(
            {"@type": "WebSocketPushEnable", "dataTypes": ["EmailDelivery"], "pushState": "of another time"}
        )
        assert (await client.hear())["changed"] == {account_id: {"EmailDelivery": "2"}}
        await client.say({"@type": "WebSocketPushDisable"})
        await deliver(world)
        assert (await client.ask(request(ECHO)))["@type"] == "Response"
        await client.say({"@type": "WebSocketPushEnable", "dataTypes": None, "pushState": change["pushState"]})
        missed = await client.hear()
        assert missed["changed"][account_id].keys() == {"Mailbox", "Email", "Thread", "EmailDelivery"}
    await until_forgotten(world, served)


async def test_who_changes_their_mind_misses_nothing(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    account_id = (await world.account()).account_id
    async with client_of(served) as client:
        for types in (["Mailbox"], ["Email"], ["Thread"]):
            await client.say({"@type": "WebSocketPushEnable", "dataTypes": types})
        await until_listened_to(world)
        await client.ask(request(ECHO))
        await deliver(world)
        assert (await client.hear())["changed"][account_id].keys() == {"Thread"}


async def until_listened_to(world: JmapWorld) -> None:
    account_id = (await world.account()).account_id

    async def is_listened_to() -> bool:
        return bool(world.service.feed.states_of(account_id))

    await until(is_listened_to)


async def until_forgotten(world: JmapWorld, served: ServedJmap) -> None:
    account_id = (await world.account()).account_id

    async def is_forgotten() -> bool:
        return not len(served.connections) and not world.service.feed.states_of(account_id)

    await until(is_forgotten)


@pytest.mark.parametrize(
    ("headers", "options", "status"),
    [
        ({"Authorization": "Basic eDp5"}, {}, 401),
        ({}, {"subprotocols": None}, 400),
        ({}, {"subprotocols": [Subprotocol("imap")]}, 400),
        ({}, {"origin": "https://elsewhere.example"}, 403),
        ({}, {"origin": "null"}, 403),
    ],
)
async def test_who_is_not_let_in(
    served: ServedJmap, headers: dict[str, str], options: dict[str, Any], status: int
) -> None:
    url = served.base_url.replace("http", "ws") + WEB_SOCKET_PATH
    given = {"subprotocols": JMAP, "additional_headers": {"Authorization": AUTHORIZATION, **headers}, **options}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, proxy=None, **given):
            pass
    assert refused.value.response.status_code == status


async def test_ones_own_origin_is_let_in(served: ServedJmap) -> None:
    async with client_of(served, origin=served.base_url) as client:
        assert (await client.ask(request(ECHO)))["@type"] == "Response"


async def test_a_socket_by_a_cookie_ends_with_its_session(world: JmapWorld, served: ServedJmap) -> None:
    logins = world.service.signed_in.web_logins
    web_login, cookie = await logins.open(f"u0@{DOMAIN}", PASSWORD, peer_host="127.0.0.1", agent="Firefox")
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    async with client_of(served, login=None, headers=headers, origin=served.base_url) as client:
        assert (await client.ask(request(ECHO)))["@type"] == "Response"
        await logins.close(web_login)
        assert await client.end() == 1008
    with pytest.raises(InvalidStatus):
        async with client_of(served, login=None, headers=headers, origin="https://elsewhere.example"):
            pass


async def test_who_asks_for_a_page_is_told_that_there_is_none(world: JmapWorld) -> None:
    reply = await world.ask("GET", WEB_SOCKET_PATH)
    assert reply.status_code == 426
    assert reply.headers["upgrade"] == "websocket"
    assert reply.headers["sec-websocket-version"] == "13"


def limited(world: JmapWorld, **limits: int) -> JmapService:
    return replace(world.service, limits=JmapLimits(**limits))


async def test_no_more_requests_run_at_a_time_than_may(world: JmapWorld) -> None:
    async with (
        serving_jmap(limited(world, concurrent_requests=2)) as served,
        client_of(served) as client,
        client_of(served, login=f"u1@{DOMAIN}") as other,
    ):
        for number in range(20):
            await client.say(request(ECHO, request_id=str(number)))
        answers = [await client.hear() for _ in range(20)]
        assert {answer["requestId"] for answer in answers} == {str(number) for number in range(20)}
        assert {answer["@type"] for answer in answers} == {"Response"}
        assert (await other.ask(request(ECHO)))["@type"] == "Response"


async def test_an_account_has_no_more_turns_on_two_sockets(world: JmapWorld) -> None:
    service = limited(world, concurrent_requests=1)
    async with serving_jmap(service) as served, client_of(served, compression=None) as client:
        with service.turns.turn((await world.account()).account_id, limit=1):
            refused = await client.ask(request(ECHO))
            assert (refused["requestId"], refused["limit"]) == ("R1", "maxConcurrentRequests")
            large = await client.ask(request(["Core/echo", {"text": "x" * 300_000}, "c1"]))
            assert (large["requestId"], large["limit"]) == (None, "maxConcurrentRequests")
            # What is large takes a turn while it comes in.
            await client.connection.send(["x" * 300_000] * 4)
            assert await client.end() == 1013


async def test_a_message_that_is_too_large_ends_it(world: JmapWorld) -> None:
    async with serving_jmap(limited(world, request_octets=10_000)) as served:
        for compression in ("deflate", None):
            async with client_of(served, compression=compression) as client:
                assert (await client.ask(request(ECHO)))["@type"] == "Response"
                await client.say(request(["Core/echo", {"text": "x" * 10_000}, "c1"]))
                assert await client.end() == 1009


async def test_a_half_of_a_large_message_holds_no_turn_once_it_is_gone(world: JmapWorld) -> None:
    service = limited(world, concurrent_requests=1)
    async with serving_jmap(service) as served, raw_socket(served) as (_, writer):
        writer.write(frame(b"x" * 300_000, is_final=False))
        account_id = (await world.account()).account_id

        async def is_taken() -> bool:
            return bool(service.turns._taken[account_id])

        await until(is_taken)
        writer.transport.abort()
        async with client_of(served) as client:

            async def is_free() -> bool:
                return bool((await client.ask(request(ECHO)))["@type"] == "Response")

            await until(is_free)


@asynccontextmanager
async def raw_socket(
    served: ServedJmap, *, more: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """more: octets that come with the request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        await shake_hands(reader, writer, more)
        yield reader, writer
    finally:
        writer.close()


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, more: bytes) -> None:
    fields = (
        f"GET {WEB_SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {AUTHORIZATION}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: jmap\r\n\r\n"
    )
    writer.write(fields.encode() + more)
    async with asyncio.timeout(DEADLINE_S):
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert b"transfer-encoding" not in head
    assert b"close" not in head


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload."""
    async with asyncio.timeout(DEADLINE_S):
        first, second = await reader.readexactly(2)
        length = second if second < 126 else int.from_bytes(await reader.readexactly(2), "big")
        return first & 0x0F, await reader.readexactly(length)


async def test_frames_that_come_before_the_upgrade_is_agreed_to_are_heard(served: ServedJmap) -> None:
    async with raw_socket(served, more=frame(orjson.dumps(request(ECHO)))) as (reader, writer):
        _, payload = await read_frame(reader)
        assert orjson.loads(payload)["methodResponses"] == [ECHO]
        writer.write(frame(b"?", PING))
        assert await read_frame(reader) == (10, b"?")
        writer.write(goodbye(1000))
        assert await read_frame(reader) == (8, (1000).to_bytes(2, "big"))
        assert await reader.read() == b""


async def test_no_end_of_what_comes_before_the_upgrade_is_kept(world: JmapWorld) -> None:
    async with serving_jmap(world.service, limits=HttpLimits(ahead_bytes=1_000)) as served:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            async with raw_socket(served, more=frame(b"x" * 2_000)):
                pass


@pytest.mark.parametrize(
    ("octets", "code"), [(frame(b"x", BINARY), 1003), (frame(b"\xff"), 1007), (frame(b"x", rsv=4), 1002)]
)
async def test_what_may_not_be_is_told_by_its_code(served: ServedJmap, octets: bytes, code: int) -> None:
    async with raw_socket(served) as (reader, writer):
        writer.write(octets)
        opcode, payload = await read_frame(reader)
        assert (opcode, int.from_bytes(payload[:2], "big")) == (8, code)
        assert await reader.read() == b""


async def test_who_gives_no_sign_of_life_is_cut_off(
    world: JmapWorld, served: ServedJmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "PING_S", 0.1)
    async with raw_socket(served) as (reader, _), client_of(served) as alive:
        assert (await read_frame(reader))[0] == 9
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await read_frame(reader)
        assert (await alive.ask(request(ECHO)))["@type"] == "Response"


async def test_who_does_not_answer_a_goodbye_is_cut_off(
    world: JmapWorld, served: ServedJmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "GOODBYE_S", 0.1)
    async with raw_socket(served) as (reader, _):
        assert await served.connections.drain(grace_s=DEADLINE_S) == 0
        assert await read_frame(reader) == (8, (1001).to_bytes(2, "big"))


async def test_a_server_that_ends_answers_what_it_was_asked(world: JmapWorld, served: ServedJmap) -> None:
    async with client_of(served) as client:
        for number in range(3):
            await client.say(request(*[ECHO] * 64, request_id=str(number)))
        await client.hear()
        draining = asyncio.create_task(served.connections.drain(grace_s=DEADLINE_S))
        assert await client.end() == 1001
        assert await draining == 0


async def test_who_may_not_stay_is_sent_away(world: JmapWorld, served: ServedJmap) -> None:
    async with client_of(served) as idle, client_of(served) as asking:
        await apply(world.imap.store, destroyed(account_resource(f"u0@{DOMAIN}")))
        await asking.say(request(ECHO))
        assert await asking.end() == 1008
        await served.server.recheck_logins()
        assert await idle.end() == 1008


async def test_a_client_that_does_not_read_is_not_heard(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    async with client_of(served) as client:
        await client.say({"@type": "WebSocketPushEnable", "dataTypes": ["EmailDelivery"]})
        await until_listened_to(world)
        (line,) = served.server._shared.lines.open
        line.pause_writing()
        await client.say(request(ECHO))
        for _ in range(3):
            await deliver(world)
        line.resume_writing()
        first, second = await client.hear(), await client.hear()
        told, answer = sorted((first, second), key=lambda message: message["@type"] == "Response")
        assert answer["methodResponses"] == [ECHO]
        assert "4" in told["changed"][(await world.account()).account_id].values()


async def test_mail_is_asked_for(world: JmapWorld, served: ServedJmap) -> None:
    await deliver(world)
    account_id = (await world.account()).account_id
    async with client_of(served) as client:
        answer = await client.ask(request(["Email/query", {"accountId": account_id}, "0"], using=[CORE, MAIL]))
        assert len(answer["methodResponses"][0][1]["ids"]) == 1
