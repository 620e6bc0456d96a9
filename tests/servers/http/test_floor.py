"""What stands around every request: ids, headers, lines in the log, and an answer to every fault."""

from collections.abc import MutableMapping
from typing import Any

import httpx
import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from mailstack.model.errors import (
    AuthenticationFailed,
    Damaged,
    DomainError,
    Forbidden,
    Invalid,
    LineTooLong,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooMany,
    TryAgainLater,
)
from mailstack.servers.http.service import HttpRole
from tests.support.http_world import HttpWorld, serving

LOGGED = list[MutableMapping[str, Any]]


def told(*lines: bytes) -> bytes:
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"GET /told HTTP/1.1\r\nHost: mail.example.com\r\n" + fields + b"\r\n"


async def test_a_request_has_an_id_of_its_own() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        ids = [(await client.ask(told())).headers["x-request-id"] for _ in range(3)]
        assert len(set(ids)) == 3
        assert all(len(found) == 18 for found in ids)


@pytest.mark.parametrize("given", [b"a", b"req-1.2_3", b"A" * 64, b"01HF7Z"])
async def test_an_id_that_a_proxy_gave_is_kept(given: bytes) -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        assert (await client.ask(told(b"X-Request-Id: " + given))).headers["x-request-id"] == given.decode()


@pytest.mark.parametrize(
    "given", [b"", b"a b", b"a\tb", b'a"', b"a;b", b"<x>", b"%0d%0aSet-Cookie:x", b"-", b"A" * 65, b"\xff"]
)
async def test_header_injection_an_id_that_is_none_is_not_repeated(given: bytes) -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        with capture_logs() as lines:
            reply = await client.ask(told(b"X-Request-Id: " + given))
        assert reply.status == 200
        assert reply.headers["x-request-id"].isalnum()
        assert reply.headers["x-request-id"] != given.decode("latin-1")
        assert [line for line in lines if given and given.decode("latin-1") in line.values()] == []


async def test_header_injection_two_ids_are_none() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        assert (await client.ask(told(b"X-Request-Id: a", b"X-Request-Id: b"))).headers["x-request-id"] not in "ab"


async def test_security_headers_are_on_every_answer_and_no_program_is_named() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        for request in (told(), b"GET /nowhere HTTP/1.1\r\nHost: mail.example.com\r\n\r\n", b"nonsense\r\n\r\n"):
            reply = await client.ask(request)
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert reply.headers["referrer-policy"] == "no-referrer"
            assert reply.headers["cross-origin-resource-policy"] == "same-origin"
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
            assert "server" not in reply.headers
            assert "strict-transport-security" not in reply.headers  # RFC 6797 §7.2: not without TLS


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (NotFound("account 17"), 404),
        (QuotaExceeded(), 507),
        (TooMany(), 422),
        (Forbidden(), 403),
        (NotOwnAddress(), 403),
        (AuthenticationFailed(), 401),
        (TryAgainLater("disk /var/lib"), 503),
        (Invalid(), 422),
        (LineTooLong(), 422),
        (Damaged("system.db"), 500),
        (ZeroDivisionError("secret words"), 500),
    ],
)
async def test_a_fault_is_told_in_general_words_and_logged_in_full(fault: Exception, status: int) -> None:
    async with serving(HttpWorld(fault=fault)) as world:
        client = await world.connect()
        with capture_logs() as lines:
            reply = await client.ask(b"GET /fail HTTP/1.1\r\nHost: mail.example.com\r\n\r\n")
        assert reply.status == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert orjson.loads(reply.body).keys() == {"title", "status", "request"}
        assert str(fault) == "" or str(fault).encode() not in reply.body
        first = lines[0]
        assert first["event"] == ("refused" if isinstance(fault, DomainError) else "bug")
        assert not isinstance(fault, DomainError) or first["detail"] == str(fault)
        assert (await client.ask(told())).status == 200


async def test_who_is_not_known_is_told_how_to_prove_it() -> None:
    async with serving(HttpWorld(fault=AuthenticationFailed())) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /fail HTTP/1.1\r\nHost: mail.example.com\r\n\r\n")
        assert reply.headers["www-authenticate"] == 'Bearer realm="mailstack"'


async def test_every_request_leaves_one_line_without_its_query() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        with capture_logs() as lines:
            reply = await client.ask(b"GET /told/x?token=hunter2 HTTP/1.1\r\nHost: MAIL.example.com\r\n\r\n")
        (line,) = lines
        wanted = {"peer": "127.0.0.1", "method": "GET", "host": "mail.example.com", "path": "/told/x", "status": 200}
        assert wanted.items() <= line.items()
        assert (line["event"], line["log_level"], line["octets"]) == ("request", "info", len(reply.body))
        assert "hunter2" not in repr(line)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"GET /told HTTP/1.1\r\n\r\n", "0 Host fields"),
        (b"GET /%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n", "a path with dot segments or control characters"),
        (b"GET /told HTTP/1.1\r\nContent-Length: x\r\n\r\n", "Invalid character in Content-Length"),
    ],
)
async def test_why_a_request_cannot_be_read_is_for_the_log_alone(request_: bytes, reason: str) -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        with capture_logs() as lines:
            reply = await client.ask(request_)
        assert [(line["status"], line["reason"]) for line in lines] == [(400, reason)]
        assert reason.encode() not in reply.body


async def test_a_probe_is_logged_for_debugging_only() -> None:
    async with serving(HttpWorld()) as world:
        client = await world.connect()
        with capture_logs() as lines:
            await client.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [line["log_level"] for line in lines] == ["debug"]


async def test_the_id_is_bound_to_all_that_is_logged_meanwhile() -> None:
    async with serving(HttpWorld(fault=Forbidden())) as world:
        client = await world.connect()
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            reply = await client.ask(b"GET /fail HTTP/1.1\r\nHost: mail.example.com\r\n\r\n")
        assert [line["request"] for line in lines] == [reply.headers["x-request-id"]] * 2


async def test_a_real_client_is_understood() -> None:
    async with serving(HttpWorld()) as world, httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.port}") as client:
        assert (await client.get("/told")).json()["path"] == "/told"
        assert (await client.post("/echo", content=b"x" * 300_000)).content == b"x" * 300_000
        assert (await client.post("/small", content=b"x" * 300_000)).status_code == 413

        async def pieces() -> Any:
            for _ in range(30):
                yield b"y" * 10_000

        assert len((await client.post("/echo", content=pieces())).content) == 300_000
        assert len((await client.get("/large")).content) == 8_000_000
        assert (await client.get("/stream")).text == "one two three"
        assert (await client.head("/told")).content == b""
        assert (await client.get("/nowhere")).json()["title"] == "There is nothing here"


@pytest.mark.parametrize("role", [HttpRole.PLAIN, HttpRole.SECURE])
@pytest.mark.parametrize(
    "host", [b"evil.example", b"mail.example.com.evil.example", b"203.0.113.9", b"mail.example.org"]
)
async def test_host_header_attacks_nobody_is_answered_for_another_name(role: HttpRole, host: bytes) -> None:
    async with serving(HttpWorld(), role) as world:
        client = await world.connect()
        reply = await client.ask(b"GET /told HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert reply.status == 421
        assert "location" not in reply.headers
        assert host not in reply.body
