"""The servers of a zone, asked one by one, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mailstack.reconcile.dns.authoritative import AuthoritativeDns, LiveLimits, authoritative_dns
from mailstack.reconcile.dns.live import Seen, Sight, spread
from tests.support.dns_server import DnsServer, dns_server
from tests.support.running import DEADLINE_S
from tests.support.specs import spec_value

ZONE = "zone.lan"
NAMES = {
    ZONE: {
        "NS": ["ns1.zone.lan.", "ns2.zone.lan."],
        "MX": ["10 MAIL.zone.lan."],
        "TXT": ['"v=spf1 " "-all"', '"site=1"', '"\\200"'],
    },
    "ns1.zone.lan": {"A": ["127.0.0.1"]},
    "alias.zone.lan": {"CNAME": ["Mail.zone.lan."]},
    "long.zone.lan": {"TXT": [f'"{"x" * 250}" "{n}"' for n in range(20)]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mail.zone.lan."]},
}
LIMITS = LiveLimits(server_timeout_s=1, deadline_s=10, resolver_deadline_s=10, silent_s=600)
# RFC 863's port, where nothing listens on this machine.
DEAD = "127.0.0.1:9"


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with dns_server(NAMES) as running:
        yield running


def asking(*servers: str, resolver: str = DEAD, limits: LiveLimits = LIMITS) -> AuthoritativeDns:
    return AuthoritativeDns(nameservers={ZONE: servers}, resolvers=(resolver,), limits=limits)


async def values(live: AuthoritativeDns, name: str, record_type: str) -> tuple[str, ...]:
    (sight,) = (await live.seen(ZONE, name, record_type)).sights
    assert not sight.failure
    return sight.values


async def test_answers_come_as_record_sets_have_them(server: DnsServer) -> None:
    live = asking(server.endpoint)
    assert await values(live, ZONE, "MX") == ("10 mail.zone.lan.",)
    assert await values(live, ZONE, "TXT") == ("\\xc8", "site=1", "v=spf1 -all")
    assert await values(live, ZONE, "AAAA") == ()
    assert await values(live, "gone.zone.lan", "A") == ()


async def test_a_long_answer_comes_by_tcp(server: DnsServer) -> None:
    assert len(await values(asking(server.endpoint), "long.zone.lan", "TXT")) == 20
    assert server.asked.count("long.zone.lan TXT") == 2


async def test_a_cname_in_its_place_is_told(server: DnsServer) -> None:
    (sight,) = (await asking(server.endpoint).seen(ZONE, "alias.zone.lan", "TXT")).sights
    assert sight == Sight(server=server.endpoint, alias="mail.zone.lan.")


async def test_a_server_that_lags_is_told_from_one_that_has_it(server: DnsServer) -> None:
    async with dns_server({ZONE: {"MX": ["10 old.zone.lan."]}}) as lagging:
        seen = await asking(server.endpoint, lagging.endpoint).seen(ZONE, ZONE, "MX")
    found = spread(seen, ("10 mail.zone.lan.",))
    assert (found.at, found.missing_at) == ((server.endpoint,), (lagging.endpoint,))
    assert not found.is_everywhere


async def test_a_dead_server_does_not_hide_the_others(server: DnsServer) -> None:
    seen = await asking(server.endpoint, DEAD).seen(ZONE, ZONE, "MX")
    assert spread(seen, ("10 mail.zone.lan.",)).unknown_at == (DEAD,)
    assert spread(seen, ("10 mail.zone.lan.",)).is_everywhere


async def test_a_silent_server_is_asked_twice_and_then_left_alone(server: DnsServer) -> None:
    server.silent.add(ZONE)
    live = asking(server.endpoint, limits=replace(LIMITS, server_timeout_s=0.3))
    for _ in range(5):
        (sight,) = (await live.seen(ZONE, ZONE, "MX")).sights
        assert sight.failure == "does not answer"
    # By UDP and by TCP, each time.
    assert server.asked.count(f"{ZONE} MX") == 2 * LIMITS.silent_after


async def test_a_server_that_has_not_got_the_zone_says_nothing_about_it(server: DnsServer) -> None:
    server.is_lame = True
    (sight,) = (await asking(server.endpoint).seen(ZONE, ZONE, "MX")).sights
    assert sight.failure == "is not authoritative for the name"


async def test_a_refusal_is_told_by_its_name(server: DnsServer) -> None:
    server.failing.add(ZONE)
    (sight,) = (await asking(server.endpoint).seen(ZONE, ZONE, "MX")).sights
    assert sight.failure == "answers SERVFAIL"


async def test_the_servers_are_those_that_ns_records_name(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), port=server.port, limits=LIMITS)
    seen = await live.seen(ZONE, ZONE, "MX")
    assert seen == Seen(
        sights=(
            Sight(server="ns1.zone.lan", values=("10 mail.zone.lan.",), ttl_s=60),
            Sight(server="ns2.zone.lan", failure="has no address"),
        )
    )
    await live.seen(ZONE, ZONE, "MX")
    assert server.asked.count(f"{ZONE} NS") == 1


async def test_a_name_in_no_zone_of_the_spec_finds_its_own(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), port=server.port, limits=LIMITS)
    seen = await live.seen("", "alias.zone.lan", "CNAME")
    assert [sight.server for sight in seen.sights] == ["ns1.zone.lan", "ns2.zone.lan"]


async def test_names_of_one_zone_find_it_together(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), port=server.port, limits=LIMITS)
    names = [f"_{label}._tcp.{ZONE}" for label in ("imap", "imaps", "pop3", "submission")]
    await asyncio.gather(*(live.seen("", name, "SRV") for name in names))
    assert server.asked.count(f"_tcp.{ZONE} NS") == server.asked.count(f"{ZONE} NS") == 1
    assert server.asked.count("ns1.zone.lan A") == 1


async def test_a_name_above_which_there_is_no_zone_is_a_failure(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), limits=LIMITS)
    assert "no name servers" in (await live.seen("", "a.b.gone.lan", "A")).failure


async def test_a_zone_that_nobody_serves_is_a_failure_of_the_whole(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), limits=LIMITS)
    seen = await live.seen("gone.lan", "gone.lan", "MX")
    assert seen == Seen(failure="gone.lan has no name servers in DNS: is the zone delegated?")


async def test_without_dns_a_thousand_questions_take_no_longer_than_a_few() -> None:
    live = AuthoritativeDns(resolvers=(DEAD,), limits=replace(LIMITS, server_timeout_s=0.3, resolver_deadline_s=1))
    async with asyncio.timeout(DEADLINE_S):
        for number in range(1_000):
            seen = await live.seen(f"zone{number}.lan", f"zone{number}.lan", "MX")
            assert "DNS does not answer" in seen.failure


async def test_nobody_is_asked_about_names_kept_for_documentation(server: DnsServer) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), limits=LIMITS)
    assert "documentation" in (await live.seen("example.com", "example.com", "MX")).failure
    assert server.asked == []


async def test_a_name_that_dns_cannot_hold_is_a_failure_and_no_exception(server: DnsServer) -> None:
    assert "cannot be asked for" in (await asking(server.endpoint).seen(ZONE, f"{'x' * 64}.zone.lan", "A")).failure


async def test_a_resolver_says_what_everybody_sees(server: DnsServer) -> None:
    live = asking(server.endpoint, resolver=server.endpoint)
    assert (await live.resolved("1.2.0.192.in-addr.arpa", "PTR")).values == ("mail.zone.lan.",)
    assert await live.resolved("2.2.0.192.in-addr.arpa", "PTR") == Sight(server="")
    server.failing.add("3.2.0.192.in-addr.arpa")
    assert "cannot say" in (await live.resolved("3.2.0.192.in-addr.arpa", "PTR")).failure


async def test_an_ns_record_names_a_host_and_neither_an_address_nor_a_port(server: DnsServer) -> None:
    """Whoever has a zone would have this machine talk to any port of its own network."""
    server.names[ZONE] = {**NAMES[ZONE], "NS": [f"127.0.0.1:{server.port}.", "127.0.0.1."]}
    live = AuthoritativeDns(resolvers=(server.endpoint,), port=server.port, limits=LIMITS)
    seen = await live.seen(ZONE, ZONE, "MX")
    assert [sight.failure for sight in seen.sights] == ["has no address"] * 2


@pytest.mark.parametrize(("trusted", "is_asked"), [(None, True), ((ZONE,), True), ((), False)])
async def test_only_a_trusted_zone_leads_to_servers_that_are_not_public(
    server: DnsServer, trusted: tuple[str, ...] | None, is_asked: bool
) -> None:
    live = AuthoritativeDns(resolvers=(server.endpoint,), port=server.port, limits=LIMITS, trusted=trusted)
    await live.seen(ZONE, "other.zone.lan", "MX")
    assert ("other.zone.lan MX" in server.asked) is is_asked


@pytest.mark.parametrize("resolvers", [None, (DEAD,)])
async def test_the_resolvers_are_those_of_the_spec_unless_others_are_named(
    server: DnsServer, resolvers: tuple[str, ...] | None
) -> None:
    spec = spec_value({"dns": {"resolvers": [server.endpoint]}}).spec
    live = authoritative_dns(spec, resolvers=resolvers)
    sight = await live.resolved("1.2.0.192.in-addr.arpa", "PTR")
    assert bool(sight.values) is (resolvers is None)
