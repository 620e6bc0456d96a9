"""What strangers send to the web server before anybody knows them: whole conversations
(mailstack.servers.http.connection), targets of requests (mailstack.servers.http.target), the first message of a TLS
handshake (mailstack.net.client_hello) and Outlook's questions (mailstack.formats.autodiscover)."""

import asyncio
import re
from html import unescape

from structlog.testing import capture_logs

from mailstack.formats.autodiscover import REQUEST, read_autodiscover, write_autodiscover
from mailstack.model.client_settings import ClientSettings
from mailstack.model.errors import Invalid, Unsupported
from mailstack.net.client_hello import offered_protocols
from mailstack.servers.http.target import BadTarget, read_target
from tests.fuzz.target import Target
from tests.support.http_wire import answered
from tests.support.http_world import HttpWorld

CLIENT_HELLO = bytes.fromhex(
    "010000650303" + "00" * 32 + "00" + "00021301" + "0100" + "003a"
    "0000001500130000106d61696c2e6578616d706c652e636f6d"  # server_name mail.example.com
    "0010000d000b0a61636d652d746c732f31"  # ALPN acme-tls/1
    "002b0003020304" + "000a00040002001d"
)


def targets(data: bytes) -> None:
    """A host and a path that cannot end a line, leave their folder or change the host; or none."""
    target, _, host = data.partition(b"\n")
    try:
        found = read_target(b"GET", target, [host], "1.1")
    except BadTarget:
        return
    assert found.origin.startswith(b"/")
    assert found.origin.isascii()
    assert not {octet for octet in found.origin if octet <= 0x20}
    assert not {"..", "."}.intersection(found.origin.decode().partition("?")[0].split("/"))
    assert found.host == found.host.lower()
    assert "/" not in found.host
    again = read_target(b"GET", found.origin, [f"[{found.host}]".encode() if ":" in found.host else host], "1.1")
    assert again.origin == found.origin


def client_hello(data: bytes) -> None:
    """Some protocols, and each of them stands there."""
    assert all(protocol in data for protocol in offered_protocols(data))


def conversation(data: bytes) -> None:
    """The same answers wherever the network cut, each with its id; never a bug of ours."""
    with capture_logs() as lines:
        whole = asyncio.run(_answered([data]))
        cut = asyncio.run(_answered([data[at : at + 5] for at in range(0, len(data), 5)]))
    # Only statuses: whether HEAD was asked is not known of every request that cannot be read.
    assert STATUS.findall(whole) == STATUS.findall(cut), (whole, cut)
    assert not [line for line in lines if line["log_level"] in ("error", "critical")], lines
    assert not whole or whole.startswith(b"HTTP/1.1 ")


async def _answered(pieces: list[bytes]) -> bytes:
    world = HttpWorld()
    # The tenth request sent ahead is refused or not by how quick the answers are.
    world.limit(pipelined=10_000)
    world.gate.set()
    return await answered(world.service, pieces)


STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
HOST = b"Host: mail.example.com\r\n"
REQUESTS = (
    b"GET /told HTTP/1.1\r\n" + HOST + b"\r\nHEAD /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhelloGET /nowhere HTTP/1.0\r\n\r\n",
    b"POST /small HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"POST /told HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nConnection: close\r\n\r\nabcdGET / HTTP/1.1\r\n",
    b"GET http://mail.example.com/told?x HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nmore",
    b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nX-Request-Id: a\r\n\r\n",
)

QUESTION = (
    b'<?xml version="1.0"?><Autodiscover xmlns="' + REQUEST.encode() + b'"><Request>'
    b"<EMailAddress>alice@example.com</EMailAddress></Request></Autodiscover>"
)


def autodiscover(data: bytes) -> None:
    """An address that can be written into an answer, or a refusal."""
    try:
        address = read_autodiscover(data)
    except (Invalid, Unsupported):
        return
    settings = ClientSettings(domain="example.com", login_domain="example.com", hostname="m.example", ports={"imap": 1})
    assert str(address).rpartition("@")[0] in unescape(write_autodiscover(settings, address).decode())


TARGETS = [
    Target("autodiscover", autodiscover, (QUESTION, b"<!DOCTYPE a []>" + QUESTION)),
    Target("web conversations", conversation, REQUESTS),
    Target(
        "web targets",
        targets,
        (
            b"/a/b?c=d\nmail.example.com",
            b"http://mail.example.com:80/a%20b\nx",
            b"/%2e%2e/x\nm.example",
            b"/\n[::1]:443",
        ),
    ),
    Target("client hello", client_hello, (CLIENT_HELLO,)),
]
