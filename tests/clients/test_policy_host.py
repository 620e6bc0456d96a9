"""MTA-STS policies fetched from a real HTTPS server of a test: what is taken, and what is not. RFC 8461 §3.2, §3.3."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from mailstack.clients import policy_host
from mailstack.clients.policy_host import HttpsPolicyHost
from mailstack.clients.smtp.tls import verified_context
from mailstack.model.tls_policy import TlsFailure, Unfetched
from tests.support.memory_resolver import MemoryResolver

HOST = "mta-sts.them.test"
POLICY = b"version: STSv1\nmode: enforce\nmx: mx.them.test\nmax_age: 604800\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def response(body: bytes = POLICY, head: bytes = OK) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def unfetched(detail: str, failure: TlsFailure = TlsFailure.STS_POLICY_FETCH_ERROR) -> Unfetched:
    return Unfetched(failure, f"{HOST}{detail}")


class Web:
    """A server that answers each request alike, and what it was asked."""

    def __init__(self, authority: trustme.CA, ca_file: Path) -> None:
        self.authority = authority
        self.ca_file = ca_file
        self.requests: list[bytes] = []
        self.named: list[str | None] = []
        self.hosts: tuple[str, ...] = ("127.0.0.1",)

    @contextlib.asynccontextmanager
    async def serving(
        self, answer: bytes, certificate: trustme.LeafCert | None = None, *, stays: bool = False
    ) -> AsyncIterator[HttpsPolicyHost]:
        """stays: it says no more, and does not close."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.authority.issue_cert(HOST)).configure_cert(context)
        context.sni_callback = lambda _socket, name, _context: self.named.append(name)
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
                if stays:
                    await ended.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            yield HttpsPolicyHost(
                MemoryResolver(hosts={HOST: self.hosts}),
                tls=verified_context(ca_file=str(self.ca_file)),
                port=server.sockets[0].getsockname()[1],
                may_be_host=lambda _address: True,
            )
            ended.set()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def web(authority: trustme.CA, tmp_path: Path) -> Web:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return Web(authority, ca_file)


async def test_the_text_is_asked_for_by_the_name_at_its_one_place(web: Web) -> None:
    async with web.serving(response()) as host:
        assert await host.fetch("them.test") == POLICY
    (request,) = web.requests
    line, *fields = request.decode().lower().split("\r\n")
    assert line == "get /.well-known/mta-sts.txt http/1.1"
    assert {"accept: text/plain", "accept-encoding: identity"} <= set(fields)
    assert next(each for each in fields if each.startswith("host: ")).rpartition(":")[0] == f"host: {HOST}"
    assert web.named == [HOST]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: TEXT/PLAIN;foo=bar\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
    ],
)
async def test_what_is_plain_text_is_taken(web: Web, head: bytes) -> None:
    async with web.serving(response(head=head)) as host:
        assert await host.fetch("them.test") == POLICY


NOT_PLAIN = unfetched(": the policy is not sent as plain text", TlsFailure.STS_POLICY_INVALID)
TOO_LONG = unfetched(": the policy has more than 65536 octets", TlsFailure.STS_POLICY_INVALID)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response(head=b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"), unfetched(" answered 404")),
        (response(head=b"HTTP/1.1 203 Hm\r\nContent-Type: text/plain\r\n"), unfetched(" answered 203")),
        (
            response(head=b"HTTP/1.1 301 Moved\r\nLocation: https://them.test/\r\nContent-Type: text/plain\r\n"),
            unfetched(" answered 301"),
        ),
        (response(head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"), NOT_PLAIN),
        (response(head=b"HTTP/1.1 200 OK\r\n"), NOT_PLAIN),
        (response(head=OK + b"Content-Encoding: gzip\r\n"), NOT_PLAIN),
        (response(b"x" * 65_537), TOO_LONG),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" * 1 + b"x" * 0x4000 + b"\r\n", None),
        (b"220 mail.them.test ESMTP\r\n", None),
        (b"", None),
        (OK + b"X: " + b"y" * 200_000 + b"\r\n\r\n", None),
    ],
)
async def test_anything_else_is_none(web: Web, answer: bytes, expected: Unfetched | None) -> None:
    """expected: None: in the words of the library."""
    async with web.serving(answer) as host:
        found = await host.fetch("them.test")
    assert isinstance(found, Unfetched)
    assert found == (expected or Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, found.detail))
    assert found.detail.startswith(HOST)
    assert len(web.requests) == 1  # nothing is followed


async def test_a_text_without_end_is_cut_off(web: Web) -> None:
    endless = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n".join([b""] + [b"x" * 0x4000 + b"\r\n"] * 100)
    async with web.serving(endless, stays=True) as host:
        assert await host.fetch("them.test") == TOO_LONG


@pytest.mark.parametrize("kind", ["wrong name", "common name", "expired", "self-signed"])
async def test_a_host_without_a_good_certificate_is_asked_for_nothing(web: Web, kind: str) -> None:
    certificate = {
        "wrong name": lambda: web.authority.issue_cert("them.test"),
        "common name": lambda: web.authority.issue_cert(common_name=HOST),
        "expired": lambda: web.authority.issue_cert(HOST, not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "self-signed": lambda: trustme.CA().issue_cert(HOST),
    }[kind]()
    async with web.serving(response(), certificate) as host:
        found = await host.fetch("them.test")
    assert isinstance(found, Unfetched)
    assert found.failure is TlsFailure.STS_WEBPKI_INVALID
    assert found.detail.startswith(f"{HOST}: certificate not trusted: ")
    assert not web.requests


async def test_a_wildcard_stands_for_one_label(web: Web) -> None:
    async with web.serving(response(), web.authority.issue_cert("*.them.test")) as host:
        assert await host.fetch("them.test") == POLICY


async def test_a_host_that_says_nothing_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_host, "WHOLE_S", 0.2)
    async with web.serving(b"", stays=True) as host:
        assert await host.fetch("them.test") == unfetched(" did not answer in time")


async def test_addresses_are_tried_in_turn(web: Web) -> None:
    web.hosts = ("::1", "127.0.0.1")  # it listens on the second alone
    async with web.serving(response()) as host:
        assert await host.fetch("them.test") == POLICY


async def test_this_machine_and_its_link_are_never_asked(web: Web) -> None:
    hosts = ("127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:127.0.0.1")
    host = HttpsPolicyHost(MemoryResolver(hosts={HOST: hosts}), tls=verified_context())
    assert await host.fetch("them.test") == unfetched(" has no address that can be asked")
    assert not web.requests


async def test_dns_that_is_down_is_told(web: Web) -> None:
    host = HttpsPolicyHost(MemoryResolver(failing={HOST}), tls=verified_context())
    found = await host.fetch("them.test")
    assert found == Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, f"DNS: {HOST} timed out")
