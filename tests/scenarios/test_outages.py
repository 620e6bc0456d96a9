"""What the outbound queue does while the world is broken, and when it is whole again: nothing lost, nobody bothered
twice. The queue lies in a real store; servers and names are on loopback; days pass by a clock in the test's hands."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from structlog.testing import capture_logs

from mailstack.model.delivery import Credentials, NextHop, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.net.resolver import ResolverLimits
from mailstack.services.outbound.route import Relay, Route, RouteTable
from tests.support.engines import DATABASE
from tests.support.outbound_world import ALICE
from tests.support.postgres import PostgresServer
from tests.support.running import running, until
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.sending import MESSAGE, ORIGIN, Sending, sending_world
from tests.support.small_disk import database_on_small_disk
from tests.support.smtp_sender import PATIENT

pytestmark = pytest.mark.slow

MANY = 24
KILLS, KILL_MAILS = 3, 120
SUBJECT = re.compile(rb"^Subject: (\S+)", re.MULTILINE)


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    async with sending_world(tmp_path / "store") as found:
        yield found


def numbered(number: int) -> bytes:
    return MESSAGE.replace(b"Subject: dots", b"Subject: n%d" % number)


async def submit(sending: Sending, *recipients: str, raw: bytes = MESSAGE) -> Instant:
    """When it was."""
    await sending.submission.submit(ALICE, ALICE.login, recipients, raw, ORIGIN)
    return sending.world.clock.now


def actions(sending: Sending) -> Counter[str]:
    """Of the notices that the sender has. RFC 3464 §2.3.3."""
    raws = sending.world.messages.raws(ALICE.account_id)
    return Counter(found.decode() for raw in raws for found in re.findall(rb"^Action: (\S+)\r$", raw, re.MULTILINE))


def subjects(sending: Sending) -> Counter[bytes]:
    return Counter(SUBJECT.findall(content)[0] for _, _, content in sending.sink.received)


# What is down for days.


async def test_a_destination_that_stays_down_is_one_delay_and_one_bounce(sending: Sending) -> None:
    sending.names.names["down.test"] = {"MX": ["10 dead.them.test."]}
    begun = await submit(sending, "b@down.test")
    await sending.until_time(Instant(begun + 4 * HOUR_MS - MINUTE_MS))
    assert actions(sending) == {}
    await sending.until_time(Instant(begun + 8 * HOUR_MS))
    assert actions(sending) == {"delayed": 1}
    await sending.until_time(Instant(begun + 5 * DAY_MS - MINUTE_MS))
    assert actions(sending) == {"delayed": 1}
    (item,) = await sending.store.queue.items()
    assert item.tries == 19
    await sending.until_time(Instant(begun + 6 * DAY_MS))
    assert actions(sending) == {"delayed": 1, "failed": 1}
    assert not await sending.store.queue.items()


async def test_a_destination_that_comes_back_after_two_days_has_its_mail_once(sending: Sending) -> None:
    sending.names.names["down.test"] = {"MX": ["10 host.down.test."]}
    sending.names.names["host.down.test"] = {"A": ["127.0.0.2"]}
    begun = await submit(sending, "b@down.test", "c@down.test")
    await sending.until_time(Instant(begun + 2 * DAY_MS))
    sending.names.names["host.down.test"] = {"A": ["127.0.0.1"]}
    await sending.until_time(Instant(begun + 6 * DAY_MS))
    assert [recipients for _, recipients, _ in sending.sink.received] == [["b@down.test", "c@down.test"]]
    assert actions(sending) == {"delayed": 2}


# Connections that lead nowhere.


async def _says_nothing(peer: Peer) -> None:
    await peer.reader.read()


async def _only_greets(peer: Peer) -> None:
    await peer.hello("PIPELINING")
    await peer.reader.read()


async def _stops_after_mail(peer: Peer) -> None:
    await peer.hello()
    await peer.exchange("250 2.1.0 ok")
    await peer.reader.read()


async def _stops_in_data(peer: Peer) -> None:
    await peer.hello()
    await peer.exchange("250 2.1.0 ok", "250 2.1.5 ok", "354 go")
    await peer.reader.readexactly(20)
    # What else comes is not read: the content would never end.
    await asyncio.Event().wait()


async def _stops_after_the_dot(peer: Peer) -> None:
    await peer.hello()
    await peer.exchange("250 2.1.0 ok", "250 2.1.5 ok", "354 go")
    await peer.hear_content()
    await peer.reader.read()


async def _closes_after_the_dot(peer: Peer) -> None:
    await peer.hello()
    await peer.exchange("250 2.1.0 ok", "250 2.1.5 ok", "354 go")
    await peer.hear_content()


async def _takes_it(peer: Peer) -> None:
    await peer.hello()
    await peer.take_mail()


@pytest.mark.parametrize(
    ("broken", "awaited", "contents"),
    [
        (_says_nothing, "greeting_s", 1),
        (_only_greets, "command_s", 1),
        (_stops_after_mail, "command_s", 1),
        (_stops_in_data, "end_s", 1),
        # RFC 5321 §4.5.3.2.6, RFC 1047: nobody can know whether that server has it, so it is sent again.
        (_stops_after_the_dot, "end_s", 2),
        (_closes_after_the_dot, "end_s", 2),
    ],
)
async def test_a_half_open_connection_is_an_attempt_that_failed_for_now(
    sending: Sending, broken: Conversation, awaited: str, contents: int
) -> None:
    """awaited: what does not come, for which nobody waits long."""
    async with scripted_server(broken, _takes_it) as server:
        sending.service = replace(sending.service, exchanger_port=server.port)
        sending.wait_for_others(timeouts=replace(PATIENT, **{awaited: 0.3}))
        begun = await submit(sending, "b@them.test", raw=MESSAGE + b"x" * 70 + b"\r\n")
        await sending.work()
        (item,) = await sending.store.queue.items()
        assert item.last_reply is not None
        assert (item.tries, item.last_reply.code) == (1, 451)
        assert item.last_reply.status == "4.4.2"
        sending.wait_for_others()
        await sending.until_time(Instant(begun + HOUR_MS))
        assert not await sending.store.queue.items()
        assert sum(heard.count(b"(content)") for heard in server.connections) == contents
    assert len(server.connections) == 2
    assert actions(sending) == {}


# Storms.


async def test_a_storm_of_deferrals_ends_in_every_mail_delivered_once(sending: Sending) -> None:
    sending.sink.final = "451 4.3.2 too busy"
    for number in range(MANY):
        await submit(sending, f"u{number}@them.test", raw=numbered(number))
    begun = sending.world.clock.now
    await sending.until_time(Instant(begun + HOUR_MS), workers=2)
    assert {(item.tries, str(item.last_reply)) for item in await sending.store.queue.items()} == {
        (2, "451 4.3.2 too busy")
    }
    sending.sink.final = "250 2.0.0 ok"
    await sending.until_time(Instant(begun + 2 * HOUR_MS), workers=2)
    assert subjects(sending) == Counter(b"n%d" % number for number in range(MANY))
    assert not await sending.store.queue.items()
    assert actions(sending) == {}


@pytest.mark.parametrize("names", ["failing", "silent"])
async def test_mail_waits_for_name_servers_that_are_gone(sending: Sending, names: str) -> None:
    broken: set[str] = getattr(sending.names, names)
    broken.update(("them.test", "mx.them.test", "real.them.test", "dead.them.test"))
    sending.wait_for_others(limits=ResolverLimits(deadline_s=1, server_timeout_s=0.3))
    begun = await submit(sending, "b@them.test")
    await sending.until_time(Instant(begun + HOUR_MS))
    (item,) = await sending.store.queue.items()
    assert item.last_reply is not None
    # RFC 5321 §5.1: a lookup that fails for now is no absence: nothing comes back.
    assert (item.tries, item.last_reply.code, item.last_reply.status) == (2, 451, "4.4.3")
    broken.clear()
    sending.wait_for_others()
    await sending.until_time(Instant(begun + 3 * HOUR_MS))
    assert [recipients for _, recipients, _ in sending.sink.received] == [["b@them.test"]]
    assert actions(sending) == {}


async def test_a_relay_that_refuses_our_password_is_one_warning_until_it_is_right(sending: Sending) -> None:
    loop = asyncio.get_running_loop()

    def judge(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)

    server = await loop.create_server(
        lambda: SMTP(
            sending.sink,
            loop=loop,
            hostname="relay.test",
            authenticator=judge,
            auth_require_tls=False,
        ),
        "127.0.0.1",
        0,
    )

    def with_password(password: str) -> RouteTable:
        credentials = Credentials(username="us", password=password)
        port = server.sockets[0].getsockname()[1]
        hop = NextHop(host="127.0.0.1", port=port, tls=TlsMode.NONE, credentials=credentials)
        return RouteTable((Route(to="*", via=Relay(name="bulk", hop=hop)),))

    right = replace(sending.service, routes=with_password("right"))
    sending.service = replace(sending.service, routes=with_password("wrong-secret"))
    async with server:
        for number in range(MANY):
            await submit(sending, f"u{number}@them.test", raw=numbered(number))
        begun = sending.world.clock.now
        with capture_logs() as lines:
            await sending.work()
            replies = {str(item.last_reply) for item in await sending.store.queue.items()}
            # What an apply does.
            sending.service = right
            await sending.until_time(Instant(begun + HOUR_MS))
    (reply,) = replies
    assert reply.startswith("451 4.7.8 the relay refused our credentials: 535")
    assert subjects(sending) == Counter(b"n%d" % number for number in range(MANY))
    assert actions(sending) == {}
    (warning,) = (line for line in lines if line["log_level"] == "warning")
    assert (warning["event"], warning["relay"], warning["reply"]) == ("relay takes no mail", "bulk", reply)
    assert "wrong-secret" not in str(lines)


# Disks and processes.


async def test_a_disk_that_is_full_keeps_no_queued_mail_from_leaving_once(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = MESSAGE + random.Random(1).randbytes(300_000).hex().encode() + b"\r\n"
    with database_on_small_disk(postgres) as disk:
        monkeypatch.setenv(DATABASE, disk.url)
        async with sending_world(tmp_path / "store") as sending:
            for number in range(MANY):
                await submit(sending, f"u{number}@them.test", "nobody@them.test", raw=numbered(number))
            with capture_logs() as lines:

                async def is_under_way() -> bool:
                    return bool(sending.sink.received)

                async def is_noticed() -> bool:
                    return any(line["event"] == "not settled" for line in lines)

                async with running(sending.runner().run()):
                    await until(is_under_way)
                    disk.fill()
                    await until(is_noticed)
                    with pytest.raises(TryAgainLater):
                        await submit(sending, "late@them.test", raw=large)
                    disk.make_room()
                    await sending.until_empty()
            assert subjects(sending) == Counter(b"n%d" % number for number in range(MANY))
            assert actions(sending) == {"failed": MANY}
