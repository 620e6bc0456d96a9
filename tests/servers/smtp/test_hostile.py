"""Mail that is made to cost time, through the whole server: each has its reply, for work that can be counted.

How long each takes was measured; docs/performance.md has the table.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from mailstack.formats import headers
from mailstack.formats.limits import LIMITS
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.sign import sign
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES
from mailstack.model.instant import Instant
from mailstack.net.resolver import DnsResolver
from mailstack.ports.resolver import Resolver
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import Client
from tests.support.dns_server import dns_server
from tests.support.fake_clock import FakeClock
from tests.support.senders import sender_policy
from tests.support.silent_resolver import SilentFor
from tests.support.smtp_world import ALICE, SmtpWorld, serving
from tests.support.wakes import eventually
from tests.support.zone_resolver import ZoneResolver

NOW = Instant(1_700_000_000_000)
PAIR = keys.generate("ed25519")
KEY = keys.load(domain="signer.example", selector="s", private_pem=PAIR.private_pem)
RECORD = keys.record("ed25519", PAIR.public_key)

HEADER = b"From: x@author.example\r\nSubject: s\r\n"
RAW = HEADER + b"\r\nbody\r\n"
FIELD = sign(RAW, [KEY], now=NOW)
NESTED = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n"

ZONES: Mapping[str, Sequence[Any]] = {
    "s._domainkey.signer.example": [{"TXT": RECORD}],
    "s._domainkey.huge.example": [{"TXT": RECORD + " " * 100_000}],
    "void.example": [{"SPF": "v=spf1 " + " ".join(f"a:v{n}.void.example" for n in range(60)) + " -all"}],
    "wide.example": [{"SPF": "v=spf1 " + " ".join(f"include:{n}.wide.example" for n in range(10)) + " -all"}],
    **{
        f"{n}.wide.example": [{"SPF": "v=spf1 " + " ".join(f"include:{n}.{m}.wide.example" for m in range(10))}]
        for n in range(10)
    },
    **{f"{n}.{m}.wide.example": [{"SPF": "v=spf1 a mx ptr ~all"}] for n in range(10) for m in range(10)},
    "loop.example": [{"CNAME": "again.example"}],
    "again.example": [{"CNAME": "loop.example"}],
    "self.example": [{"SPF": "v=spf1 include:self.example -all"}],
    "long.example": [{"TXT": "v=spf1 " + "ip4:192.0.2.1 " * 4_600 + "-all"}],
    "mx.example": [{"SPF": "v=spf1 mx:many.example -all"}],
    "many.example": [{"MX": [n, f"mx{n}.many.example"]} for n in range(100)],
    "1.0.0.127.in-addr.arpa": [{"PTR": f"n{n}.many.example"} for n in range(1_000)],
}

OK = "250 2.0.0 OK"
LARGE_HEADER = "552 5.3.4 The header of the message is too large, at most 262144 octets"
BAD_FROM = "550 5.6.0 The From field must name one author"


def world_with(resolver: Resolver, *, dns_deadline_s: float = 30) -> SmtpWorld:
    return SmtpWorld(senders=sender_policy(resolver, dns_deadline_s=dns_deadline_s), limits=Limits())


async def begun(world: SmtpWorld, sender: str) -> Client:
    client = await world.connect()
    await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
    await client.play(f"C: MAIL FROM:<{sender}>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
    await client.play("C: DATA\nS: 354 ...")
    return client


async def sent(world: SmtpWorld, raw: bytes, *, sender: str = "x@sender.example") -> str:
    client = await begun(world, sender)
    await client.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    reply = await client.line()
    await client.close()
    return reply


async def reply_to(raw: bytes, *, sender: str = "x@sender.example", resolver: ZoneResolver | None = None) -> str:
    world = world_with(resolver or ZoneResolver(ZONES))
    async with serving(world):
        return await sent(world, raw, sender=sender)


def arc_sets(count: int) -> bytes:
    return b"".join(
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=signer.example; s=s; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=signer.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"
        b"ARC-Authentication-Results: i=%d; x; dmarc=pass\r\n" % (i, i, i)
        for i in range(count, 0, -1)
    )


@pytest.mark.parametrize(
    ("make", "reply"),
    [
        (lambda: HEADER + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n", LARGE_HEADER),
        (lambda: HEADER + b"X: " + b"x" * (1 << 20) + b"\r\n\r\n", "554 5.6.0 A line of the message is too long"),
        (lambda: HEADER + (b"X: " + b"x" * 1_000_000 + b"\r\n") * 10 + b"\r\n", LARGE_HEADER),
        (lambda: HEADER + b"X:\r\n" + b" x\r\n" * 1_000_000, LARGE_HEADER),
        (lambda: HEADER + b"X: y\r\n" * 100_000 + b"\r\n", LARGE_HEADER),
        (lambda: HEADER + b"x\r\n" * 100_000 + b"\r\n", LARGE_HEADER),
        (lambda: b"X: y\r\n" * 40_000 + RAW, OK),
        (lambda: b"Received: x\r\n" * 15_000 + RAW, "554 5.4.6 Too many hops"),
        (lambda: FIELD * 700 + RAW, OK),
        (lambda: FIELD.replace(b"; b=", b"; " + b"".join(b"t%d=x; " % n for n in range(1_000)) + b"b=") + RAW, OK),
        *((lambda count=count: arc_sets(count) + RAW, OK) for count in (1, 50, 51, 60)),
        (lambda: b"From: " + b", ".join([b"x@author.example"] * 10_000) + b"\r\n\r\n", BAD_FROM),
        (lambda: b"From: " + b", ".join(b"x@a%d.example" % n for n in range(3_500)) + b"\r\n\r\n", BAD_FROM),
        (lambda: b"From: " + b"(" * 30_000 + b")" * 30_000 + b" x@author.example\r\n\r\n", OK),
        (lambda: b"From: " + b"(" * 60_000 + b" x@author.example\r\n\r\n", BAD_FROM),
        (lambda: b'From: "' + b'\\"' * 30_000 + b'" <x@author.example>\r\n\r\n', OK),
        (lambda: b'From: "' + b"x" * 1_000_000 + b'" <x@author.example>\r\n\r\n', LARGE_HEADER),
        (lambda: b"Authentication-Results: mail.example.com; x\r\n" * 5_000 + RAW, OK),
        (lambda: b"X\0: y\0\r\n\0\0\r\n" + RAW + b"\0" * 100_000 + b"\r\n", OK),
        (lambda: b"From: x@author.example\0\r\n\r\n", BAD_FROM),
        (lambda: b"Subject: \xff\xfe\x80\r\nX-\xe9: \xc3\xa9\r\n" + RAW, OK),
        (lambda: HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000, OK),
        (lambda: HEADER + b"".join(NESTED % (n, n) for n in range(5_000)), OK),
        (lambda: FIELD + HEADER + b"\r\n" + b" " * 20_000 + b"x\r\n" + b" \t" * 300_000 + b"\r\n", OK),
        (lambda: FIELD + HEADER + b"\r\n" + b"\r\n" * 3_000_000 + b"x\r\n", OK),
    ],
)  # fmt: skip
async def test_each_has_its_reply(make: Callable[[], bytes], reply: str) -> None:
    assert (await reply_to(make())).startswith(reply)


async def test_ten_thousand_recipients_are_answered_one_by_one_and_most_are_sent_elsewhere() -> None:
    world = SmtpWorld(limits=Limits(recipients=100))
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<x@y.example>\nS: 250 ...")
        codes = []
        for _ in range(10):
            await client.send(b"RCPT TO:<alice@example.com>\r\n" * 1_000)
            codes += [(await client.line())[:9] for _ in range(1_000)]
        assert codes == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 9_900
        await client.play("C: DATA\nS: 354 ...\nC: x: y\nC:\nC: .\nS: 250 ...")
        await client.close()
    assert len(world.inbox(ALICE)) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"EHLO \xff\xfe\x80\r\n", "501 "),
        (b"EHLO x\0y\r\n", "501 "),
        (b"MAIL FROM:<\xff@y.example>\r\n", "501 "),
        (b"MAIL FROM:<x\0@y.example>\r\n", "501 "),
        (b"MAIL FROM:<" + b"x" * 600 + b"@y.example>\r\n", "501 "),
        (b"MAIL FROM:<x@" + b"y." * 200 + b"example>\r\n", "501 "),
        (b"M\xc3\x84IL FROM:<x@y.example>\r\n", "500 "),
    ],
)
async def test_octets_that_no_command_has_are_refused_and_the_next_one_is_carried_out(line: bytes, code: str) -> None:
    world = world_with(ZoneResolver({}))
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
        await client.send(line)
        assert (await client.line()).startswith(code)
        await client.play("C: MAIL FROM:<x@y.example>\nS: 250 ...")
        await client.close()


@pytest.mark.parametrize(
    ("sender", "most"),
    [
        # A record costs a question, ten terms at most eleven each; the same again for the name in EHLO, and DMARC's.
        ("x@void.example", 20),
        ("x@wide.example", 60),
        ("x@loop.example", 20),
        ("x@self.example", 30),
        ("x@long.example", 20),
        ("x@mx.example", 30),
        (f"x@{'a.' * 100}example", 20),
    ],
)
async def test_records_that_lead_everywhere_cost_so_many_questions(sender: str, most: int) -> None:
    resolver = ZoneResolver(ZONES)
    assert (await reply_to(RAW, sender=sender, resolver=resolver)).startswith(OK)
    assert 0 < len(resolver.asked) <= most


async def test_no_more_than_eight_keys_are_asked_for_and_a_huge_one_is_none() -> None:
    resolver = ZoneResolver(ZONES)
    many = b"".join(FIELD.replace(b"d=signer.example", b"d=n%d.example" % n) for n in range(500))
    huge = FIELD.replace(b"d=signer.example", b"d=huge.example")
    assert (await reply_to(huge + many + RAW, resolver=resolver)).startswith(OK)
    assert sum("_domainkey" in question for question in resolver.asked) == MOST_SIGNATURES


async def test_a_long_from_domain_costs_eight_questions() -> None:
    resolver = ZoneResolver({})
    raw = RAW.replace(b"author.example", b"a." * 100 + b"example")
    assert (await reply_to(raw, resolver=resolver)).startswith(OK)
    assert sum(question.startswith("_dmarc.") for question in resolver.asked) == 8


async def test_of_an_endless_header_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[str] = []
    monkeypatch.setattr(SignedMessage, "__init__", lambda *_: looked_for.append("signatures"))
    monkeypatch.setattr(headers, "scan_fields", lambda *_, **__: looked_for.append("fields"))
    resolver = ZoneResolver({})
    assert (await reply_to(HEADER + b"X: y\r\n" * 1_000_000 + b"\r\n", resolver=resolver)).startswith(LARGE_HEADER)
    assert (looked_for, resolver.asked) == ([], [])


async def test_a_header_as_large_as_may_be_is_taken_whole() -> None:
    filled = b"X: " + b"x" * (LIMITS.header - len(HEADER) - 7) + b"\r\n"
    assert len(HEADER + filled + b"\r\n") == LIMITS.header
    assert (await reply_to(HEADER + filled + b"\r\nbody\r\n")).startswith(OK)
    assert (await reply_to(HEADER + b"X" + filled + b"\r\nbody\r\n")).startswith(LARGE_HEADER)


async def test_an_endless_header_is_refused_from_a_server_at_hand_too() -> None:
    world = SmtpWorld(limits=Limits())
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play("S: 220 ...\nC: LHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<x@y.example>\nS: 250 ...")
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 ...\nC: DATA\nS: 354 ...")
        await client.send(HEADER + b"X: y\r\n" * 100_000 + b"\r\n.\r\n")
        assert (await client.line()).startswith(LARGE_HEADER)
        await client.close()


async def test_a_name_server_that_answers_in_drops_holds_a_mail_no_longer_than_the_deadline() -> None:
    class Dripping(ZoneResolver):
        async def texts(self, name: str) -> Sequence[str]:
            await asyncio.sleep(0.05)  # the slowness that is tested
            return await super().texts(name)

    resolver = Dripping({f"n{n}.example": [{"SPF": f"v=spf1 include:n{n + 1}.example"}] for n in range(9)})
    world = world_with(resolver, dns_deadline_s=0.1)
    async with serving(world):
        assert (await sent(world, RAW, sender="x@n0.example")).startswith(OK)
    # In 0.1 s, two for each of the checks that go side by side.
    assert len(resolver.asked) < 15
    assert b"spf=temperror" in world.inbox(ALICE)[0]


@pytest.mark.parametrize("of", ["slow.example", "_domainkey.slow.example", "_dmarc.slow.example"])
async def test_names_that_never_answer_hold_a_mail_no_longer_than_the_deadline(of: str) -> None:
    world = world_with(SilentFor(ZoneResolver(ZONES), of), dns_deadline_s=0.1)
    raw = FIELD.replace(b"signer", b"slow") * MOST_SIGNATURES + RAW.replace(b"author", b"slow")
    async with serving(world):
        assert (await sent(world, raw, sender="x@slow.example")).startswith(OK)


async def test_fifty_mails_of_silent_name_servers_keep_nobody_else_waiting() -> None:
    """Over the real resolver, which asks only so many questions at once."""
    peers, per_mail = 50, MOST_SIGNATURES
    async with dns_server({"sender.example": {"TXT": ['"v=spf1 ip4:127.0.0.1 -all"']}}) as server:
        names = [[f"n{peer}-{n}.example" for n in range(per_mail)] for peer in range(peers)]
        server.silent = {f"s._domainkey.{name}" for each in names for name in each}
        resolver = DnsResolver(clock=FakeClock(), nameservers=(server.endpoint,))
        world = world_with(resolver, dns_deadline_s=4)
        world.limit(connections_per_ip=peers + 1)
        async with serving(world), AsyncExitStack() as clients:
            waiting = []
            for each in names:
                fields = b"".join(FIELD.replace(b"signer.example", name.encode()) for name in each)
                client = await begun(world, "x@slow.example")
                clients.push_async_callback(client.close)
                await client.send(fields + RAW + b".\r\n")
                waiting.append(client)
            await eventually(lambda: {question.split()[0] for question in server.asked} >= server.silent)
            assert (await sent(world, RAW, sender="x@sender.example")).startswith(OK)
            assert any(b"spf=pass" in message for message in world.inbox(ALICE))
            for client in waiting:
                assert (await client.line()).startswith(OK)
