"""Trying out recipients is slow, for who does it and for nobody else."""

import asyncio

from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.tarpit import delay_s
from tests.support.smtp_world import SmtpWorld, serving

BEGIN = "S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<>\nS: 250 ..."
UNKNOWN = "C: RCPT TO:<nobody@example.com>"
DEADLINE_S = 30.0


def test_slips_are_free_and_each_further_one_waits_twice_as_long_up_to_a_bound() -> None:
    waits = [delay_s(unknown, Limits()) for unknown in range(12)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 16, 16, 16]
    assert delay_s(1_000_000, Limits()) == 16


async def test_who_is_held_up_keeps_nobody_else_waiting_and_not_the_end_of_the_server(world: SmtpWorld) -> None:
    world.limit(slips=0, first_delay_s=3_600, longest_delay_s=3_600)
    async with asyncio.timeout(DEADLINE_S), serving(world):
        slow, quick = await world.connect(), await world.connect()
        await slow.play(BEGIN)
        await slow.send(b"RCPT TO:<nobody@example.com>\r\n")
        await quick.play(f"{BEGIN}\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await quick.close()
        for connection in tuple(world.connections._open):
            connection.shut_down()
        await slow.play("S: 550 5.1.1 ...")
        await slow.close()


async def test_more_than_so_many_are_sent_away(world: SmtpWorld) -> None:
    world.limit(slips=0, first_delay_s=3_600, longest_delay_s=3_600, held_up=0)
    async with serving(world):
        client = await world.connect()
        await client.play(f"{BEGIN}\n{UNKNOWN}\nS: 421 4.7.0 Too many errors")
        await client.close()
