"""Connections that serve several mails: which do, how they end, and what their end costs."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest

from mailstack.clients.smtp.kept import KeepLimits
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.delivery import Credentials, HopProtocol, TlsMode
from tests.clients.smtp.conftest import make_transport
from tests.support.memory_resolver import MemoryResolver
from tests.support.outcomes import brief
from tests.support.running import until
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.smtp_sender import Sender

TAKEN = ["Delivered 250 2.0.0"]
MakeSender = Callable[[KeepLimits], Sender]


@pytest.fixture
async def make_sender(resolver: MemoryResolver, contexts: TlsContexts) -> AsyncIterator[MakeSender]:
    made: list[Sender] = []

    def make(keeping: KeepLimits) -> Sender:
        made.append(Sender(make_transport(resolver, contexts, keeping)))
        return made[-1]

    yield make
    for each in made:
        await each.transport.close()


@pytest.fixture
def keeper(make_sender: MakeSender) -> Sender:
    return make_sender(KeepLimits(idle_s=60))


async def mails(peer: Peer, count: int = 1000) -> None:
    """So many, and the good-bye wherever it comes."""
    for _ in range(count):
        if await peer.hear() == b"QUIT":
            await peer.say("221 bye\n")
            return
        await peer.say("250 2.1.0 ok\n")
        await peer.exchange("250 2.1.5 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.0.0 ok\n")


async def patient(peer: Peer) -> None:
    await peer.hello("PIPELINING")
    await mails(peer)


def commands(heard: list[bytes]) -> str:
    return " ".join(line.split()[0].decode() for line in heard)


async def test_the_next_mail_goes_over_the_same_connection(keeper: Sender) -> None:
    async with scripted_server(patient) as server:
        for _ in range(3):
            assert brief(await keeper.send(server.port)) == TAKEN
        await keeper.transport.close()
        assert [commands(heard) for heard in server.connections] == ["EHLO" + " MAIL RCPT DATA (content)" * 3 + " QUIT"]


async def test_the_next_mail_has_the_tls_of_the_connection(
    keeper: Sender, server_tls: Callable[[str], ssl.SSLContext]
) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.start_tls(server_tls("mx.test"))
        await peer.ehlo("PIPELINING")
        await mails(peer)

    async with scripted_server(mx) as server:
        first, second = [await keeper.send(server.port, tls=TlsMode.OPPORTUNISTIC) for _ in range(2)]
        await keeper.transport.close()
        assert len(server.connections) == 1
    assert first[0].tls is not None
    assert (first[0].tls.version, second[0].tls) == ("TLSv1.3", first[0].tls)


async def test_mails_at_the_same_time_have_a_connection_each_and_all_are_kept(keeper: Sender) -> None:
    async with scripted_server(patient) as server:
        for _ in range(2):
            outcomes = await asyncio.gather(*(keeper.send(server.port) for _ in range(3)))
            assert [brief(each) for each in outcomes] == [TAKEN] * 3
        assert len(server.connections) == 3


async def test_no_more_are_kept_than_one_destination_is_dialled_at_once(make_sender: MakeSender) -> None:
    sender = make_sender(KeepLimits(idle_s=60, per_hop=1))
    async with scripted_server(patient) as server:
        await asyncio.gather(*(sender.send(server.port) for _ in range(3)))
        assert [heard[-1] == b"QUIT" for heard in server.connections].count(True) == 2


async def test_an_idle_connection_takes_its_leave(make_sender: MakeSender) -> None:
    sender = make_sender(KeepLimits(idle_s=0.05))
    async with scripted_server(patient) as server:
        await sender.send(server.port)

        async def has_left() -> bool:
            return server.heard[-1] == b"QUIT"

        await until(has_left)
        assert brief(await sender.send(server.port)) == TAKEN
        assert len(server.connections) == 2


async def test_a_connection_is_left_after_so_many_mails(make_sender: MakeSender) -> None:
    sender = make_sender(KeepLimits(idle_s=60, mails=2))
    async with scripted_server(patient) as server:
        for _ in range(3):
            await sender.send(server.port)
        assert [commands(heard).count("MAIL") for heard in server.connections] == [2, 1]
        assert server.connections[0][-1] == b"QUIT"


async def test_other_credentials_or_another_protection_are_another_connection(
    keeper: Sender, server_tls: Callable[[str], ssl.SSLContext]
) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS", "AUTH PLAIN", "PIPELINING")
        if len(server.connections) == 1:
            await mails(peer)
            return
        if len(server.connections) == 2:
            await peer.start_tls(server_tls("mx.test"))
            await peer.ehlo("AUTH PLAIN")
            await mails(peer)
            return
        await peer.exchange("235 2.7.0 ok")
        await mails(peer)

    async with scripted_server(mx) as server:
        for _ in range(2):
            assert brief(await keeper.send(server.port, tls=TlsMode.NONE)) == TAKEN
            assert brief(await keeper.send(server.port, tls=TlsMode.STARTTLS)) == TAKEN
            for name in ("tim", "tom"):
                login = Credentials(username=name, password="secret-word")
                assert brief(await keeper.send(server.port, credentials=login)) == TAKEN
        assert len(server.connections) == 4


async def closes(_: Peer) -> None:
    """Without a word."""


async def says_421(peer: Peer) -> None:
    await peer.exchange("421 4.4.2 idle too long")


async def closes_at_mail(peer: Peer) -> None:
    await peer.hear()


async def closes_at_rcpt(peer: Peer) -> None:
    await peer.exchange("250 ok", "421 4.3.2 closing")


async def speaks_up(peer: Peer) -> None:
    await peer.say("421 4.4.2 idle too long\n")


ENDS = [closes, says_421, closes_at_mail, closes_at_rcpt, speaks_up]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
@pytest.mark.parametrize("ends", ENDS)
async def test_a_connection_that_died_costs_another_one_and_nothing_else(
    keeper: Sender, ends: Conversation, extensions: tuple[str, ...]
) -> None:
    ended = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.hello(*extensions)
        await mails(peer, 1)
        await ends(peer)
        ended.set()

    async def second(peer: Peer) -> None:
        await peer.hello(*extensions)
        await mails(peer)

    async with scripted_server(first, second) as server:
        assert brief(await keeper.send(server.port)) == TAKEN
        if ends in (closes, speaks_up):
            await ended.wait()
        assert brief(await keeper.send(server.port)) == TAKEN
        assert commands(server.connections[0]).count("(content)") == 1
        assert commands(server.connections[1]) == "EHLO MAIL RCPT DATA (content)"


async def test_a_connection_lost_in_the_content_is_no_reason_to_send_it_again_at_once(keeper: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await mails(peer, 1)
        await peer.exchange("250 ok", "250 ok", "354 go")
        await peer.hear_content()

    async with scripted_server(mx) as server:
        assert brief(await keeper.send(server.port)) == TAKEN
        assert brief(await keeper.send(server.port)) == ["Deferred 451 4.4.2"]
        assert len(server.connections) == 1


async def test_who_has_the_mail_of_an_lmtp_server_that_closes_is_not_sent_it_again(keeper: Sender) -> None:
    async def store(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await mails(peer, 1)
        await peer.exchange("250 ok", "250 ok", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.1.5 stored\n421 4.3.2 closing\n")

    async with scripted_server(store) as server:
        assert brief(await keeper.send(server.port, protocol=HopProtocol.LMTP)) == TAKEN
        outcomes = await keeper.send(server.port, "a@them.test", "b@them.test", protocol=HopProtocol.LMTP)
        assert brief(outcomes) == ["Delivered 250 2.1.5", "Deferred 421 4.3.2"]
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    "replies",
    [("250 ok", "550 5.1.1 no"), ("250 ok", "550 5.1.1 no", "503 5.5.1 no"), ("550 5.7.1 no",)],
)
async def test_a_connection_whose_mail_was_not_taken_is_left(keeper: Sender, replies: tuple[str, ...]) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello(*(["PIPELINING"] if len(replies) == 3 else []))
        await peer.exchange(*replies, "221 bye")

    async with scripted_server(mx) as server:
        for _ in range(2):
            assert brief(await keeper.send(server.port))[0].startswith("Failed 550")
        assert [heard[-1] for heard in server.connections] == [b"QUIT"] * 2


async def test_a_server_that_is_gone_for_good_is_not_named(keeper: Sender, resolver: MemoryResolver) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await mails(peer, 1)
        await peer.hear()

    async with scripted_server(mx) as server:
        assert brief(await keeper.send(server.port)) == TAKEN
        resolver.hosts = {}
        (outcome,) = await keeper.send(server.port)
    assert (brief([outcome]), outcome.host) == (["Deferred 451 4.4.4"], "")
