"""rspamd over HTTP: what it is told and what it says, and whatever it does wrong. Last, a real one."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.clients.rspamd import MOST_GOOD, Rspamd
from mailstack.model.errors import DomainError, Invalid, TryAgainLater
from mailstack.model.spam import Finding
from mailstack.ports.scanner import Brought, Scanned
from tests.support.engines_beside import MAIL, brought, real_rspamd

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def answer(told: object, head: bytes = OK) -> bytes:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def symbols(**scores: float) -> dict[str, object]:
    return {name: {"name": name, "score": score} for name, score in scores.items()}


def asking(url: str, *, password: str = "", most_points: float = 15.0, timeout_s: float = 5.0) -> Rspamd:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return Rspamd(url=url, password=password, most_points=most_points, timeout_s=timeout_s, tls=tls)


@contextlib.asynccontextmanager
async def serving(text: bytes, requests: list[bytes], *, stays: bool = False) -> AsyncIterator[str]:
    """A server that answers each request alike. stays: it says no more, and does not close."""
    ended = asyncio.Event()
    tasks: list[asyncio.Task[object] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, length = head.lower().partition(b"content-length: ")
            requests.append(head + await reader.readexactly(int(length.split(b"\r\n")[0] or 0)))
            writer.write(text)
            await writer.drain()
            if stays:
                await ended.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            ended.set()
            await asyncio.gather(*filter(None, tasks))


async def scanned(
    text: bytes, mail: Brought | None = None, *, most_points: float = 15.0, timeout_s: float = 5.0, stays: bool = False
) -> Scanned:
    async with serving(text, [], stays=stays) as url:
        return await asking(url, most_points=most_points, timeout_s=timeout_s).scan(mail or brought())


async def test_it_is_told_the_mail_and_who_brought_it() -> None:
    requests: list[bytes] = []
    async with serving(answer({"score": 0}), requests) as url:
        assert await asking(url, password="open sesame").scan(brought()) == Scanned(findings=[])
    head, _, body = requests[0].partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    assert line == "POST /checkv2 HTTP/1.1"
    assert body == MAIL
    assert {
        "From: a@b.example",
        "Rcpt: c@d.example",
        "Rcpt: e@d.example",
        "IP: 8.8.4.4",
        "Helo: mx.b.example",
        "Hostname: h.b.example",
        "Queue-Id: t",
        "Password: open sesame",
    } <= set(fields)


async def test_what_a_peer_calls_itself_ends_no_line() -> None:
    requests: list[bytes] = []
    mail = Brought(
        raw=MAIL,
        peer_host="",
        host_name="",
        ehlo_domain="a\r\nIP: 127.0.0.1",
        reverse_path="",
        recipients=["bücher@b.example\udce4"],
        trace_id="t",
    )
    async with serving(answer({"score": 0}), requests) as url:
        await asking(url).scan(mail)
    fields = requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert b"Helo: a??IP: 127.0.0.1" in fields
    assert b"From: <>" in fields
    assert "Rcpt: bücher@b.example?".encode() in fields
    assert not [field for field in fields if field.startswith((b"IP:", b"Hostname:", b"Password:"))]


@pytest.mark.parametrize(
    ("score", "points"), [(7.26, 7.3), (15.5, 15.0), (1e9, 15.0), (-2.5, -2.5), (-40, MOST_GOOD), (3, 3.0)]
)
async def test_its_score_counts_within_bounds(score: float, points: float) -> None:
    found = await scanned(answer({"score": score}))
    assert found.findings == [Finding(rule="rspamd", points=points)]


async def test_it_may_be_trusted_less() -> None:
    assert [each.points for each in (await scanned(answer({"score": 12}), most_points=4.5)).findings] == [4.5]


async def test_what_counts_most_is_told() -> None:
    many = symbols(**{f"SMALL_{number}": 0.1 for number in range(20)}, BIG=5.25, GOOD=-2.0, NOTHING=0.0)
    many["ODD\r\n\xe4"] = {"score": 9}
    many["BROKEN"] = {"score": "9"}
    found = await scanned(answer({"score": 12.2, "symbols": many}))
    why = found.findings[0].why
    assert why.startswith("ODD??")
    assert " +9.0, BIG +5.2, GOOD -2.0, SMALL_0 +0.1, " in why
    assert why.count(", ") == 7
    assert why.isprintable()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", TryAgainLater),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", TryAgainLater),
        (b"SSH-2.0-OpenSSH_9.2\r\n", TryAgainLater),
        (answer(b"", b"HTTP/1.1 503 Busy\r\n"), TryAgainLater),
        (answer(b"", b"HTTP/1.1 403 Forbidden\r\n"), Invalid),
        (answer(b"", b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n"), Invalid),
        (answer(b"not JSON"), Invalid),
        (answer(b'{"score": NaN}'), Invalid),
        (answer(b'{"score": 1' + b"0" * 400 + b"}"), Invalid),
        (answer({"score": "7"}), Invalid),
        (answer({}), Invalid),
        (answer([]), Invalid),
        (answer(b"[" * 100_000), Invalid),
        (answer(b" " * (2 << 20)), Invalid),
    ],
)
async def test_an_answer_that_says_nothing_is_a_fault(text: bytes, fault: type[DomainError]) -> None:
    with pytest.raises(fault, match="rspamd"):
        await scanned(text)


async def test_symbols_of_another_form_are_passed_over() -> None:
    forms: tuple[object, ...] = ([], "x", None, {"A": 3})
    for odd in forms:
        assert (await scanned(answer({"score": 3, "symbols": odd}))).findings == [Finding(rule="rspamd", points=3.0)]


@pytest.mark.parametrize("text", [b"", OK])
async def test_one_that_says_no_more_is_waited_for_no_longer_than_it_may_take(text: bytes) -> None:
    with pytest.raises(TryAgainLater, match="rspamd"):
        await scanned(text, timeout_s=0.05, stays=True)


async def test_nobody_there() -> None:
    with pytest.raises(TryAgainLater, match="rspamd"):
        await asking("http://127.0.0.1:1").scan(brought())
    assert not await asking("http://127.0.0.1:1").is_alive()


async def test_debians_rspamd_is_told_all_and_says_why(tmp_path: Path) -> None:
    with real_rspamd(tmp_path) as url:
        asked = asking(url, timeout_s=30.0)
        assert await asked.is_alive()
        found = await asked.scan(brought())
    why = "SELLS_WATCHES +4.5, SAYS_HELLO -0.2"
    assert found == Scanned(findings=[Finding(rule="rspamd", points=4.2, why=why)])
