"""Which TLSA records count for an exchanger. RFC 7672 §2.1, §2.2."""

from collections.abc import AsyncIterator

import pytest

from mailstack.model.delivery import Deferred
from mailstack.model.errors import TryAgainLater
from mailstack.model.tls_policy import Dane, Required, TlsaRecord, TlsFailure, TlsUsed
from mailstack.net.resolver import DnsResolver, ResolverLimits
from mailstack.services.outbound.tlsa import dane_policy
from tests.support.dns_server import DnsServer, dns_server
from tests.support.fake_clock import FakeClock

DATA = "01" * 32
RECORD = TlsaRecord(3, 1, 1, bytes.fromhex(DATA))
NAMES = {
    "example.com": {"MX": ["10 mx.example.com."]},
    "alias.example": {"CNAME": ["example.com."]},
    "mx.example.com": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
    "_25._tcp.mx.example.com": {"TLSA": [f"3 1 1 {DATA}"]},
    "plain.example.com": {"A": ["192.0.2.2"]},
    "pkix.example.com": {"A": ["192.0.2.3"]},
    "_25._tcp.pkix.example.com": {"TLSA": [f"1 1 1 {DATA}"]},
    "to.example.com": {"CNAME": ["mx.example.com."]},
    "away.example.com": {"CNAME": ["host.unsigned.example."]},
    "host.unsigned.example": {"A": ["192.0.2.4"]},
    "_25._tcp.away.example.com": {"TLSA": [f"3 1 1 {DATA}"]},
    "_25._tcp.host.unsigned.example": {"TLSA": [f"3 1 1 {DATA}"]},
    "bare.example.com": {"CNAME": ["plain.example.com."]},
    "_25._tcp.bare.example.com": {"CNAME": ["shared.example.com."]},
    "shared.example.com": {"TLSA": [f"3 1 1 {DATA}", f"0 1 1 {DATA}"]},
    "four.example.com": {"A": ["192.0.2.5"]},
    "_25._tcp.four.example.com": {"TLSA": [f"3 1 1 {DATA}"]},
}


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with dns_server(NAMES) as running:
        running.secure |= {name for name in NAMES if not name.endswith("unsigned.example")}
        yield running


class World:
    def __init__(self, server: DnsServer) -> None:
        self.server = server
        limits = ResolverLimits(deadline_s=60, server_timeout_s=20)
        self.resolver = DnsResolver(
            clock=FakeClock(), nameservers=(server.endpoint,), is_validating=True, limits=limits
        )

    async def policy(self, host: str, domain: str = "example.com") -> Dane | Required | Deferred | None:
        exchangers = await self.resolver.exchangers_answer(domain)
        return await dane_policy(self.resolver, host, port=25, domain=domain, exchangers=exchangers)


@pytest.fixture
def world(server: DnsServer) -> World:
    return World(server)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("mx.example.com", "mx.example.com"),
        ("to.example.com", "mx.example.com"),  # the name that the alias leads to comes first
        ("bare.example.com", "bare.example.com"),  # and then its own; records may be an alias themselves
        ("away.example.com", "away.example.com"),  # an alias that leads out of what is signed
    ],
)
async def test_records_are_found(world: World, host: str, base: str) -> None:
    assert await world.policy(host) == Dane(records=(RECORD,), names=(base, "example.com"))


async def test_a_certificate_may_be_for_the_next_hop_and_what_its_aliases_lead_to(world: World) -> None:
    found = await world.policy("mx.example.com", "alias.example")
    assert isinstance(found, Dane)
    assert found.names == ("mx.example.com", "alias.example", "example.com")


@pytest.mark.parametrize("host", ["plain.example.com", "host.unsigned.example", "nowhere.example.com"])
async def test_without_records_there_is_no_dane(world: World, host: str) -> None:
    assert await world.policy(host) is None


async def test_names_that_are_not_vouched_for_are_not_asked_for_records(world: World) -> None:
    world.server.failing.add("_25._tcp.host.unsigned.example TLSA")
    assert await world.policy("host.unsigned.example") is None
    assert "_25._tcp.host.unsigned.example TLSA" not in world.server.asked


async def test_records_that_nobody_can_use_still_require_tls(world: World) -> None:
    assert await world.policy("pkix.example.com") == Required(is_verified=False)


@pytest.mark.parametrize("insecure", ["example.com", "mx.example.com", "_25._tcp.mx.example.com"])
async def test_all_that_leads_there_must_be_vouched_for(world: World, insecure: str) -> None:
    world.server.secure.discard(insecure)
    assert await world.policy("mx.example.com") is None


async def test_an_alias_that_is_not_vouched_for_leads_nowhere(world: World) -> None:
    world.server.secure.discard("away.example.com")
    assert await world.policy("away.example.com") is None


async def test_what_is_forged_or_not_answered_is_no_absence(world: World) -> None:
    """Resolvers that check DNSSEC answer SERVFAIL for what is bogus (RFC 4035 §5.5)."""
    world.server.failing.add("_25._tcp.mx.example.com TLSA")
    found = await world.policy("mx.example.com")
    assert isinstance(found, Deferred)
    assert found.tls == TlsUsed(policy="dane", failure=TlsFailure.DNSSEC_INVALID)


async def test_a_host_that_dns_does_not_tell_of_has_no_policy_either(world: World) -> None:
    world.server.failing.add("mx.example.com")
    with pytest.raises(TryAgainLater):
        await world.policy("mx.example.com")


async def test_one_family_of_addresses_is_enough(world: World) -> None:
    world.server.failing.add("four.example.com AAAA")
    assert isinstance(await world.policy("four.example.com"), Dane)


async def test_a_resolver_that_is_not_trusted_vouches_for_nothing(server: DnsServer) -> None:
    world = World(server)
    world.resolver = DnsResolver(clock=FakeClock(), nameservers=(server.endpoint,))
    assert await world.policy("mx.example.com") is None
