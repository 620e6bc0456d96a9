"""Slow-loris: connections that never finish what they say, from many networks, and everybody else."""

import asyncio
import resource
from collections.abc import Iterator

import pytest

from tests.support.smtp_world import ALICE, SmtpWorld, serving

STALLED = 2_000
PER_ADDRESS = 20
DEADLINE_S = 120.0


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of every connection are here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STALLED + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"no process here may have {wanted} files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_two_thousand_stalled_connections_leave_the_server_serving_others(world: SmtpWorld) -> None:
    stalled: list[asyncio.StreamWriter] = []
    async with asyncio.timeout(DEADLINE_S), serving(world):
        for number in range(STALLED):
            source = f"127.{1 + number // PER_ADDRESS}.0.1"
            _, writer = await asyncio.open_connection("127.0.0.1", world.port, local_addr=(source, 0))
            writer.write(b"EHLO never.ends")
            stalled.append(writer)
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<>\nS: 250 ...")
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 ...\nC: DATA\nS: 354 ...")
        await client.send(b"Subject: through\r\n\r\nHello\r\n.\r\n")
        await client.play("S: 250 2.0.0 OK ...\nC: QUIT\nS: 221 ...")
        await client.close()
        assert len(world.connections) == STALLED
        for writer in stalled:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in stalled), return_exceptions=True)
    assert len(world.inbox(ALICE)) == 1
