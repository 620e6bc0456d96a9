"""The resolver against a name server on loopback."""

import asyncio
from collections.abc import AsyncIterator

import dns.resolver
import pytest

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.instant import SECOND_MS
from mailstack.model.tls_policy import TlsaRecord
from mailstack.net.resolver import DnsResolver, ResolverLimits
from mailstack.ports.resolver import Answer, MailExchanger
from tests.support.dns_server import DnsServer, dns_server
from tests.support.fake_clock import FakeClock
from tests.support.running import DEADLINE_S
from tests.support.wakes import eventually

NAMES = {
    "example.com": {
        "MX": ["20 backup.example.com.", "10 MX.example.com."],
        "TXT": ['"v=spf1 " "-all"', '"caf\\195\\169"'],
    },
    "mx.example.com": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "backup.example.com": {"A": ["192.0.2.9"]},
    "alias.example.com": {"CNAME": ["hop.example.com."]},
    "hop.example.com": {"CNAME": ["mx.example.com."]},
    "null.example.com": {"MX": ["0 ."]},
    "bare.example.com": {"A": ["192.0.2.3"]},
    "many.example.com": {"A": [f"192.0.2.{n}" for n in range(1, 251)]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["MX.example.com."]},
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": {"PTR": ["mx.example.com."]},
    "_25._tcp.mx.example.com": {"TLSA": ["3 1 0 01ff"]},
    "_25._tcp.cut.example.com": {"TLSA": ["3 1 1 " + "ab" * 20, "3 1 1 " + "cd" * 32, "3 1 2 ef"]},
    "long.example.com": {"TXT": [f'"{"x" * 250}" "{n}"' for n in range(20)]},
}
MX_ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with dns_server(NAMES) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def resolver(server: DnsServer, clock: FakeClock) -> DnsResolver:
    limits = ResolverLimits(deadline_s=60, server_timeout_s=20, cache_entries=3, cache_ttl_s=30)
    return DnsResolver(clock=clock, nameservers=(server.endpoint,), limits=limits)


async def addresses(resolver: DnsResolver, host: str) -> tuple[str, list[str]]:
    """The first, and all: a name server gives those of one family in any order."""
    found = await resolver.addresses(host)
    return found[0], sorted(found)


def test_a_machine_without_a_resolver_is_told_so(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    def nothing(_self: object, _file: str) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", nothing)
    with pytest.raises(Invalid, match="no resolver is named"):
        DnsResolver(clock=clock)
    DnsResolver(clock=clock, nameservers=("127.0.0.1",))


async def test_an_endless_answer_is_cut(resolver: DnsResolver) -> None:
    assert len(await resolver.addresses("many.example.com")) == 100


async def test_mail_exchangers_come_as_they_are(resolver: DnsResolver) -> None:
    found = await resolver.mail_exchangers("example.com")
    assert sorted(found, key=lambda mx: mx.preference) == [
        MailExchanger(preference=10, host="mx.example.com"),
        MailExchanger(preference=20, host="backup.example.com"),
    ]


async def test_a_null_mx_has_no_host(resolver: DnsResolver) -> None:  # RFC 7505 §3
    assert await resolver.mail_exchangers("null.example.com") == (MailExchanger(preference=0, host=""),)


async def test_addresses_of_both_families(resolver: DnsResolver) -> None:
    assert await addresses(resolver, "mx.example.com") == ("2001:db8::1", MX_ADDRESSES)


async def test_addresses_of_one_family_ask_for_that_one(resolver: DnsResolver, server: DnsServer) -> None:
    assert await resolver.addresses_of("mx.example.com", 6) == ("2001:db8::1",)
    assert sorted(await resolver.addresses_of("mx.example.com", 4)) == ["192.0.2.1", "192.0.2.2"]
    assert server.asked == ["mx.example.com AAAA", "mx.example.com A"]


@pytest.mark.parametrize(
    ("address", "names"), [("192.0.2.1", ("mx.example.com",)), ("2001:db8::1", ("mx.example.com",)), ("x", ())]
)
async def test_names_of_an_address(resolver: DnsResolver, address: str, names: tuple[str, ...]) -> None:
    assert await resolver.names_of(address) == names


async def test_cnames_are_followed(resolver: DnsResolver) -> None:
    assert await addresses(resolver, "alias.example.com") == ("2001:db8::1", MX_ADDRESSES)


async def test_texts_are_joined_and_keep_every_byte(resolver: DnsResolver) -> None:
    assert sorted(await resolver.texts("example.com")) == ["caf\udcc3\udca9", "v=spf1 -all"]


async def test_a_truncated_answer_is_asked_for_again_over_tcp(resolver: DnsResolver, server: DnsServer) -> None:
    assert len(await resolver.texts("long.example.com")) == 20
    assert server.asked == ["long.example.com TXT"] * 2


@pytest.mark.parametrize("name", ["absent.example.com", "bare.example.com", "a..b", "x" * 64 + ".example", "\udcff.x"])
async def test_absence_is_an_empty_answer(resolver: DnsResolver, name: str) -> None:
    assert await resolver.mail_exchangers(name) == ()


async def test_localhost_is_never_asked(resolver: DnsResolver, server: DnsServer) -> None:  # RFC 6761 §6.3
    assert await resolver.addresses("LocalHost.") == ("::1", "127.0.0.1")
    assert not server.asked


async def test_silence_is_try_again_later_at_the_deadline(server: DnsServer, clock: FakeClock) -> None:
    server.silent.add("example.com")
    limits = ResolverLimits(deadline_s=1, server_timeout_s=0.3)
    resolver = DnsResolver(clock=clock, nameservers=(server.endpoint,), limits=limits)
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(TryAgainLater, match=r"^DNS: example\.com\. MX: no answer in time$"):
            await resolver.mail_exchangers("example.com")


async def test_servfail_is_try_again_later_and_is_not_kept(resolver: DnsResolver, server: DnsServer) -> None:
    server.failing.add("example.com")
    with pytest.raises(TryAgainLater, match=r"^DNS: example\.com\. TXT: no name server can answer$"):
        await resolver.texts("example.com")
    server.failing.clear()
    assert await resolver.texts("example.com")


async def test_one_family_that_fails_does_not_hide_the_other(resolver: DnsResolver, server: DnsServer) -> None:
    server.failing.add("mx.example.com AAAA")
    assert sorted(await resolver.addresses("mx.example.com")) == ["192.0.2.1", "192.0.2.2"]


async def test_a_failing_family_beside_an_empty_one_is_no_absence(resolver: DnsResolver, server: DnsServer) -> None:
    server.failing.add("bare.example.com A")
    with pytest.raises(TryAgainLater):
        await resolver.addresses("bare.example.com")


async def test_answers_are_kept_no_longer_than_the_bound(
    resolver: DnsResolver, server: DnsServer, clock: FakeClock
) -> None:
    await resolver.texts("example.com")
    clock.advance(29 * SECOND_MS)
    await resolver.texts("example.com")
    assert len(server.asked) == 1
    clock.advance(2 * SECOND_MS)
    await resolver.texts("example.com")
    assert len(server.asked) == 2


async def test_absence_is_kept_too(resolver: DnsResolver, server: DnsServer) -> None:  # RFC 2308 §5
    await resolver.texts("absent.example.com")
    await resolver.texts("absent.example.com")
    assert len(server.asked) == 1


@pytest.mark.parametrize("name", ["absent.example.com", "bare.example.com"])
async def test_absence_is_kept_for_as_long_as_its_zone_says(
    resolver: DnsResolver, server: DnsServer, clock: FakeClock, name: str
) -> None:  # RFC 2308 §5
    server.negative_ttl_s = 20
    for seconds, asked in ((0, 1), (19, 1), (2, 2)):
        clock.advance(seconds * SECOND_MS)
        assert await resolver.texts(name) == ()
        assert len(server.asked) == asked


async def test_the_cache_is_bounded(resolver: DnsResolver, server: DnsServer) -> None:
    for name in ("a.example", "b.example", "c.example", "d.example", "a.example"):
        await resolver.texts(name)
    assert len(server.asked) == 5


async def test_the_next_server_is_asked_when_one_is_gone(server: DnsServer, clock: FakeClock) -> None:
    resolver = DnsResolver(clock=clock, nameservers=("127.0.0.1:1", server.endpoint))
    assert await resolver.addresses("backup.example.com") == ("192.0.2.9",)


@pytest.mark.parametrize("text", ["ns.example.com", "127.0.0.1:x", "", "[::1]:x"])
def test_a_nameserver_is_an_address(text: str, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match=r"."):
        DnsResolver(clock=clock, nameservers=(text,))


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "[::1]:5353", "[::1]", "127.0.0.1:5353"])
def test_ways_to_write_a_nameserver(text: str, clock: FakeClock) -> None:
    DnsResolver(clock=clock, nameservers=(text,))


async def test_what_several_ask_at_once_is_asked_once(resolver: DnsResolver, server: DnsServer) -> None:
    found = await asyncio.gather(*(resolver.texts(name) for name in ("example.com", "EXAMPLE.com") * 50))
    assert len({tuple(sorted(texts)) for texts in found}) == 1
    assert server.asked == ["example.com TXT"]


async def test_who_gives_up_does_not_take_the_answer_from_others(resolver: DnsResolver, server: DnsServer) -> None:
    first = asyncio.create_task(resolver.texts("example.com"))
    other = asyncio.create_task(resolver.texts("example.com"))
    await asyncio.sleep(0)
    first.cancel()
    assert sorted(await other) == ["caf\udcc3\udca9", "v=spf1 -all"]
    assert len(server.asked) == 1


async def test_questions_at_once_are_bounded(server: DnsServer, clock: FakeClock) -> None:
    server.silent.add("slow.example")
    limits = ResolverLimits(deadline_s=0.5, server_timeout_s=0.5, questions=1)
    resolver = DnsResolver(clock=clock, nameservers=(server.endpoint,), limits=limits)
    asked = asyncio.gather(resolver.texts("slow.example"), resolver.texts("example.com"), return_exceptions=True)
    await eventually(lambda: bool(server.asked))
    assert server.asked == ["slow.example TXT"]
    silent, _ = await asked
    assert isinstance(silent, TryAgainLater)
    assert sorted(await resolver.texts("example.com")) == ["caf\udcc3\udca9", "v=spf1 -all"]


async def test_the_texts_that_are_kept_are_bounded(server: DnsServer, clock: FakeClock) -> None:
    resolver = DnsResolver(
        clock=clock, nameservers=(server.endpoint,), limits=ResolverLimits(kept_octets=len("example.com") + 20)
    )
    for name in ("long.example.com", "long.example.com", "example.com", "example.com"):
        await resolver.texts(name)
    assert server.asked.count("example.com TXT") == 1
    assert server.asked.count("long.example.com TXT") == 4  # each time over UDP, then over TCP


def validating(server: DnsServer, clock: FakeClock) -> DnsResolver:
    return DnsResolver(clock=clock, nameservers=(server.endpoint,), is_validating=True)


async def test_answers_say_whether_dnssec_vouches_for_them(server: DnsServer, clock: FakeClock) -> None:
    server.secure |= {"example.com", "mx.example.com", "alias.example.com", "absent.example.com"}
    resolver = validating(server, clock)
    assert (await resolver.exchangers_answer("example.com")).is_secure
    assert (await resolver.exchangers_answer("absent.example.com")) == Answer(
        values=(), is_secure=True, name="absent.example.com"
    )
    assert not (await resolver.exchangers_answer("null.example.com")).is_secure
    assert not (await resolver.addresses_answer("alias.example.com")).is_secure  # hop.example.com is not signed
    server.secure.add("hop.example.com")
    found = await validating(server, clock).addresses_answer("Alias.example.com.")
    assert (found.is_secure, found.name, sorted(found.values)) == (True, "mx.example.com", MX_ADDRESSES)


async def test_what_is_kept_is_still_vouched_for(server: DnsServer, clock: FakeClock) -> None:
    server.secure.add("example.com")
    resolver = validating(server, clock)
    first = await resolver.exchangers_answer("example.com")
    assert await resolver.exchangers_answer("example.com") == first
    assert await resolver.mail_exchangers("example.com") == first.values
    assert server.asked == ["example.com MX"]


async def test_nobody_is_believed_unless_trusted(server: DnsServer, resolver: DnsResolver) -> None:
    server.secure.add("example.com")
    server.always_says_secure = True
    assert not (await resolver.exchangers_answer("example.com")).is_secure


async def test_a_tlsa_record_with_a_digest_of_the_wrong_length_takes_no_other_with_it(
    server: DnsServer, clock: FakeClock
) -> None:  # RFC 7671 §4.1
    found = await validating(server, clock).tlsa_answer("_25._tcp.cut.example.com")
    assert {(record.matching, record.data) for record in found.values} == {
        (1, b"\xab" * 20),
        (1, b"\xcd" * 32),
        (2, b"\xef"),
    }


async def test_tlsa_records_and_aliases_are_read(server: DnsServer, clock: FakeClock) -> None:
    resolver = validating(server, clock)
    assert (await resolver.tlsa_answer("_25._tcp.mx.example.com")).values == (TlsaRecord(3, 1, 0, b"\x01\xff"),)
    assert (await resolver.alias_answer("alias.example.com")).values == ("hop.example.com",)
    assert (await resolver.addresses_answer("a.localhost")).values == ("::1", "127.0.0.1")
    server.failing.add("bare.example.com")
    with pytest.raises(TryAgainLater):
        await resolver.addresses_answer("bare.example.com")
