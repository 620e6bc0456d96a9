"""What a connection leaves from: which address of ours, under which name, and what of it is told."""

from collections import Counter
from collections.abc import Collection, Sequence

import pytest
from structlog.testing import capture_logs

from mailstack.clients.smtp.kept import KeepLimits
from mailstack.clients.smtp.sources import Sources
from mailstack.clients.smtp.tls import TlsContexts
from mailstack.model.source import ANYWHERE, Origin, Source
from tests.clients.smtp.conftest import make_transport
from tests.support.memory_resolver import MemoryResolver
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Peer, scripted_server
from tests.support.smtp_sender import Sender

V4, V4_NAMED, V6 = Source("8.8.4.1", "us.test"), Source("8.8.4.2", "out.us.test"), Source("2a00::1", "us.test")
PRIVATE, LOOPBACK = Source("10.1.0.1", "us.test"), Source("127.0.0.2", "us.test")
TWO = (Source("127.0.0.2", "two.us.test"), Source("127.0.0.3", "three.us.test"))
CHOSEN_BY_SYSTEM = Source("", "us.test")


def sources(*own: Source, here: Collection[Source] | None = None) -> Sources:
    present = {source.address for source in (own if here is None else here)}
    return Sources(own, hostname="us.test", is_own=present.__contains__)


@pytest.mark.parametrize(
    ("destination", "own", "expected"),
    [
        ("8.8.8.8", (V4, V6), V4),
        ("2a00::99", (V4, V6), V6),
        ("2a00::99", (V4,), CHOSEN_BY_SYSTEM),
        ("8.8.8.8", (), CHOSEN_BY_SYSTEM),
        ("127.0.0.1", (V4, PRIVATE), CHOSEN_BY_SYSTEM),
        ("127.0.0.1", (V4, LOOPBACK), LOOPBACK),
        ("8.8.8.8", (LOOPBACK,), CHOSEN_BY_SYSTEM),
        ("10.1.0.9", (V4,), CHOSEN_BY_SYSTEM),
        ("10.1.0.9", (V4, PRIVATE), PRIVATE),
        ("8.8.8.8", (V4, PRIVATE), V4),
        ("8.8.8.8", (PRIVATE,), PRIVATE),
        ("::ffff:8.8.8.8", (V4, V6), CHOSEN_BY_SYSTEM),
    ],
)
def test_an_address_that_can_reach_the_other_side(destination: str, own: Sequence[Source], expected: Source) -> None:
    assert sources(*own).toward(destination, ANYWHERE) == expected


def test_what_a_route_names_is_used_into_a_private_network_too_but_never_to_loopback() -> None:
    named = Origin(among=(V4.address,))
    assert sources(V4, PRIVATE).toward("10.1.0.9", named) == V4
    assert sources(V4, PRIVATE).toward("127.0.0.1", named) == CHOSEN_BY_SYSTEM


def test_of_a_family_that_the_route_names_no_address_of_all_are_used() -> None:
    assert sources(V4, V4_NAMED, V6).toward("2a00::99", Origin(among=(V4.address,))) == V6


def test_the_family_that_a_route_names_is_tried_first() -> None:
    found = ["2a00::1", "8.8.8.8", "2a00::2"]
    assert sources(V4, V6).order(found, Origin(among=(V4.address,))) == ["8.8.8.8", "2a00::1", "2a00::2"]
    assert sources(V4, V6).order(found, ANYWHERE) == found


def test_mails_are_spread_and_each_keeps_to_its_address() -> None:
    own = sources(V4, V4_NAMED, Source("8.8.4.3", "us.test"))
    origins = [Origin(mark=f"{number} them.test") for number in range(300)]
    first = [own.toward("8.8.8.8", origin) for origin in origins]
    assert [own.toward("8.8.9.9", origin) for origin in origins] == first
    assert all(70 < count < 130 for count in Counter(first).values())


def test_an_address_that_is_added_moves_no_mail_but_its_own() -> None:
    before, after = sources(V4, V4_NAMED), sources(V4, V4_NAMED, Source("8.8.4.3", "us.test"))
    origins = [Origin(mark=f"{number} them.test") for number in range(300)]
    moved = {
        after.toward("8.8.8.8", each)
        for each in origins
        if before.toward("8.8.8.8", each) != after.toward("8.8.8.8", each)
    }
    assert moved == {Source("8.8.4.3", "us.test")}


def test_of_several_those_are_used_that_the_machine_has() -> None:
    own = sources(V4, V4_NAMED, here=[V4_NAMED])
    with capture_logs() as logs:
        assert {own.toward("8.8.8.8", Origin(mark=str(number))) for number in range(20)} == {V4_NAMED}
    assert logs == []


def test_without_one_of_them_the_system_chooses_and_it_is_said_once() -> None:
    own = sources(V4, V4_NAMED, here=[])
    with capture_logs() as logs:
        for _ in range(3):
            assert own.toward("8.8.8.8", ANYWHERE) == CHOSEN_BY_SYSTEM
    assert [log["addresses"] for log in logs] == [[V4.address, V4_NAMED.address]]


def test_behind_nat_the_one_address_there_is_has_its_name() -> None:
    assert sources(V4_NAMED, here=[]).toward("8.8.8.8", ANYWHERE) == Source("", "out.us.test")


async def answering(peer: Peer) -> None:
    peer.heard.append(str(peer.writer.get_extra_info("peername")[0]).encode())
    await peer.hello("PIPELINING")
    while (line := await peer.hear()) != b"QUIT":
        if line == b"DATA":
            await peer.say("354 go\n")
            await peer.hear_content()
        await peer.say("250 2.0.0 ok\n")
    await peer.say("221 bye\n")


async def turning_away(peer: Peer) -> None:
    await peer.say("554 5.7.1 your address is listed\n")
    await peer.hear()


async def test_the_peer_sees_the_address_and_hears_its_name(resolver: MemoryResolver, contexts: TlsContexts) -> None:
    sender = Sender(make_transport(resolver, contexts, KeepLimits(mails=1), TWO))
    async with scripted_server(answering) as server:
        for source in TWO:
            (outcome,) = await sender.send(server.port, origin=Origin(among=(source.address,)))
            assert (brief([outcome]), outcome.source) == (["Delivered 250 2.0.0"], source)
    assert [heard[:2] for heard in server.connections] == [
        [b"127.0.0.2", b"EHLO two.us.test"],
        [b"127.0.0.3", b"EHLO three.us.test"],
    ]


async def test_who_was_turned_away_and_who_was_not_reached_is_on_record(
    resolver: MemoryResolver, contexts: TlsContexts
) -> None:
    sender = Sender(make_transport(resolver, contexts, KeepLimits(mails=1), TWO))
    origin = Origin(among=("127.0.0.3",))
    async with scripted_server(turning_away) as server:
        (refused,) = await sender.send(server.port, origin=origin)
    (unreached,) = await sender.send(server.port, origin=origin)
    assert brief([refused, unreached]) == ["Failed 554 5.7.1", "Deferred 451 4.4.1"]
    assert (refused.source, unreached.source) == (TWO[1], TWO[1])


async def test_a_connection_is_kept_for_mail_that_leaves_from_the_same_address(
    resolver: MemoryResolver, contexts: TlsContexts
) -> None:
    sender = Sender(make_transport(resolver, contexts, KeepLimits(idle_s=60), TWO))
    async with scripted_server(answering) as server:
        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"):
            (outcome,) = await sender.send(server.port, origin=Origin(among=(address,)))
            assert outcome.source is not None
            assert outcome.source.address == address
        await sender.transport.close()
    assert [heard[0] for heard in server.connections] == [b"127.0.0.2", b"127.0.0.3"]
    assert [b" ".join(heard).count(b"MAIL FROM") for heard in server.connections] == [2, 2]
