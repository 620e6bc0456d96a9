"""clamd over a unix socket and TCP: what it finds, and whatever it does wrong. Last, a real one."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from mailstack.clients.clamav import Clamav
from mailstack.model.errors import DomainError, Invalid, TryAgainLater
from mailstack.ports.scanner import Scanned
from tests.support.engines_beside import MAIL, VIRUS, brought, real_clamd
from tests.support.memory_resolver import MemoryResolver

FOUND = b"stream: Test-Virus FOUND\0"


class FakeClamd:
    """Speaks as clamd does, as far as a test lets it. scanned: what it was sent. takes: octets of a stream, then it
    says its reply and closes. pieces: of the reply; stays: it says no more, and does not close."""

    def __init__(self, reply: bytes = b"stream: OK\0") -> None:
        self.reply = reply
        self.scanned: list[bytes] = []
        self.takes = 1 << 30
        self.bytewise = False
        self.stays = False
        self.is_silent = False
        self._ended = asyncio.Event()
        self._serving: list[asyncio.Task[object] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            command = await reader.readuntil(b"\0")
            if command == b"zPING\0" and not self.is_silent:
                writer.write(b"PONG\0")
            elif command == b"zINSTREAM\0":
                await self._scan(reader)
                for piece in [bytes([octet]) for octet in self.reply] if self.bytewise else [self.reply]:
                    writer.write(piece)
                    await writer.drain()
            if self.stays or self.is_silent:
                await self._ended.wait()
        writer.close()

    async def _scan(self, reader: asyncio.StreamReader) -> None:
        content = b""
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(length)
            if len(content) > self.takes:
                return
        self.scanned.append(content)

    @contextlib.asynccontextmanager
    async def on(self, server: asyncio.Server) -> AsyncIterator[None]:
        async with server:
            try:
                yield
            finally:
                self._ended.set()
                await asyncio.gather(*filter(None, self._serving))


def scanner(socket: str = "", *, port: int = 0, host: str = "127.0.0.1", most: int = 1 << 20, s: float = 5.0) -> Clamav:
    resolver = MemoryResolver(hosts={"clamav": ("::1", "127.0.0.1")})
    return Clamav(resolver, socket=socket, host=host, port=port, most_octets=most, timeout_s=s)


async def scanned(clamd: FakeClamd, folder: Path, raw: bytes = MAIL, *, most: int = 1 << 20, s: float = 5.0) -> Scanned:
    socket = str(folder / "s")
    async with clamd.on(await asyncio.start_unix_server(clamd.serve, socket)):
        return await scanner(socket, most=most, s=s).scan(brought(raw))


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(("reply", "virus"), [(b"stream: OK\0", ""), (FOUND, "Test-Virus")])
async def test_what_it_finds(tmp_path: Path, reply: bytes, virus: str, bytewise: bool) -> None:
    clamd = FakeClamd(reply)
    clamd.bytewise = bytewise
    assert await scanned(clamd, tmp_path) == Scanned(virus=virus, is_virus_checked=True)
    assert clamd.scanned == [MAIL]


@pytest.mark.parametrize("host", ["127.0.0.1", "clamav"])
async def test_it_is_asked_over_tcp(host: str) -> None:
    clamd = FakeClamd(FOUND)
    server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0)
    async with clamd.on(server):
        found = await scanner(host=host, port=server.sockets[0].getsockname()[1]).scan(brought(MAIL))
    assert found.virus == "Test-Virus"


async def test_of_a_large_mail_it_sees_the_beginning(tmp_path: Path) -> None:
    clamd = FakeClamd(FOUND)
    assert (await scanned(clamd, tmp_path, MAIL + b"x" * 200_000, most=100_000)).virus == "Test-Virus"
    assert clamd.scanned == [(MAIL + b"x" * 200_000)[:100_000]]


async def test_what_it_sees_the_beginning_of_it_has_not_checked(tmp_path: Path) -> None:
    for most, is_checked in ((len(MAIL), True), (len(MAIL) - 1, False)):
        found = await scanned(FakeClamd(b"stream: OK\0"), tmp_path, most=most)
        assert found == Scanned(is_virus_checked=is_checked)


async def test_where_it_takes_less_than_it_is_sent_the_log_tells_what_to_look_at(tmp_path: Path) -> None:
    clamd = FakeClamd(b"INSTREAM size limit exceeded. ERROR\0")
    clamd.takes = 1_000
    with pytest.raises(Invalid, match=r"StreamMaxLength|size limit exceeded"):
        await scanned(clamd, tmp_path, MAIL + b"x" * 500_000)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (b"", TryAgainLater),
        (b"stream: OK", TryAgainLater),
        (b"stream: Test-Virus FOU", TryAgainLater),
        (b"x" * 100_000, TryAgainLater),
        (b"stream: Can't allocate memory ERROR\0", Invalid),
    ],
)
async def test_a_reply_that_says_nothing_is_a_fault(tmp_path: Path, reply: bytes, fault: type[DomainError]) -> None:
    with pytest.raises(fault, match="clamd: "):
        await scanned(FakeClamd(reply), tmp_path)


@pytest.mark.parametrize("reply", [b"", b"stream: "])
async def test_one_that_says_no_more_is_waited_for_no_longer_than_it_may_take(tmp_path: Path, reply: bytes) -> None:
    clamd = FakeClamd(reply)
    clamd.stays = True
    with pytest.raises(TryAgainLater, match="no answer in time"):
        await scanned(clamd, tmp_path, s=0.05)


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(TryAgainLater, match="is not there: start the server"):
        await scanner(str(tmp_path / "none")).scan(brought(MAIL))
    with pytest.raises(TryAgainLater, match=r"connect to 127\.0\.0\.1"):
        await scanner(port=1).scan(brought(MAIL))
    with pytest.raises(TryAgainLater, match="nowhere has no address"):
        await scanner(host="nowhere", port=1).scan(brought(MAIL))
    assert not await scanner(str(tmp_path / "none")).is_alive()


@pytest.mark.parametrize("is_silent", [False, True])
async def test_whether_it_is_alive(tmp_path: Path, is_silent: bool) -> None:
    clamd = FakeClamd()
    clamd.is_silent = is_silent
    socket = str(tmp_path / "s")
    async with clamd.on(await asyncio.start_unix_server(clamd.serve, socket)):
        assert await scanner(socket, s=0.05 if is_silent else 5.0).is_alive() is not is_silent


def with_attachment(content: bytes) -> bytes:
    return (
        b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(content)
        + b"\r\n--x--\r\n"
    )


async def test_debians_clamd_finds_what_is_attached(tmp_path: Path) -> None:
    found: Sequence[Scanned] = []
    with real_clamd(tmp_path) as socket:
        asked = scanner(socket, s=30.0)
        assert await asked.is_alive()
        found = [await asked.scan(brought(with_attachment(text))) for text in (VIRUS, b"as every day")]
    assert [each.virus for each in found] == ["Test.Stand-In.UNOFFICIAL", ""]
