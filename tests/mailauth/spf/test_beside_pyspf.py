"""Our verdicts beside pyspf's, over records that nobody wrote by hand.

Left out are those where pyspf is stricter or laxer than the text: it counts redirect= as a term that asks DNS although
something matched before it, counts each question without an answer where RFC 7208 §4.6.4 counts terms, refuses a record
that includes itself before the limit is reached, refuses unknown modifiers that stand there twice (§6 speaks of two
known ones), and takes -exists without a name (§5.7).
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

import spf
from mailstack.mailauth.spf.check import check
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from tests.support.zone_resolver import ZoneResolver

WORLDS = 400
LEFT_OUT = ("Void lookup limit", "Too many DNS lookups", "trivial recursion", "= MUST appear at most once: x")

HOSTS: dict[str, list[Any]] = {
    "mx1.example.com": [{"A": "192.0.2.1"}, {"AAAA": "2001:db8::1"}],
    "mx2.example.com": [{"A": "192.0.2.2"}, {"A": "198.51.100.2"}, {"AAAA": "2001:db8:1::2"}],
    "example.com": [{"A": "192.0.2.77"}, {"AAAA": "2001:db8::77"}, {"MX": [10, "mx1.example.com"]}],
    "slow.example.com": ["TIMEOUT"],
    "a.b-c.user.example.com": [{"A": "127.0.0.2"}],
    "c.b.a.user.example.com": [{"A": "127.0.0.2"}],
    "mx1.example.com.ok.example.com": [{"A": "127.0.0.2"}],
    "1.2.0.192.in-addr.arpa": [{"PTR": "mx1.example.com"}],
    "2.2.0.192.in-addr.arpa": [{"PTR": "mx1.example.com"}, {"PTR": "mx2.example.com"}],
    f"{'.'.join(reversed('20010db8000000000000000000000001'))}.ip6.arpa": [{"PTR": "mx1.example.com"}],
}
SENDING = tuple(f"d{number}.example.com" for number in range(4))
CLIENTS = ("192.0.2.1", "192.0.2.2", "198.51.100.9", "2001:db8::1", "2001:db8:1::2", "::ffff:192.0.2.1")
NAMES = (*SENDING, *HOSTS, "absent.example.com", "sub.mx1.example.com")
SPECS = (
    *NAMES,
    *("%{d}", "%{o}", "%{h}", "%{d2}", "%{d1r}.example.com", "%{l}.user.example.com", "%{lr-}.user.example.com"),
    *("%{l2r-.}.user.example.com", "%{i}.example.com", "%{ir}.%{v}.arpa", "%{p}.ok.example.com", "%{s}.example.com"),
    *("%{S}.example.com", "x%%%_%-.example.com", "mx1.example.com.", "%{p3}", "%{d0}", "%{x}", "%{c}.example.com"),
    *("%", "%{d", "example", "example.com.1", "a..example.com", "-.example.com", "example.-com", "b:c.example.com"),
)
LENGTHS = ("", "/0", "/24", "/32", "/33", "/024", "//0", "//64", "//129", "/24//48", "/24/48", "/", "//", "/x")
NETWORKS = (
    *("ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip4:0.0.0.0/0", "ip4:192.0.2.1/33", "ip4:192.0.2", "ip4:192.0.2.256"),
    *("ip4:192.0.02.1", "ip4", "ip4:", "ip6:2001:db8::/32", "ip6:2001:DB8::1", "ip6:::/0", "ip6:::1.2.3.4", "ip6:x"),
    *("ip6:2001:db8::/129", "ip6:1:2:3:4:5:6:7", "ip6:1::2::3", "ip6:::ffff:192.0.2.1"),
)
ODD = (
    "moo",
    "all:x",
    "all/8",
    "all.",
    "=x",
    "1up=x",
    "x.y-z_1=%{d}",
    "x=%",
    "x=",
    "include",
    "ptr/8",
    "A",
    "ALL",
)

qualifiers = st.sampled_from(("", "", "+", "-", "~", "?"))
specs = st.sampled_from(SPECS)
with_hosts = st.builds(
    lambda name, spec, length: f"{name}{f':{spec}' if spec is not None else ''}{length}",
    st.sampled_from(("a", "mx")),
    st.none() | st.sampled_from((*NAMES, "%{d}", "%{d2}")) | specs,
    st.just("") | st.sampled_from(LENGTHS),
)
with_target = st.builds(lambda name, spec: f"{name}:{spec}", st.sampled_from(("include", "exists", "ptr")), specs)
including = st.builds(lambda name: f"include:{name}", st.sampled_from(SENDING))
mechanisms = st.one_of(
    with_hosts, with_target, including, st.sampled_from(NETWORKS), st.sampled_from(NETWORKS[:3]), st.just("ptr")
)
terms = st.builds(lambda sign, mechanism: sign + mechanism, qualifiers, mechanisms | mechanisms | st.sampled_from(ODD))
modifiers = st.builds(lambda name, spec: f"{name}={spec}", st.sampled_from(("redirect", "exp")), st.sampled_from(NAMES))
endings = st.sampled_from(((), (), ("-all",), ("~all",), ("?all",)))
records = st.builds(
    lambda first, modifier, end: " ".join(("v=spf1", *first, *modifier, *end)),
    st.lists(terms, max_size=4),
    st.lists(modifiers, max_size=1),
    endings,
)
worlds = st.fixed_dictionaries(dict.fromkeys(SENDING, records))


@pytest.fixture(scope="module", autouse=True)
def _pyspf_asks_nobody() -> Iterator[None]:
    """pyspf looks its questions up in a module's name; each world puts its own there."""
    before = spf.DNSLookup
    yield
    spf.DNSLookup = before


@settings(max_examples=WORLDS, derandomize=True, deadline=None)
@given(world=worlds, client=st.sampled_from(CLIENTS), local_part=st.sampled_from(("a.b-c", "a-b-c", "x+y", "")))
def test_both_come_to_the_same(world: dict[str, str], client: str, local_part: str) -> None:
    zones: dict[str, list[Any]] = {**HOSTS, **{name: [{"SPF": record}] for name, record in world.items()}}
    theirs, words = pyspf(zones, client, f"{local_part}@{SENDING[0]}")
    assume(not any(reason in words for reason in LEFT_OUT))
    verdict = asyncio.run(
        check(
            ZoneResolver(zones),
            peer=client,
            helo="mx1.example.com",
            mail_from=f"{local_part}@{SENDING[0]}",
            receiver="receiver.example",
            now=Instant(1_700_000_000_000),
        )
    )
    event(verdict.result)
    assert verdict.result == theirs, (verdict, words)


def pyspf(zones: dict[str, list[Any]], client: str, sender: str) -> tuple[str, str]:
    resolver = ZoneResolver(zones)

    def lookup(name: str, rdtype: str, _strict: object, _timeout: object) -> list[Any]:
        try:
            found = resolver.ask(name, rdtype)
        except TryAgainLater as fault:
            raise spf.TempError(fault.detail) from None
        if rdtype == "TXT":
            found = [(text.encode(),) for text in found]
        return [((name, rdtype), tuple(value) if isinstance(value, list) else value) for value in found]

    spf.DNSLookup = lookup
    query = spf.query(i=client, s=sender, h="mx1.example.com", receiver="receiver.example", strict=True)
    result, _code, words = query.check()
    return result, words
