"""A name server on loopback that knows what a test tells it, over UDP and TCP on one port.

names: {"example.com": {"MX": ["10 mx.example.com."]}}; a name that is not there does not exist.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Names = Mapping[str, Mapping[str, Sequence[str]]]
MAX_UDP_OCTETS = 1232


@dataclass
class DnsServer:
    """asked: every question, as "name TYPE". silent and failing: names answered by nothing, or by SERVFAIL. is_lame:
    answers as one who heard of it elsewhere. negative_ttl_s: in a SOA record beside absence, None for none."""

    names: dict[str, Mapping[str, Sequence[str]]]
    ttl_s: int = 60
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    is_lame: bool = False
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
            self._fill(response, name, rdtype)
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

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> None:
        for _ in range(10):
            if name not in self.names:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            records = self.names[name]
            wanted = "CNAME" if "CNAME" in records and rdtype != "CNAME" else rdtype
            if wanted in records:
                owner = dns.name.from_text(name)
                response.answer.append(dns.rrset.from_text(owner, self.ttl_s, "IN", wanted, *records[wanted]))
            if wanted == rdtype:
                return
            name = records["CNAME"][0].rstrip(".").lower()


@contextlib.asynccontextmanager
async def dns_server(names: Names, *, ttl_s: int = 60) -> AsyncIterator[DnsServer]:
    server = DnsServer(names=dict(names), ttl_s=ttl_s)
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(lambda r, w: _serve_tcp(server, r, w), "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", server.port))
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(server), sock=udp)
    try:
        yield server
    finally:
        transport.close()
        tcp.close()
        await tcp.wait_closed()


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
