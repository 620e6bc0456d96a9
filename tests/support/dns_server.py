"""A name server on loopback that knows what a test tells it, over UDP and TCP on one port.

names: {"example.com": {"MX": ["10 mx.example.com."]}}; a name that is not there does not exist.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from anyio.from_thread import start_blocking_portal

from tests.support.namespaces import Namespace

Names = Mapping[str, Mapping[str, Sequence[str]]]
MAX_UDP_OCTETS = 1232


@dataclass
class DnsServer:
    """asked: every question, as "name TYPE". silent and failing: names answered by nothing, or by SERVFAIL. is_lame:
    answers as one who heard of it elsewhere. negative_ttl_s: in a SOA record beside absence, None for none. secure:
    names in signed zones, for which it sets AD where it is asked to. always_says_secure: it sets AD unasked."""

    names: dict[str, Mapping[str, Sequence[str]]]
    ttl_s: int = 60
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    is_lame: bool = False
    secure: set[str] = field(default_factory=set)
    always_says_secure: bool = False
    negative_ttl_s: int | None = None
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, wire: bytes, *, is_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {rdtype}")
        if name in self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if not self.is_lame:
            response.flags |= dns.flags.AA
        if name in self.failing or f"{name} {rdtype}" in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            met = self._fill(response, name, rdtype)
            if self.always_says_secure or (query.flags & dns.flags.AD and self.secure.issuperset(met)):
                response.flags |= dns.flags.AD
            if self.negative_ttl_s is not None and not any(
                found.rdtype == question.rdtype for found in response.answer
            ):
                soa = f"ns.test. postmaster.test. 1 7200 900 1209600 {self.negative_ttl_s}"
                response.authority.append(dns.rrset.from_text(dns.name.root, self.ttl_s, "IN", "SOA", soa))
        packet = response.to_wire(max_size=65_535)
        if not is_tcp and len(packet) > MAX_UDP_OCTETS:
            response.answer.clear()
            response.flags |= dns.flags.TC
            packet = response.to_wire()
        return packet

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> Sequence[str]:
        """The names on the way."""
        met = []
        for _ in range(10):
            met.append(name)
            if name not in self.names:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            records = self.names[name]
            wanted = "CNAME" if "CNAME" in records and rdtype != "CNAME" else rdtype
            if wanted in records:
                owner = dns.name.from_text(name)
                response.answer.append(dns.rrset.from_text(owner, self.ttl_s, "IN", wanted, *records[wanted]))
            if wanted == rdtype:
                break
            name = records["CNAME"][0].rstrip(".").lower()
        return met


@contextlib.asynccontextmanager
async def dns_server(names: Names, *, ttl_s: int = 60, namespace: Namespace | None = None) -> AsyncIterator[DnsServer]:
    """namespace: where it is reached, None for the test's own."""
    server = DnsServer(names=dict(names), ttl_s=ttl_s)
    loop = asyncio.get_running_loop()
    listener, udp = _sockets() if namespace is None else namespace.run(_sockets)
    tcp = await asyncio.start_server(lambda r, w: _serve_tcp(server, r, w), sock=listener)
    server.port = listener.getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(server), sock=udp)
    try:
        yield server
    finally:
        transport.close()
        tcp.close()
        await tcp.wait_closed()


@contextlib.contextmanager
def dns_server_beside(names: Names, *, namespace: Namespace | None = None) -> Iterator[DnsServer]:
    """In a thread of its own, for tests that are not async."""
    running = dns_server(names, namespace=namespace)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running) as server:
        yield server


def _sockets() -> tuple[socket.socket, socket.socket]:
    """For TCP and UDP, on one port."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:  # what is free for one may be a client's of the other
            tcp.close()
            udp.close()
        else:
            return tcp, udp


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # the selector loop's is none by inheritance

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = self._server.answer(data, is_tcp=False)
        if packet is not None and self._transport is not None:
            self._transport.sendto(packet, addr)


async def _serve_tcp(server: DnsServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        size = int.from_bytes(await reader.readexactly(2), "big")
        packet = server.answer(await reader.readexactly(size), is_tcp=True)
        if packet is not None:
            writer.write(len(packet).to_bytes(2, "big") + packet)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
