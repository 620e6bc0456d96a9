"""Mail that waits until its time, over a real connection. RFC 4865."""

import pytest

from mailstack.model.instant import HOUR_MS
from mailstack.servers.smtp.service import SmtpRole
from tests.support.smtp_world import ALICE, BOB, SmtpWorld, serving

LOG_IN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 AUTH ...
    C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAGNvcnJlY3QgaG9yc2U=
    S: 235 ...
"""


async def test_held_mail_is_in_nobody_s_mailbox_and_in_the_queue_as_if_it_came_later(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"""
            {LOG_IN}
            C: MAIL FROM:<alice@example.com> HOLDFOR=3600
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<bob+later@example.com>
            S: 250 ...
            C: RCPT TO:<friend@elsewhere.example>
            S: 250 ...
            C: DATA
            S: 354 ...
            C: From: alice@example.com
            C:
            C: see you
            C: .
            S: 250 2.0.0 OK ...
        """)
        await client.close()
    assert world.inbox(BOB) == []
    release_at = world.clock() + HOUR_MS
    # The path as written: scripts are to see the detail when it is released.
    assert [(item.recipient, item.next_at, item.queued_at) for item in await world.queue.items()] == [
        ("bob+later@example.com", release_at, release_at),
        ("friend@elsewhere.example", release_at, release_at),
    ]


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("HOLDFOR=0", "250 2.1.0 Sender OK"),
        ("HOLDFOR=x", "501 5.5.4 Invalid argument"),
        ("HOLDFOR=2592001", "501 5.5.4 Invalid argument"),
        ("HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z", "501 5.5.4 Invalid argument"),
    ],
)
async def test_what_can_not_be_promised_is_refused(world: SmtpWorld, parameters: str, reply: str) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"{LOG_IN}\nC: MAIL FROM:<{ALICE.login}> {parameters}\nS: {reply}")
        await client.close()


async def test_strangers_hold_no_mail_here(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play("""
            S: 220 mail.example.com ESMTP
            C: EHLO client.example
            S: 250-...
            S: 250 ENHANCEDSTATUSCODES
            C: MAIL FROM:<x@y.example> HOLDFOR=60
            S: 555 5.5.4 Unknown parameter
        """)
        await client.close()
