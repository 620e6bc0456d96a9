"""What blocklists say of a peer, and what is not believed of it. RFC 5782."""

import asyncio

import pytest
import structlog

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import MINUTE_MS
from mailstack.ports.resolver import IpVersion
from mailstack.services.inbound import blocklists as listing
from mailstack.services.inbound.blocklists import Blocklists, Listing
from mailstack.services.spam.dns_list import MAX_EXPLANATION
from tests.support.fake_clock import FakeClock
from tests.support.memory_resolver import MemoryResolver

PEER = "192.0.2.99"
ZONE, OTHER = "bl.example", "other.example"
NAME = "99.2.0.192.bl.example"
SOUND = {"2.0.0.127.bl.example": ("127.0.0.2",), "2.0.0.127.other.example": ("127.0.0.2",)}


def blocklists(resolver: MemoryResolver, *zones: str, clock: FakeClock | None = None) -> Blocklists:
    return Blocklists(resolver, zones or (ZONE,), clock=clock or FakeClock())


async def test_who_is_on_a_list_is_told_its_reason() -> None:
    resolver = MemoryResolver(hosts={**SOUND, NAME: ("127.0.0.4",)}, txt={NAME: ("Spam, see https://bl.example",)})
    found = await blocklists(resolver).listing_of(PEER)
    assert found == Listing(zone=ZONE, explanation="Spam, see https://bl.example")
    assert await blocklists(MemoryResolver(hosts=SOUND)).listing_of(PEER) is None


async def test_a_reason_cannot_end_the_line_nor_fill_it() -> None:
    txt = {NAME: ("a\r\n250 OK\x00\udce4" + "x" * 1_000,)}
    resolver = MemoryResolver(hosts={**SOUND, NAME: ("127.0.0.4",)}, txt=txt)
    found = await blocklists(resolver).listing_of(PEER)
    assert found is not None
    assert found.explanation.startswith("a??250 OK??x")
    assert len(found.explanation) == MAX_EXPLANATION


@pytest.mark.parametrize("answer", ["192.0.2.1", "127.255.255.254", "127.255.255.252"])
async def test_an_answer_that_is_no_listing_is_logged_once(answer: str) -> None:
    # 127.255.255.254: asked through a public resolver, and refused for that.
    lists = blocklists(MemoryResolver(hosts={**SOUND, NAME: (answer,), "98.2.0.192.bl.example": (answer,)}))
    with structlog.testing.capture_logs() as logged:
        assert await lists.listing_of(PEER) is None
        assert await lists.listing_of("192.0.2.98") is None
    assert [event["answer"] for event in logged] == [answer]


async def test_a_list_that_has_every_address_is_passed_over() -> None:
    resolver = MemoryResolver(hosts={**SOUND, "1.0.0.127.bl.example": ("127.0.0.2",), NAME: ("127.0.0.2",)})
    with structlog.testing.capture_logs() as logged:
        assert await blocklists(resolver).listing_of(PEER) is None
    assert [event["event"] for event in logged] == ["blocklist has everything and is passed over"]


async def test_a_list_that_does_not_answer_lists_nobody_and_the_others_count() -> None:
    class HalfDead(MemoryResolver):
        async def addresses_of(self, host: str, version: IpVersion) -> tuple[str, ...]:  # noqa: ARG002
            if host.endswith(ZONE):
                raise TryAgainLater("SERVFAIL")
            return ("127.0.0.2",) if host == "99.2.0.192.other.example" or host.startswith("2.") else ()

    found = await blocklists(HalfDead(), ZONE, OTHER).listing_of(PEER)
    assert found is not None
    assert found.zone == OTHER


async def test_a_resolver_that_never_answers_holds_up_nobody_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "DEADLINE_S", 0.05)

    class Silent(MemoryResolver):
        async def addresses_of(self, host: str, version: IpVersion) -> tuple[str, ...]:  # noqa: ARG002
            await asyncio.Event().wait()
            return ()

    assert await blocklists(Silent()).listing_of(PEER) is None


async def test_lists_are_asked_at_once_and_once_for_all_connections_of_a_peer() -> None:
    clock = FakeClock()
    asked: list[str] = []
    both = asyncio.Event()

    class Counting(MemoryResolver):
        async def addresses_of(self, host: str, version: IpVersion) -> tuple[str, ...]:  # noqa: ARG002
            asked.append(host)
            if len(asked) == 2:
                both.set()
            await both.wait()
            return ()

    lists = blocklists(Counting(), ZONE, OTHER, clock=clock)
    lists.begin(PEER)
    assert await lists.listing_of(PEER) is await lists.listing_of(PEER) is None
    assert len(asked) == 2
    clock.advance(5 * MINUTE_MS)
    await lists.listing_of(PEER)
    assert len(asked) == 4


async def test_memory_no_more_than_so_many_peers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PEERS_REMEMBERED", 10)
    lists = blocklists(MemoryResolver())
    for number in range(100):
        await lists.listing_of(f"192.0.2.{number}")
    assert len(lists._looks) == 10


async def test_nobody_is_asked_where_there_are_no_lists() -> None:
    lists = Blocklists(MemoryResolver(), (), clock=FakeClock())
    lists.begin(PEER)
    assert await lists.listing_of(PEER) is None
