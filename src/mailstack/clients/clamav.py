"""clamd asked about viruses, over a unix socket or TCP: works as ports.scanner.Scanner."""

import ipaddress
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.net.stream import Stream, dial, dial_socket
from mailstack.ports.resolver import Resolver
from mailstack.ports.scanner import Brought, Scanned
from mailstack.wire.clamd import END, MOST_REPLY_OCTETS, PING, PONG, Clean, Failed, Infected, instream, parse_reply


class Clamav:
    """socket: a path; "" for host and port, the host a name or an address. most_octets: of a mail, from its beginning;
    the rest is not looked at. timeout_s: of each step."""

    def __init__(
        self, resolver: Resolver, *, socket: str, host: str, port: int, most_octets: int, timeout_s: float
    ) -> None:
        self._resolver = resolver
        self._socket = socket
        self._host = host
        self._port = port
        self._most_octets = most_octets
        self._timeout_s = timeout_s

    async def scan(self, mail: Brought) -> Scanned:
        reply = await self._asked(instream(mail.raw, self._most_octets), self._timeout_s)
        match parse_reply(reply):
            case Clean():
                return Scanned(is_virus_checked=len(mail.raw) <= self._most_octets)
            case Infected(virus):
                return Scanned(virus=virus, is_virus_checked=True)
            case Failed(reason) if reply.endswith(END):
                raise Invalid(f"clamd: {reason}")
            case Failed(reason):
                raise TryAgainLater(f"clamd: {reason}")

    async def is_alive(self) -> bool:
        try:
            return await self._asked([PING], self._timeout_s) == PONG
        except (TryAgainLater, Invalid):
            return False

    async def _asked(self, pieces: Iterable[bytes], timeout_s: float) -> bytes:
        """Its reply as far as it came. Raises TryAgainLater, Invalid."""
        async with self._connected(timeout_s) as stream:
            try:
                for piece in pieces:
                    await stream.write(piece, timeout_s=timeout_s)
            except ConnectionError:
                # What it said before it closed is lost with the connection.
                raise Invalid("clamd takes no more of the mail: is its StreamMaxLength less than max_size?") from None
            reply = b""
            while END not in reply and len(reply) < MOST_REPLY_OCTETS:
                data = await stream.read(timeout_s=timeout_s, at_most=MOST_REPLY_OCTETS)
                if not data:
                    break
                reply += data
            return reply

    @asynccontextmanager
    async def _connected(self, timeout_s: float) -> AsyncIterator[Stream]:
        stream = await self._dialled(timeout_s)
        try:
            yield stream
        except (OSError, TimeoutError) as fault:
            raise TryAgainLater(f"clamd: {str(fault) or 'no answer in time'}") from fault
        finally:
            stream.abort()

    async def _dialled(self, timeout_s: float) -> Stream:
        if self._socket:
            return await dial_socket(self._socket, timeout_s=timeout_s)
        last = TryAgainLater(f"clamd: {self._host} has no address")
        for address in await self._addresses():
            try:
                return await dial(address, self._port, timeout_s=timeout_s)
            except TryAgainLater as fault:
                last = fault
        raise last

    async def _addresses(self) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(self._host))]
        except ValueError:
            return await self._resolver.addresses(self._host)
