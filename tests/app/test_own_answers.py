"""Whether our own listeners show a proof, before an authority is told to look."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mailstack.app.own_answers import own_answers
from mailstack.model.instant import Instant
from mailstack.model.issuance import Proof, ProofMethod
from mailstack.net.tls import Identity, server_context
from mailstack.reconcile.providers.certs import proof_certificate, self_signed

HOST = "mail.example.com"
NOW = Instant(1_790_000_000_000)


def proof(method: ProofMethod) -> Proof:
    return Proof(method=method, host=HOST, token="token", value="token.thumbprint")


@asynccontextmanager
async def listening(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, ...]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield (f"127.0.0.1:{server.sockets[0].getsockname()[1]}",)


@pytest.mark.parametrize(
    ("answer", "is_answered"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\ntoken.thumbprint\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\nanother.one", False),
        (b"HTTP/1.1 404 Not Found\r\n\r\ntoken.thumbprint", False),
        (b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://x/\r\n\r\n", False),
        (b"\xff\xfe", False),
    ],
)
async def test_over_http_the_answer_is_looked_at(answer: bytes, is_answered: bool) -> None:
    async with listening(answer) as endpoints:
        assert await own_answers({"http": endpoints})(proof(ProofMethod.HTTP_01)) is is_answered


async def test_nobody_at_the_port_is_no_answer() -> None:
    ask = own_answers({"http": ("127.0.0.1:1",), "https": ("127.0.0.1:1",)})
    assert not await ask(proof(ProofMethod.HTTP_01))
    assert not await ask(proof(ProofMethod.TLS_ALPN_01))
    assert not await own_answers({})(proof(ProofMethod.HTTP_01))


async def test_over_tls_only_the_handshake_of_this_very_proof_counts() -> None:
    shown, earlier = (
        server_context(
            Identity(names=(HOST,), chain=proof_certificate(HOST, value, NOW), key=""), protocols=("acme-tls/1",)
        )
        for value in ("token.thumbprint", "earlier.thumbprint")
    )
    chain, key = self_signed((HOST,), NOW)
    ordinary = server_context(Identity(names=(HOST,), chain=chain, key=key), protocols=("http/1.1",))
    for context, is_answered in ((shown, True), (earlier, False), (ordinary, False)):
        async with listening(b"", context) as endpoints:
            assert await own_answers({"https": endpoints})(proof(ProofMethod.TLS_ALPN_01)) is is_answered


async def test_a_second_listener_is_asked_where_the_first_is_silent() -> None:
    async with listening(b"HTTP/1.1 200 OK\r\n\r\ntoken.thumbprint") as endpoints:
        ask = own_answers({"http": ("127.0.0.1:1", *endpoints)})
        assert await ask(proof(ProofMethod.HTTP_01))
