"""Conversations as octets: framing, limits, deadlines, and what is never understood in two ways. RFC 9112."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine

import orjson
import pytest
import uvloop

from tests.support.http_world import SMALL_BODY, HttpClient, HttpWorld, Reply, serving
from tests.support.places import part_with_newest
from tests.support.running import until
from tests.support.splitting import splits

HOST = b"Host: mail.example.com\r\n"
TOLD = b"GET /told HTTP/1.1\r\n" + HOST + b"\r\n"


def post(path: str, *lines: bytes, body: bytes = b"") -> bytes:
    return (
        b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body
    )


def is_problem(reply: Reply, status: int) -> bool:
    fields = orjson.loads(reply.body)
    is_json = reply.headers["content-type"] == "application/problem+json"
    return reply.status == status == fields["status"] and is_json and fields["request"] == reply.headers["x-request-id"]


async def refused(client: HttpClient, data: bytes, status: int) -> None:
    """As a problem, and nothing more is read of this connection."""
    reply = await client.ask(data)
    assert is_problem(reply, status), reply
    assert reply.headers["connection"] == "close"
    await client.expect_end()


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        for _ in range(3):
            assert (await client.ask(TOLD)).status == 200


async def test_the_same_is_understood_however_the_network_cuts() -> None:
    chunked = post("/echo", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n")
    data = post("/echo", b"Content-Length: 3", body=b"abc") + chunked + TOLD
    async with serving(HttpWorld()) as world:
        for pieces in splits(data):
            client = await world.connect()
            for piece in pieces:
                await client.send(piece)
                if len(pieces) > 10:
                    await asyncio.sleep(0)
            assert (await client.reply()).body == b"abc"
            assert (await client.reply()).body == b"abcdefg"
            assert (await client.reply()).status == 200


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(b"".join(post("/echo", b"Content-Length: 1", body=b"%d" % number) for number in range(9)))
        assert [(await client.reply()).body for _ in range(9)] == [b"%d" % number for number in range(9)]


async def test_more_pipelined_requests_than_allowed_end_the_connection_after_those_before() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(pipelined=3)
        client = await world.connect()
        await client.send(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n" + TOLD * 1_000)
        world.gate.set()
        replies = [await client.reply() for _ in range(5)]
        assert [reply.status for reply in replies] == [200, 200, 200, 200, 503]
        await client.expect_end()


async def test_head_has_the_fields_of_get_and_no_content() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        head = await client.ask(TOLD.replace(b"GET", b"HEAD"), "HEAD")
        get = await client.ask(TOLD)
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("target", [b"/told/../x", b"/nowhere"])
async def test_a_refusal_of_head_has_no_content_either(target: bytes) -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        data = b"HEAD " + target + b" HTTP/1.1\r\n" + HOST + b"X-Request-Id: mine\r\nConnection: close\r\n\r\n"
        reply = await client.ask(data, "HEAD")
        assert reply.status in (400, 404)
        assert reply.headers["x-request-id"] == "mine"
        await client.expect_end()


async def test_http_1_0_is_answered_and_closed() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /told HTTP/1.0\r\n" + HOST + b"\r\n")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        await client.expect_end()


async def test_http_1_0_gets_no_chunks() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /stream HTTP/1.0\r\n" + HOST + b"\r\n")
        assert (reply.status, reply.body) == (200, b"one two three")
        assert "transfer-encoding" not in reply.headers
        await client.expect_end()


async def test_http_1_0_without_a_host_has_the_probes_only() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        assert (await client.ask(b"GET /healthz HTTP/1.0\r\n\r\n")).status == 200
        await refused_plainly(await world.connect(), b"GET /told HTTP/1.0\r\n\r\n", 421)


async def refused_plainly(client: HttpClient, data: bytes, status: int) -> None:
    assert is_problem(await client.ask(data), status)


async def test_the_last_request_is_the_last() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(TOLD.replace(HOST, HOST + b"Connection: close\r\n") + TOLD + b"\x00garbage")
        assert (await client.reply()).status == 200
        await client.expect_end()


SMUGGLED = b"GET /told/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 4", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 4"],
        [b"Content-Length: 4", b"Content-Length: 5"],
        [b"Content-Length: 4, 5"],
        [b"Content-Length: +4"],
        [b"Content-Length: -1"],
        [b"Content-Length: 0x4"],
        [b"Content-Length: 4 4"],
        [b"Content-Length: 99999999999999999999999"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Transfer-Encoding: chunked, chunked"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding : chunked"],
        [b"Transfer-Encoding:\x0bchunked"],
        [b"X: y\r\n Transfer-Encoding: chunked"],
        [b"X: a\rTransfer-Encoding: chunked"],
        [b"X\x00: a"],
        [b" Content-Length: 4"],
    ],
)
async def test_request_smuggling_a_length_that_is_in_doubt_is_refused(lines: list[bytes]) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), post("/echo", *lines, body=b"0\r\n\r\n" + SMUGGLED), 400)


async def test_request_smuggling_chunks_in_http_1_0_are_refused() -> None:
    data = b"POST /echo HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), data, 400)


async def test_request_smuggling_what_follows_an_upgrade_is_not_read() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        upgrade = HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        reply = await client.ask(b"GET /told HTTP/1.1\r\n" + upgrade + b"\r\n" + SMUGGLED)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        await client.expect_end()


@pytest.mark.parametrize(
    "lines", [[b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: gzip", b"Transfer-Encoding: Chunked"]]
)
async def test_content_in_a_coding_that_is_not_known_is_not_taken_for_the_content(lines: list[bytes]) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), post("/echo", *lines, body=b"3\r\nabc\r\n0\r\n\r\n"), 501)


@pytest.mark.parametrize(
    ("line", "body"), [(b"Content-Length: 3", b"abc"), (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")]
)
async def test_an_upgrade_with_content_is_refused_and_not_answered_without_it(line: bytes, body: bytes) -> None:
    async with serving(HttpWorld()) as world:
        upgrade = (b"Connection: Upgrade", b"Upgrade: h2c")
        await refused(await world.connect(), post("/echo", *upgrade, line, body=body), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3 \x01\r\nabc\r\n0\r\n\r\n",
        b"0\r\nContent-Length\x00: 4\r\n\r\n",
    ],
)
async def test_chunk_abuse_what_is_no_chunk_is_refused(body: bytes) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), post("/echo", b"Transfer-Encoding: chunked", body=body + SMUGGLED), 400)


@pytest.mark.parametrize(
    ("begin", "endless"),
    [(b"1;", b"x" * 200), (b"1;x=", b"y" * 200), (b"0\r\n", b"X: y\r\n" * 50), (b"0\r\nX: ", b"y" * 200)],
)
async def test_chunk_abuse_framing_without_content_ends(begin: bytes, endless: bytes) -> None:
    async with serving(HttpWorld()) as world:
        world.limit(framing_bytes=2_000)
        client = await world.connect()
        await client.send(post("/echo", b"Transfer-Encoding: chunked", body=begin))
        for _ in range(50):
            await client.send(endless)
            await asyncio.sleep(0)
        assert (await client.reply()).status == 400
        await client.expect_end()


async def test_trailers_are_no_headers() -> None:
    async with serving(HttpWorld()) as world:
        world.gate.set()
        client = await world.connect()
        trailer = b"0\r\nX-Request-Id: from-the-trailer\r\nAuthorization: x\r\n\r\n"
        reply = await client.ask(post("/wait", b"Transfer-Encoding: chunked", body=b"1\r\nx\r\n" + trailer))
        assert reply.status == 200
        assert reply.headers["x-request-id"] != "from-the-trailer"


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"EHLO client.example\r\n",
        b"GET /told HTTP/1.1 x\r\n" + HOST + b"\r\n",
        b"GET /told HTCPCP/1.0\r\n" + HOST + b"\r\n",
        b"get /told HTTP/1.1\r\n" + HOST + b"\r\n",
        b"BREW /told HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /told HTTP/1.1\r\n\r\n",
        b"GET /told HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
        b"GET /../told HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /told HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /told HTTP/1.1\r\n: no name\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 10,
    ],
)
async def test_what_is_no_request_is_refused(data: bytes) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), data, 400)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /told\r\n\r\n", 505),
        (b"GET /told HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"CONNECT mail.example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"TRACE /told HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    ],
)
async def test_versions_and_methods_that_are_not_spoken_here(data: bytes, status: int) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), data, status)


async def test_a_method_that_a_page_does_not_have_is_refused_and_the_connection_goes_on() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        reply = await client.ask(post("/told", b"Content-Length: 3", body=b"abc"))
        assert is_problem(reply, 405)
        assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}
        assert (await client.ask(TOLD)).status == 200


@pytest.mark.parametrize("count", [8_000, 100_000, 2_000_000])
async def test_a_long_request_line_is_refused(count: int) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), b"GET /" + b"a" * count + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414)


@pytest.mark.parametrize(
    "fields",
    [
        b"X: " + b"a" * 40_000 + b"\r\n",
        b"X: " + b"a" * 4_000_000 + b"\r\n",
        b"a" * 40_000 + b": x\r\n",
        b"X: y\r\n" * 101,
        b"X: y\r\n" * 500_000,
        b"".join(b"X%d: %s\r\n" % (number, b"a" * 1_000) for number in range(50)),
    ],
)
async def test_huge_headers_are_refused(fields: bytes) -> None:
    async with serving(HttpWorld()) as world:
        await refused(await world.connect(), b"GET /told HTTP/1.1\r\n" + HOST + fields + b"\r\n", 431)


async def test_a_head_that_never_ends_is_not_kept() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(b"GET /told HTTP/1.1\r\nX: ")
        for _ in range(60):
            await client.send(b"a" * 1_000)
            await asyncio.sleep(0)
        assert is_problem(await client.reply(), 431)


async def test_content_up_to_the_limit_of_a_page_is_taken_and_no_more() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        fits = await client.ask(post("/small", b"Content-Length: %d" % SMALL_BODY, body=b"x" * SMALL_BODY))
        assert fits.status == 200
        more = await client.ask(post("/small", b"Content-Length: %d" % (SMALL_BODY + 1), body=b"x" * (SMALL_BODY + 1)))
        assert more.status == 413
        assert (await client.ask(TOLD)).status == 200
        chunks = b"".join(b"%x\r\n%s\r\n" % (500, b"x" * 500) for _ in range(3)) + b"0\r\n\r\n"
        assert (await client.ask(post("/small", b"Transfer-Encoding: chunked", body=chunks))).status == 413


async def test_content_over_the_limit_of_all_pages_ends_the_connection() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(body_bytes=100_000)
        await refused(await world.connect(), post("/echo", b"Content-Length: 200000", body=b"x" * 150_000), 413)


async def test_content_that_nobody_wants_is_not_read_for_ever() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(surplus_bytes=10_000)
        client = await world.connect()
        reply = await client.ask(post("/told", b"Content-Length: 50000000"))
        assert reply.status == 405
        await client.send(b"x" * 4_000_000)
        await client.expect_end()


async def test_an_answer_arrives_though_the_content_was_not_read() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        lines = (b"Connection: close", b"Content-Length: 3000000")
        assert (await client.ask(post("/small", *lines, body=b"x" * 3_000_000))).status == 413
        await client.expect_end()


async def test_who_expects_to_be_told_to_continue_is_told_when_the_content_is_wanted() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        expect = b"Expect: 100-continue"
        assert (await client.ask(post("/echo", expect, b"Content-Length: 3"))).status == 100
        assert (await client.ask(b"abc")).body == b"abc"


async def test_http_1_0_is_never_told_to_continue() -> None:
    async with serving(HttpWorld()) as world:
        data = post("/echo", b"Expect: 100-continue", b"Content-Length: 3", body=b"abc")
        reply = await (await world.connect()).ask(data.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (reply.status, reply.body) == (200, b"abc")


async def test_request_smuggling_who_is_refused_instead_of_told_to_continue_asks_no_more() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        data = post("/small", b"Expect: 100-continue", b"Content-Length: 5000")
        reply = await client.ask(data + SMUGGLED)
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        await client.expect_end()


async def test_slow_loris_a_head_that_trickles_in_is_not_waited_for() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(head_s=0.3)
        client = await world.connect()
        await client.send(b"GET /told HTTP/1.1\r\n")
        reply = await client.reply()
        assert is_problem(reply, 408)
        await client.expect_end()


async def test_slow_loris_content_that_trickles_in_is_not_waited_for() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(body_s=0.3)
        client = await world.connect()
        assert is_problem(await client.ask(post("/echo", b"Content-Length: 10", body=b"abc")), 408)
        await client.expect_end()


async def test_content_that_goes_on_may_take_its_time() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(body_s=0.2, body_step_bytes=200)
        client, loop = await world.connect(), asyncio.get_running_loop()
        sent, end = 0, loop.time() + 0.7
        await client.send(post("/echo", b"Transfer-Encoding: chunked"))
        while loop.time() < end:
            await client.send(b"64\r\n" + b"x" * 100 + b"\r\n")
            sent += 100
            await asyncio.wait([loop.create_future()], timeout=0.01)
        await client.send(b"0\r\n\r\n")
        reply = await client.reply()
        assert (reply.status, len(reply.body)) == (200, sent)


async def test_slow_loris_content_that_began_well_and_stops_is_not_waited_for() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(body_s=0.2, body_step_bytes=200)
        client = await world.connect()
        assert is_problem(await client.ask(post("/echo", b"Content-Length: 1000", body=b"x" * 900)), 408)
        await client.expect_end()


async def test_a_client_that_asks_nothing_is_let_go_without_a_word() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(head_s=0.2)
        client = await world.connect()
        await client.expect_end()


async def test_a_connection_is_kept_for_a_while() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(keep_alive_s=0.2)
        client = await world.connect()
        assert (await client.ask(TOLD)).status == 200
        await client.expect_end()


async def test_one_of_too_many_connections_on_all_nodes_ends_after_what_was_asked_is_answered() -> None:
    async with serving(HttpWorld()) as world:
        oldest, newest = await world.connect(), await world.connect()
        for client in (oldest, newest):
            assert (await client.ask(TOLD)).status == 200
        part_with_newest(world.admission, 1)
        await newest.expect_end()
        assert (await oldest.ask(TOLD)).status == 200


async def test_line_ends_between_requests_keep_no_connection() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(keep_alive_s=0.2)
        client = await world.connect()
        assert (await client.ask(TOLD)).status == 200
        await client.send(b"\r\n")
        await client.expect_end()


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(write_s=0.3)
        client = await world.connect()
        await client.send(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")

        async def is_gone() -> bool:
            return len(world.connections) == 0

        await until(is_gone)


async def test_one_client_has_its_share_of_connections() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(connections_per_ip=2)
        first, second = await world.connect(), await world.connect()
        assert (await first.ask(TOLD)).status == (await second.ask(TOLD)).status == 200
        third = await world.connect()
        reply = await third.reply()
        assert is_problem(reply, 429)
        assert reply.headers["retry-after"]
        await third.expect_end()
        await first.close()

        async def is_free() -> bool:
            return len(world.connections) == 1

        await until(is_free)
        fourth = await world.connect()
        assert (await fourth.ask(TOLD)).status == 200
        for client in (second, third, fourth):
            await client.close()


async def test_more_requests_than_may_be_under_way_are_told_to_come_back() -> None:
    async with serving(HttpWorld()) as world:
        world.limit(requests=1)
        first, second = await world.connect(), await world.connect()
        await first.send(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")

        async def is_waiting() -> bool:
            return world.entered == 1

        await until(is_waiting)
        reply = await second.ask(TOLD)
        assert is_problem(reply, 503)
        assert reply.headers["retry-after"]
        world.gate.set()
        assert (await first.reply()).status == 200


async def test_a_client_that_goes_in_the_middle_disturbs_nobody() -> None:
    async with serving(HttpWorld()) as world:
        for data in (
            b"GET /to",
            post("/echo", b"Content-Length: 10", body=b"abc"),
            b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n",
        ):
            client = await world.connect()
            await client.send(data)
            await client.close()
        world.gate.set()

        async def is_empty() -> bool:
            return len(world.connections) == 0

        await until(is_empty)
        client = await world.connect()
        assert (await client.ask(TOLD)).status == 200
        await client.close()


@pytest.mark.parametrize("following", [0, 1, 3])
async def test_a_page_is_told_that_its_client_has_gone_whatever_was_asked_after_it(following: int) -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(b"GET /until-gone HTTP/1.1\r\n" + HOST + b"\r\n" + TOLD * following)

        async def has_come() -> bool:
            return bool(world.entered)

        async def has_left() -> bool:
            return bool(world.left)

        await until(has_come)
        await client.close()
        await until(has_left)


async def test_a_client_that_stops_sending_still_gets_its_answer() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(TOLD)
        await client.half_close()
        assert (await client.reply()).status == 200


async def test_a_request_under_way_goes_on_with_its_generation_and_the_next_has_the_new_one() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        await client.send(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")

        async def is_waiting() -> bool:
            return world.entered == 1

        await until(is_waiting)
        world.generation = 2
        world.gate.set()
        assert (await client.reply()).body == b"1"
        assert orjson.loads((await client.ask(TOLD)).body)["generation"] == 2


async def test_a_drain_answers_what_has_begun_and_closes_what_is_idle() -> None:
    async with serving(HttpWorld()) as world:
        idle, busy, coming = [await world.connect() for _ in range(3)]
        assert (await idle.ask(TOLD)).status == 200
        await busy.send(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")
        await coming.send(b"GET /told HTTP/1.1\r\nHo")

        async def is_waiting() -> bool:
            return world.entered == 1

        await until(is_waiting)
        drain = asyncio.create_task(world.connections.drain(grace_s=20))
        await idle.expect_end()
        await coming.send(b"st: mail.example.com\r\n\r\n")
        assert (await coming.reply()).headers["connection"] == "close"
        world.gate.set()
        assert (await busy.reply()).status == 200
        await busy.expect_end()
        await coming.expect_end()
        assert await drain == 0


PROMISES = [
    item
    for name, item in list(globals().items())
    if name.startswith("test_") and inspect.iscoroutinefunction(item) and not inspect.signature(item).parameters
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_same_under_uvloop(promise: Callable[[], Coroutine[None, None, None]]) -> None:
    """The loop that serves: its transports differ from asyncio's in type and habits."""
    uvloop.run(promise())
