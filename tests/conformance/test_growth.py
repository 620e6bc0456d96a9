"""Whatever remembers peers, names or addresses is bounded, and works on when it is full: maddy GHSA-f2p9-pvm4-fhrj was
a limiter that locked at 20,000 domains. Each is shown 100,000 that it has never seen."""

from collections.abc import Iterator
from itertools import islice

from mailstack.model.conduct import BanRules, Offence
from mailstack.model.instant import HOUR_MS
from mailstack.model.networks import NOWHERE
from mailstack.net.admission import Entrance
from mailstack.net.resolver import DnsResolver, ResolverLimits
from mailstack.services import conduct as conducting
from mailstack.services.conduct import Conduct
from mailstack.services.identity import delays
from mailstack.services.inbound import blocklists
from mailstack.services.inbound.blocklists import Blocklists
from mailstack.services.inbound.greylisting import PLACES, Greylisting
from tests.support.fake_clock import FakeClock
from tests.support.login_delays import no_delays
from tests.support.memory_greylist import MemoryGreylist
from tests.support.memory_resolver import MemoryResolver

MANY = 100_000


def hosts() -> Iterator[str]:
    return (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(MANY))


def test_limiter_growth_connections_that_have_ended() -> None:
    entrance = Entrance()
    for host in hosts():
        place = entrance.place(lambda: None)
        assert place.take_as_stranger(host, limit=1, total=10)
        place.leave()
    assert not entrance.strangers._open
    assert not entrance.networks._open


def test_limiter_growth_offences() -> None:
    conduct = Conduct(clock=FakeClock())
    conduct.rules = BanRules(after=2, first_ms=HOUR_MS, longest_ms=HOUR_MS, never=NOWHERE)
    for host in hosts():
        conduct.note(host, Offence.UNKNOWN_RECIPIENT)
    assert len(conduct._records) <= conducting.PEERS_REMEMBERED
    for _ in range(10):
        conduct.note("192.0.2.1", Offence.PROTOCOL_ABUSE)
    assert conduct.ban_of("192.0.2.1") is not None


async def test_limiter_growth_failed_logins() -> None:
    failed = no_delays()
    for number, host in enumerate(hosts()):
        await failed.hold(host, f"user{number}")
    assert len(failed._failures) <= delays.REMEMBERED
    assert not failed._held


async def test_limiter_growth_greylisted_senders() -> None:
    store = MemoryGreylist()
    greylisting = Greylisting(store, clock=FakeClock())
    for number in range(MANY):
        assert await greylisting.wait_ms("192.0.2.1", f"x{number}@y.example", "alice@example.com") > 0
    # A place for each triplet, and the network.
    assert {key.partition("#")[0] for key in store.entries} <= {"", "192.0.2.0/24"}
    assert max(int(key[1:]) for key in store.entries if key.startswith("#")) < PLACES


async def test_limiter_growth_peers_on_blocklists() -> None:
    lists = Blocklists(MemoryResolver(), ("bl.example",), clock=FakeClock())
    for host in islice(hosts(), 3 * blocklists.PEERS_REMEMBERED):  # each is a task, and takes its time
        assert await lists.listing_of(host) is None
    assert len(lists._looks) <= blocklists.PEERS_REMEMBERED


def test_limiter_growth_names_in_dns() -> None:
    resolver = DnsResolver(clock=FakeClock(), nameservers=("127.0.0.1:1",))
    for number in range(MANY):
        resolver._keep((f"n{number}.example", 16), ("x" * 1_000,), 60)  # type: ignore[arg-type]  # TXT, as a number
    assert len(resolver._kept) <= ResolverLimits().cache_entries
    assert resolver._kept_octets <= ResolverLimits().kept_octets
