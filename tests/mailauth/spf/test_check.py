"""Verdicts on the two names a client gives, and the bounds of the work. RFC 7208 §2, §4.3, §4.6.4."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mailstack.mailauth.spf.check import check, check_helo
from mailstack.model.instant import Instant
from mailstack.model.verdict import SpfIdentity, SpfResult, SpfVerdict
from tests.support.zone_resolver import ZoneResolver

ZONES: Mapping[str, Sequence[Any]] = {
    "example.com": [{"SPF": "v=spf1 ip4:192.0.2.1 include:other.example -all exp=why.example.com"}],
    "why.example.com": [{"TXT": "%{i} may not send for %{d}, says %{r} at %{t}"}],
    "other.example": [{"SPF": "v=spf1 ip4:198.51.100.0/24 ~all"}],
    "mx.example.com": [{"SPF": "v=spf1 ip4:192.0.2.1 -all"}],
    "moved.example": [{"SPF": "v=spf1 redirect=example.com"}],
    "empty.example": [{"SPF": "v=spf1"}],
    "broken.example": [{"SPF": "v=spf1 a:x\u0007y -all"}],
    "xn--bcher-kva.example": [{"SPF": "v=spf1 exists:%{l}.u.%{d} exists:%{S}.u.%{d} ?all"}],
    "slow.example": ["TIMEOUT"],
}


async def asked(
    mail_from: str,
    *,
    peer: str = "192.0.2.1",
    helo: str = "mx.example.com",
    zones: Mapping[str, Sequence[Any]] = ZONES,
    resolver: ZoneResolver | None = None,
) -> SpfVerdict:
    return await check(
        resolver or ZoneResolver(zones),
        peer=peer,
        helo=helo,
        mail_from=mail_from,
        receiver="mail.test",
        now=Instant(1_700_000_000_999),
    )


async def test_a_host_of_the_domain_passes() -> None:
    assert await asked("a@example.com") == SpfVerdict(
        result=SpfResult.PASS, identity=SpfIdentity.MAILFROM, domain="example.com", mechanism="ip4:192.0.2.1"
    )


async def test_an_included_host_passes_by_the_term_of_the_domain_itself() -> None:
    verdict = await asked("a@example.com", peer="::ffff:198.51.100.7")
    assert (verdict.result, verdict.mechanism, verdict.lookups) == (SpfResult.PASS, "include:other.example", 1)


async def test_a_strange_host_fails_and_is_told_why() -> None:
    verdict = await asked("a@Example.COM.", peer="2001:db8::1")
    assert (verdict.result, verdict.mechanism, verdict.domain) == (SpfResult.FAIL, "-all", "example.com")
    address = "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1"
    assert verdict.explanation == f"{address} may not send for example.com, says mail.test at 1700000000"


async def test_a_redirect_is_named() -> None:
    verdict = await asked("a@moved.example", peer="192.0.2.9")
    assert (verdict.result, verdict.domain) == (SpfResult.FAIL, "moved.example")
    assert verdict.reason == "by the record of example.com"


async def test_the_null_reverse_path_is_postmaster_of_the_ehlo_name() -> None:  # RFC 7208 §2.4
    verdict = await asked("")
    assert (verdict.result, verdict.identity, verdict.domain) == (
        SpfResult.PASS,
        SpfIdentity.MAILFROM,
        "mx.example.com",
    )


async def test_the_ehlo_name_is_checked_by_itself() -> None:  # RFC 7208 §2.3
    verdict = await check_helo(
        ZoneResolver(ZONES), peer="192.0.2.2", helo="MX.example.com", receiver="mail.test", now=Instant(0)
    )
    assert (verdict.result, verdict.identity, verdict.domain) == (SpfResult.FAIL, SpfIdentity.HELO, "mx.example.com")


@pytest.mark.parametrize(
    ("mail_from", "result"),
    [
        ("a@absent.example", SpfResult.NONE),
        ("a@why.example.com", SpfResult.NONE),
        ("a@empty.example", SpfResult.NEUTRAL),
        ("a@broken.example", SpfResult.PERMERROR),
        ("a@slow.example", SpfResult.TEMPERROR),
        ("a@[192.0.2.1]", SpfResult.NONE),
        ("a@localhost", SpfResult.NONE),
        ("postmaster", SpfResult.NONE),
        ("@", SpfResult.NONE),
        ("a@b\x00c.example", SpfResult.NONE),
        ("a@\udcff.example", SpfResult.NONE),
        ("a@" + "x." * 500_000 + "example", SpfResult.NONE),
        ("a" * 1_000_000 + "@example.com", SpfResult.NONE),
    ],
)
async def test_odd_senders(mail_from: str, result: SpfResult) -> None:
    verdict = await asked(mail_from)
    assert verdict.result == result
    assert verdict.reason.isprintable()
    assert verdict.reason


@pytest.mark.parametrize("peer", ["", "unix:/run/lmtp.sock", "192.0.2.256"])
async def test_a_client_without_an_address_has_no_result(peer: str) -> None:
    assert (await asked("a@example.com", peer=peer)).result == SpfResult.NONE


async def test_a_link_local_address_has_its_zone_taken_off() -> None:
    assert (await asked("a@example.com", peer="fe80::1%eth0")).result == SpfResult.FAIL


async def test_a_name_in_other_letters_is_asked_for_in_ascii_and_matches_no_macro() -> None:  # RFC 8616 §4
    resolver = ZoneResolver(ZONES)
    verdict = await asked("jörg@Bücher.example", resolver=resolver)
    assert (verdict.result, verdict.domain) == (SpfResult.NEUTRAL, "xn--bcher-kva.example")
    assert resolver.asked == [
        "xn--bcher-kva.example TXT",
        "j%C3%B6rg%40xn--bcher-kva.example.u.xn--bcher-kva.example A",
    ]


async def test_ten_includes_of_records_with_ten_exchangers_each_are_bounded() -> None:
    zones: dict[str, list[Any]] = {"example.com": [{"SPF": "v=spf1 " + "include:i.example.com " * 10 + "-all"}]}
    zones["i.example.com"] = [{"SPF": "v=spf1" + " mx:m.example.com" * 10}]
    zones["m.example.com"] = [{"MX": [number, f"mx{number}.example.com"]} for number in range(10)]
    zones |= {f"mx{number}.example.com": [{"A": "198.51.100.1"}] for number in range(10)}
    resolver = ZoneResolver(zones)
    verdict = await asked("a@example.com", resolver=resolver)
    assert verdict.result == SpfResult.PERMERROR
    assert len(resolver.asked) == 2 + 9 * 11


async def test_ten_terms_ask_no_more_than_a_hundred_and_twelve_questions() -> None:
    zones: dict[str, list[Any]] = {"example.com": [{"SPF": "v=spf1" + " mx:m.example.com" * 10 + " -all exp=%{p}.x"}]}
    zones["m.example.com"] = [{"MX": [number, f"mx{number}.example.com"]} for number in range(10)]
    zones |= {f"mx{number}.example.com": [{"A": "198.51.100.1"}] for number in range(10)}
    zones["1.2.0.192.in-addr.arpa"] = [{"PTR": f"n{number}.example.com"} for number in range(1_000)]
    resolver = ZoneResolver(zones)
    assert (await asked("a@example.com", resolver=resolver)).result == SpfResult.FAIL
    assert len(resolver.asked) == 1 + 10 * 11 + 11 + 1


@pytest.mark.parametrize(
    "records",
    [
        {"a.example": "v=spf1 include:b.example -all", "b.example": "v=spf1 include:a.example -all"},
        {"a.example": "v=spf1 redirect=b.example", "b.example": "v=spf1 redirect=a.example"},
        {"a.example": "v=spf1 ?include:%{d} -all"},
    ],
)
async def test_records_that_lead_in_a_circle_are_an_error(records: dict[str, str]) -> None:
    zones = {name: [{"SPF": record}] for name, record in records.items()}
    verdict = await asked("a@a.example", zones=zones)
    assert (verdict.result, verdict.reason) == (SpfResult.PERMERROR, "more than 10 terms ask DNS")


async def test_terms_without_an_answer_are_counted_once_each() -> None:  # RFC 7208 §4.6.4
    zones: dict[str, list[Any]] = {
        "a.example": [{"SPF": "v=spf1 mx:m.example a:x.example -all"}],
        "b.example": [{"SPF": "v=spf1 mx:m.example a:x.example exists:y.example -all"}],
        "m.example": [{"MX": [number, f"{number}.example"]} for number in range(10)],
    }
    assert (await asked("x@a.example", zones=zones)).result == SpfResult.FAIL
    assert (await asked("x@b.example", zones=zones)).result == SpfResult.PERMERROR


HOSTILE = {
    "1 MB": "v=spf1 " + "a " * 500_000,
    "1 MB of one term": "v=spf1 a:" + "x" * 1_000_000,
    "NULs": "v=spf1 a:\x00.example " + "\x00" * 60_000,
    "macros": "v=spf1 include:" + "%{s}" * 1_000,
    "macros that turn": "v=spf1 exists:" + "%{l1r-+}." * 400 + "example.com",
    "slashes": "v=spf1 a:" + "/" * 4_000,
    "hyphens": "v=spf1 a:x." + "-" * 4_000,
    "letters": "v=spf1 a:x." + "a" * 4_000 + "/",
    "digits": "v=spf1 ip4:" + "1" * 4_000,
    "colons": "v=spf1 ip6:" + ":" * 4_000,
    "percents": "v=spf1 exists:" + "%%" * 2_000 + "%",
    "spaces": "v=spf1" + " " * 4_000,
    "terms": "v=spf1" + " ip4:1.1.1.1" * 300 + " include:example.com",
}


@pytest.mark.parametrize("record", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_records_take_bounded_time(record: str) -> None:
    """A second of CPU, for a machine that is busy; the worst takes a twentieth of one."""
    begun = time.process_time()
    verdict = await asked("-".join(["a"] * 200) + "@example.com", zones={"example.com": [{"SPF": record}]})
    assert time.process_time() - begun < 1
    assert verdict.result in (SpfResult.PERMERROR, SpfResult.NEUTRAL)
    assert verdict.reason.isprintable()
    assert len(verdict.reason) < 200


async def test_an_explanation_is_cut_and_printable() -> None:
    zones = {
        "example.com": [{"SPF": "v=spf1 -all exp=why.example.com"}],
        "why.example.com": [{"TXT": "\x1b[2J\r\n250 OK " + "%{S}" * 1_000}],
    }
    verdict = await asked("a@example.com", zones=zones)
    assert verdict.explanation.startswith("?[2J??250 OK a%40example.com")
    assert verdict.explanation.isprintable()
    assert len(verdict.explanation) == 400


@pytest.mark.parametrize(
    "record", ["v=spf1 ptr -all", "v=spf1 ptr:example.com -all", "v=spf1 exists:%{p}.example.com -all"]
)
@pytest.mark.parametrize(
    "client",
    [
        {"1.2.0.192.in-addr.arpa": ["TIMEOUT"]},
        {"1.2.0.192.in-addr.arpa": [{"PTR": "a.example.com"}], "a.example.com": ["TIMEOUT"]},
    ],
)
async def test_a_client_whose_name_dns_does_not_tell_fails_for_now(record: str, client: Mapping[str, Any]) -> None:
    """RFC 7208 §5.5: nothing matches. A temporary error would let those who send choose it, by their reverse zone."""
    found = await asked("a@example.com", zones={"example.com": [{"SPF": record}], **client})
    assert (found.result, found.is_unsure) == (SpfResult.FAIL, True)
    sure = await asked("a@example.com", zones={"example.com": [{"SPF": record}]})
    assert (sure.result, sure.is_unsure) == (SpfResult.FAIL, False)
    passed = await asked("a@example.com", zones={"example.com": [{"SPF": record.replace("-all", "+all")}], **client})
    assert (passed.result, passed.is_unsure) == (SpfResult.PASS, False)
