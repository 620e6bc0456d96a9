"""What lists in DNS add to a score: who and what they are asked about, what their codes are worth, and what is not
believed. RFC 5782."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import structlog

from mailstack.formats.addresses import Mailbox
from mailstack.model.instant import MINUTE_MS
from mailstack.model.spam import Finding
from mailstack.model.verdict import (
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcResult,
    DmarcVerdict,
    IprevResult,
    IprevVerdict,
    SpfResult,
)
from mailstack.ports.resolver import IpVersion
from mailstack.services.spam.dns_lists import MOST_HOSTS, About, DnsLists, ScoredList
from tests.support.examined import RAW, examined
from tests.support.fake_clock import FakeClock
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import known

ZONE = "bl.example"
SOUND = {"2.0.0.127.bl.example": ("127.0.0.2",), "test.bl.example": ("127.0.0.2",)}
ALL = frozenset(About)


class Recording(MemoryResolver):
    """asked: names, without those of tests of a list."""

    def __init__(self, listed: Mapping[str, Sequence[str]] = SOUND) -> None:
        super().__init__(hosts={**SOUND, **listed})
        self.asked: list[str] = []

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        self.asked.append(host)
        return await super().addresses_of(host, version)


def scored(
    points: float = 4.0, *, of: frozenset[About] = ALL, codes: Mapping[str, float] | None = None, zone: str = ZONE
) -> ScoredList:
    return ScoredList(zone=zone, of=of, points=points, codes=codes or {})


def findings(resolver: MemoryResolver, *lists: ScoredList, raw: bytes = RAW, **changes: Any) -> Sequence[Finding]:
    source = DnsLists(resolver, lists or (scored(),), own=("example.com", "mail.example.net"), clock=FakeClock())
    return asyncio.run(source.findings(examined(raw, **changes)))


def with_links(*links: str) -> bytes:
    return RAW + "".join(f"<{link}>\r\n" for link in links).encode()


def proved(
    *, dmarc: DmarcResult = DmarcResult.NONE, spf: SpfResult = SpfResult.NONE, signed: Sequence[DkimVerdict] = ()
) -> Authentication:
    plain = known(DmarcVerdict(result=dmarc), spf=spf)
    return Authentication(
        iprev=IprevVerdict(result=IprevResult.PASS, name="out.host.example"),
        helo=plain.helo,
        mail_from=plain.mail_from,
        dkim=tuple(signed),
        arc=plain.arc,
        dmarc=plain.dmarc,
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("4.4.8.8", "8.8.4.4"),  # who brought it
        ("shop.example", "shop.example"),  # author, sender and EHLO name
        ("mx.shop.example", "mx.shop.example"),
        ("bad.example", "bad.example"),  # of a link
        ("evil.bad.example", "evil.bad.example"),
        ("1.1.1.1", "1.1.1.1"),
    ],
)
def test_what_is_on_a_list_has_its_points(name: str, why: str) -> None:
    raw = with_links("http://evil.bad.example/x", "https://1.1.1.1/login")
    found = findings(Recording({f"{name}.bl.example": ("127.0.0.2",)}), raw=raw)
    assert found == [Finding(rule="list-bl.example", points=4.0, why=f"{why} 127.0.0.2")]


def test_a_list_is_asked_about_what_it_is_of() -> None:
    raw = with_links("http://a.bad.example")
    for about, asked in (
        (About.PEERS, ["4.4.8.8"]),
        (About.DOMAINS, ["shop.example", "mx.shop.example"]),
        (About.LINKS, ["bad.example", "a.bad.example"]),
    ):
        resolver = Recording()
        findings(resolver, scored(of=frozenset({about})), raw=raw)
        assert resolver.asked == [f"{name}.bl.example" for name in asked]


def test_domains_are_those_of_all_who_had_a_hand_in_it() -> None:
    resolver = Recording()
    findings(
        resolver,
        scored(of=frozenset({About.DOMAINS})),
        author=Mailbox(name=b"", local_part=b"a", domain="Bücher.example".encode()),
        reverse_path="b@bounces.example",
        ehlo_domain="[8.8.4.4]",
        authentication=proved(
            signed=[
                DkimVerdict(result=DkimResult.PASS, domain="signer.example"),
                DkimVerdict(result=DkimResult.FAIL, domain="forged.example"),
            ]
        ),
    )
    assert resolver.asked == [
        f"{name}.bl.example"
        for name in ("xn--bcher-kva.example", "bounces.example", "host.example", "out.host.example", "signer.example")
    ]


def test_nobody_is_asked_about_our_own_nor_about_what_is_private() -> None:
    raw = with_links(
        "http://example.com",
        "http://www.example.com",
        "http://mail.example.net",
        "http://10.0.0.1",
        "http://127.0.0.1",
        "http://printer",
        "http://printer.local",
        f"http://{'a' * 63}.{'b' * 63}.{'c' * 63}.example",
    )
    resolver = Recording()
    findings(resolver, raw=raw, peer_host="192.168.1.1", author=None, reverse_path="", ehlo_domain="pc")
    assert resolver.asked == [f"{'c' * 63}.example.bl.example", f"{'b' * 63}.{'c' * 63}.example.bl.example"]


def test_a_question_longer_than_a_name_may_be_is_not_asked() -> None:
    zone = ".".join(["z" * 60] * 3)
    resolver = Recording()
    raw = with_links(f"http://{'b' * 60}.{'c' * 30}.example")
    findings(resolver, scored(zone=zone, of=frozenset({About.LINKS})), raw=raw)
    assert resolver.asked == [f"{'c' * 30}.example.{zone}"]


@pytest.mark.parametrize(
    ("code", "points"),
    [
        ("127.0.1.4", 6.0),
        ("127.0.1.5", 4.0),
        ("127.0.5.3", -3.0),
        ("127.0.1.3", 1.0),  # the code itself, before the pattern
        ("127.0.9.9", 0.0),
    ],
)
def test_a_code_has_points_of_its_own(code: str, points: float) -> None:
    codes = {"127.0.1.4": 6.0, "127.0.*.3": -3.0, "127.0.9.*": 0.0, "127.0.1.3": 1.0}
    found = findings(Recording({"4.4.8.8.bl.example": (code,)}), scored(codes=codes))
    assert [finding.points for finding in found] == ([points] if points else [])


@pytest.mark.parametrize(
    ("code", "points"),
    [
        ("127.0.0.8", 4.0),
        ("127.0.0.72", 4.0),  # 8 and 64: the most, and not the sum
        ("127.0.0.64", 3.0),
        ("127.0.0.66", 3.0),  # 2 is not named
        ("127.0.0.32", 0.0),  # a bit that is let pass
        ("127.0.0.2", 1.0),  # none that is named
        ("127.0.0.24", 9.0),  # a code that is named is not looked into
        ("127.0.0.144", -2.0),  # 16 and 128: the most that speaks for it
        ("127.0.0.136", 4.0),
    ],
)
def test_a_bit_of_a_sum_has_points_of_its_own(code: str, points: float) -> None:
    scored = ScoredList(
        zone=ZONE,
        of=ALL,
        points=1.0,
        codes={"127.0.0.24": 9.0},
        bits={8: 4.0, 64: 3.0, 32: 0.0, 16: -2.0, 128: -1.0},
    )
    found = findings(Recording({"4.4.8.8.bl.example": (code,)}), scored)
    assert [finding.points for finding in found] == ([points] if points else [])


def test_one_list_counts_once_with_the_most_it_says() -> None:
    listed = {"4.4.8.8.bl.example": ("127.0.0.2", "127.0.0.3"), "shop.example.bl.example": ("127.0.0.4",)}
    codes = {"127.0.0.2": -4.0, "127.0.0.3": 1.0, "127.0.0.4": 2.0}
    found = findings(Recording(listed), scored(codes=codes))
    assert found == [Finding(rule="list-bl.example", points=2.0, why="shop.example 127.0.0.4")]


@pytest.mark.parametrize(
    ("authentication", "name", "counts"),
    [
        (None, "4.4.8.8", True),  # nobody can forge where a connection comes from
        (None, "shop.example", False),
        (proved(), "shop.example", False),
        (proved(dmarc=DmarcResult.FAIL, spf=SpfResult.FAIL), "shop.example", False),
        (proved(dmarc=DmarcResult.PASS), "shop.example", True),
        (proved(spf=SpfResult.PASS), "shop.example", True),
        (proved(signed=[DkimVerdict(result=DkimResult.PASS, domain="shop.example")]), "shop.example", True),
        (proved(signed=[DkimVerdict(result=DkimResult.FAIL, domain="shop.example")]), "shop.example", False),
        (proved(), "mx.shop.example", False),  # what it calls itself
        (proved(), "host.example", True),
        (proved(dmarc=DmarcResult.PASS), "good.example", False),  # anybody may link there
    ],
)
def test_what_speaks_for_a_mail_counts_only_of_who_is_proved(
    authentication: Authentication | None, name: str, counts: bool
) -> None:
    resolver = Recording({f"{name}.bl.example": ("127.0.0.2",)})
    found = findings(resolver, scored(-3.0), raw=with_links("http://good.example"), authentication=authentication)
    assert [finding.points for finding in found] == ([-3.0] if counts else [])


@pytest.mark.parametrize("answer", ["127.255.255.254", "127.0.0.1", "192.0.2.1", "127.0.1.255"])
def test_an_answer_that_is_no_listing_has_no_points(answer: str) -> None:
    assert not findings(Recording({"4.4.8.8.bl.example": (answer,), "shop.example.bl.example": (answer,)}))


@pytest.mark.parametrize(
    ("of", "everything"), [(ALL, "1.0.0.127"), (frozenset({About.DOMAINS, About.LINKS}), "invalid")]
)
def test_a_list_that_has_everything_is_passed_over(of: frozenset[About], everything: str) -> None:
    listed = {f"{everything}.bl.example": ("127.0.0.2",), "shop.example.bl.example": ("127.0.0.2",)}
    with structlog.testing.capture_logs() as logged:
        assert not findings(Recording(listed), scored(of=of))
    assert [event["event"] for event in logged] == ["blocklist has everything and is passed over"]


def test_only_so_many_hosts_are_asked_about_half_of_them_from_the_end() -> None:
    resolver = Recording({"last.example.bl.example": ("127.0.0.2",)})
    many = with_links(*(f"http://h{number}.example" for number in range(90)), "http://last.example")
    found = findings(resolver, scored(of=frozenset({About.LINKS})), raw=many)
    assert [finding.why for finding in found] == ["last.example 127.0.0.2"]
    assert len([name for name in resolver.asked if name not in SOUND and name != "invalid.bl.example"]) == MOST_HOSTS


class Silent(Recording):
    """Of one zone: nothing comes."""

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        if host.endswith(ZONE):
            self.asked.append(host)
            await asyncio.Event().wait()
        return await super().addresses_of(host, version)


async def test_a_list_that_is_silent_holds_up_nobody_and_is_left_alone_for_a_minute() -> None:
    clock = FakeClock()
    resolver = Silent({"shop.example.other.example": ("127.0.0.2",), "2.0.0.127.other.example": ("127.0.0.2",)})
    lists = [scored(of=frozenset({About.PEERS})), scored(zone="other.example")]
    source = DnsLists(resolver, lists, own=(), clock=clock, deadline_s=0.02)
    for _ in range(5):
        assert [finding.rule for finding in await source.findings(examined())] == ["list-other.example"]
    asked = [name for name in resolver.asked if name.endswith(ZONE)]
    assert len(asked) == 3
    clock.advance(MINUTE_MS)
    await source.findings(examined())
    assert len([name for name in resolver.asked if name.endswith(ZONE)]) == 4


async def test_what_is_late_takes_nothing_from_what_is_in_time() -> None:
    class Slow(Recording):
        async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
            if host.startswith("4.4.8.8"):
                await asyncio.Event().wait()
            return await super().addresses_of(host, version)

    source = DnsLists(
        Slow({"shop.example.bl.example": ("127.0.0.2",)}), [scored()], own=(), clock=FakeClock(), deadline_s=0.1
    )
    assert [finding.why for finding in await source.findings(examined())] == ["shop.example 127.0.0.2"]


def test_dns_that_fails_finds_nothing() -> None:
    resolver = MemoryResolver(failing={"4.4.8.8.bl.example", "shop.example.bl.example", "mx.shop.example.bl.example"})
    assert not findings(resolver)


BY_BACKUP = (
    b"Received: from mx.them.test (mx.them.test [8.8.4.4])\r\n"
    b" by %s with ESMTPS id 1; Mon, 30 Nov 2026 00:00:00 +0000\r\n"
)


@pytest.mark.parametrize(("by", "asked"), [(b"mx2.example.net", ["4.4.8.8.bl.example"]), (b"mx.else.test", [])])
def test_of_mail_by_a_backup_of_ours_it_is_who_brought_it_there(by: bytes, asked: list[str]) -> None:
    resolver = Recording()
    lists = [scored(of=frozenset({About.PEERS}))]
    source = DnsLists(resolver, lists, own=(), backups=["mx3.example.net", "mx2.example.net"], clock=FakeClock())
    asyncio.run(source.findings(examined(BY_BACKUP % by + RAW, peer_host="", ehlo_domain="")))
    assert resolver.asked == asked


def test_nothing_is_asked_where_there_are_no_lists() -> None:
    source = DnsLists(Recording(), (), own=(), clock=FakeClock())
    assert not asyncio.run(source.findings(examined()))
