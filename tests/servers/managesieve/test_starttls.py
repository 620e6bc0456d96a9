"""STARTTLS, and what an attacker may put behind it. RFC 5804 §2.2."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from mailstack.servers.managesieve.service import ManageSieveLimits
from tests.support.dialogue import Client, connect
from tests.support.imap_server import PASSWORD
from tests.support.managesieve_server import (
    RunningManageSieve,
    capabilities,
    log_in,
    managesieve_client,
    running_managesieve,
)
from tests.support.scram import ScramTalk
from tests.support.wakes import eventually

END_POINT = b"e" * 32


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def with_tls(
    folder: Path, authority: trustme.CA, limits: ManageSieveLimits | None = None
) -> AsyncIterator[RunningManageSieve]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with running_managesieve(
        folder, tls=context, plaintext_is_secure=lambda _: False, limits=limits, end_point=END_POINT
    ) as running:
        yield running


@pytest.fixture
async def shielded(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[RunningManageSieve]:
    async with with_tls(tmp_path, authority) as running:
        yield running


@pytest.fixture
async def plain(shielded: RunningManageSieve) -> AsyncIterator[Client]:
    """Before the greeting."""
    client = await connect("127.0.0.1", shielded.port)
    yield client
    await client.close()


async def handshake(client: Client, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.check_hostname = False
    await client.writer.start_tls(context)


async def test_after_starttls_capabilities_come_anew_and_a_password_is_taken(
    plain: Client, authority: trustme.CA
) -> None:
    before = await capabilities(plain)
    assert '"SASL" ""' in before
    assert '"STARTTLS"' in before

    await plain.play('C: STARTTLS\nS: OK "Begin TLS negotiation now"')
    await handshake(plain, authority)

    after = await capabilities(plain)
    assert '"SASL" "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"' in after
    assert '"STARTTLS"' not in after
    await plain.play('C: STARTTLS\nS: NO "STARTTLS is not offered"')
    await log_in(plain)


async def test_a_proof_bound_to_the_certificate_logs_in(plain: Client, authority: trustme.CA) -> None:
    await capabilities(plain)
    await plain.play("C: STARTTLS\nS: OK ...")
    await handshake(plain, authority)
    await capabilities(plain)
    talk = ScramTalk("u0", PASSWORD, end_point=END_POINT)
    await plain.send(f'AUTHENTICATE "SCRAM-SHA-256-PLUS" "{talk.first()}"\r\n'.encode())
    await plain.send(f'"{talk.final((await plain.line()).strip(chr(34)))}"\r\n'.encode())
    said = await plain.line()
    assert said.startswith('OK (SASL "')
    talk.finish(said.split('"')[1])


async def test_starttls_buffering_a_command_in_the_same_segment_is_never_run(
    plain: Client, authority: trustme.CA
) -> None:
    """CVE-2011-0411, CVE-2021-33515: plain text injected before the handshake."""
    await capabilities(plain)
    await plain.send(b'STARTTLS\r\nNOOP "injected"\r\nAUTHENTICATE "PLAIN"\r\n')
    await plain.play("S: OK ...")
    await handshake(plain, authority)
    await capabilities(plain)

    await plain.play('C: NOOP "first"\nS: OK (TAG "first") "NOOP completed"')


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b""])
async def test_a_handshake_that_fails_or_never_comes_ends_the_connection(
    tmp_path: Path, authority: trustme.CA, hello: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        with_tls(tmp_path, authority, ManageSieveLimits(handshake_s=0.3)) as hasty,
        managesieve_client(hasty.port) as client,
    ):
        await client.play("C: STARTTLS\nS: OK ...")
        await client.send(hello)
        await eventually(lambda: not len(hasty.connections))

    said = capsys.readouterr()
    assert "[error" not in said.out
    assert "Traceback" not in said.out + said.err


async def test_where_it_is_not_offered_it_is_refused(stranger: Client) -> None:
    await stranger.play('C: STARTTLS\nS: NO "STARTTLS is not offered"')
