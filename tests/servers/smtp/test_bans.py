"""SMTP peers that misbehave: what is noted of them, and how they are turned away."""

from mailstack.model.conduct import BanRules, Offence
from mailstack.model.networks import networks_of
from mailstack.servers.smtp.service import SmtpRole
from tests.support.smtp_world import SmtpWorld, serving

HOST = "127.0.0.1"
GREETED = "S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ..."


def banning(world: SmtpWorld, after: int) -> None:
    world.conduct.rules = BanRules(after=after)


def points(world: SmtpWorld) -> float:
    record = world.conduct._records.get(HOST)
    return record.points if record else 0.0


async def test_a_banned_peer_is_turned_away_at_once_and_told_until_when(world: SmtpWorld) -> None:
    banning(world, 1)
    world.conduct.note(HOST, Offence.PROTOCOL_ABUSE)
    async with serving(world):
        client = await world.connect()
        await client.play("S: 421 4.7.0 Too much was tried from your address, come again after 20...")
        await client.expect_end()
        await client.close()
        world.conduct.rules = BanRules(never=networks_of(("127.0.0.0/8",)))
        again = await world.connect()
        await again.play("S: 220 ...\nC: QUIT\nS: 221 ...")
        await again.close()


async def test_who_tries_out_recipients_is_banned(world: SmtpWorld) -> None:
    banning(world, 3)
    async with serving(world):
        client = await world.connect()
        tries = "".join(f"C: RCPT TO:<nobody{at}@example.com>\nS: 550 5.1.1 ...\n" for at in range(3))
        await client.play(f"{GREETED}\nC: MAIL FROM:<>\nS: 250 ...\n{tries}C: QUIT\nS: 221 ...")
        await client.close()
        again = await world.connect()
        await again.play("S: 421 4.7.0 ...")
        await again.close()
    [ban] = world.conduct.unstored()
    assert (ban.peer, ban.reason) == (HOST, Offence.UNKNOWN_RECIPIENT.value)


async def test_who_tries_passwords_is_banned(world: SmtpWorld) -> None:
    banning(world, 4)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        tries = "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHdyb25n\nS: 535 5.7.8 ...\n" * 2
        await client.play(f"{GREETED}\n{tries}C: QUIT\nS: 221 ...")
        await client.close()
        again = await world.connect()
        await again.play("S: 421 4.7.0 ...")
        await again.close()


async def test_a_bare_line_feed_and_too_many_bad_commands_are_noted(world: SmtpWorld) -> None:
    banning(world, 1_000)
    world.limit(bad_commands=1)
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETED}\nC: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(b"a\nb\r\n.\r\n")
        await client.play("S: 550 5.6.11 ...")
        assert points(world) == 5
        await client.play("C: FOO\nS: 500 ...\nC: FOO\nS: 421 4.7.0 Too many errors")
        assert points(world) == 10
        await client.close()
