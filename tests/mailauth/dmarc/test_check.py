"""Pass, fail, and what is asked for then. RFC 9989 §4.10, §5.3."""

from collections.abc import Mapping

import pytest

from mailstack.mailauth.dmarc.author import Author
from mailstack.mailauth.dmarc.check import check, published
from mailstack.model.verdict import (
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    SpfIdentity,
    SpfResult,
    SpfVerdict,
)
from tests.support.memory_resolver import MemoryResolver

NONE, QUARANTINE, REJECT = DmarcPolicy.NONE, DmarcPolicy.QUARANTINE, DmarcPolicy.REJECT
NO_SPF = SpfVerdict(result=SpfResult.NONE, identity=SpfIdentity.MAILFROM, domain="")


def spf(domain: str, result: SpfResult = SpfResult.PASS) -> SpfVerdict:
    return SpfVerdict(result=result, identity=SpfIdentity.MAILFROM, domain=domain)


def dkim(domain: str, result: DkimResult = DkimResult.PASS) -> DkimVerdict:
    return DkimVerdict(result=result, domain=domain)


def dns(records: Mapping[str, str], *, failing: tuple[str, ...] = (), hosts: tuple[str, ...] = ()) -> MemoryResolver:
    return MemoryResolver(
        txt={f"_dmarc.{name}": [f"v=DMARC1; {tags}"] for name, tags in records.items()},
        failing=set(failing),
        hosts={host: ["192.0.2.1"] for host in hosts},
    )


async def checked(
    resolver: MemoryResolver, domain: str, spf: SpfVerdict = NO_SPF, *signatures: DkimVerdict
) -> DmarcVerdict:
    return await check(resolver, await published(resolver, Author(domain=domain)), spf, signatures)


REJECTING = {"example.com": "p=reject"}


@pytest.mark.parametrize(
    ("spf_domain", "dkim_domain", "passes"),
    [
        ("example.com", "", (True, False)),
        ("", "example.com", (False, True)),
        ("bounces.example.com", "EXAMPLE.com.", (True, True)),  # relaxed: the organizational domain is the same
        ("other.example", "mail.example.com", (False, True)),
    ],
)
async def test_one_aligned_identifier_is_a_pass(spf_domain: str, dkim_domain: str, passes: tuple[bool, bool]) -> None:
    found = await checked(dns(REJECTING), "example.com", spf(spf_domain), dkim(dkim_domain))
    assert (found.result, (found.has_spf, found.has_dkim)) == (DmarcResult.PASS, passes)
    assert found.policy_domain == "example.com"


@pytest.mark.parametrize(
    ("spf_verdict", "signature"),
    [
        (spf("other.example"), dkim("other.example")),
        (spf("example.com", SpfResult.SOFTFAIL), dkim("example.com", DkimResult.FAIL)),
        (spf("example.com.evil.example"), dkim("evilexample.com")),
        (spf("com"), dkim("com")),
        (NO_SPF, dkim("")),
    ],
)
async def test_nothing_aligned_is_a_fail(spf_verdict: SpfVerdict, signature: DkimVerdict) -> None:
    found = await checked(dns(REJECTING), "example.com", spf_verdict, signature)
    assert (found.result, found.policy) == (DmarcResult.FAIL, REJECT)


async def test_dmarc_is_not_skipped_where_there_is_no_mail_from_to_check_stalwart_0_16_14() -> None:
    assert (await checked(dns(REJECTING), "example.com")).result is DmarcResult.FAIL


async def test_strict_alignment_wants_the_very_domain() -> None:
    strict = dns({"example.com": "p=reject; aspf=s; adkim=s"})
    assert (
        await checked(strict, "example.com", spf("a.example.com"), dkim("b.example.com"))
    ).result is DmarcResult.FAIL
    assert (await checked(strict, "example.com", spf("a.example.com"), dkim("example.com"))).has_dkim
    assert (await checked(strict, "example.com", spf("example.com"), dkim("a.example.com"))).has_spf


async def test_domains_below_a_public_suffix_are_strangers() -> None:
    records = {"uk.example": "psd=y; p=reject", "a.uk.example": "p=reject"}
    found = await checked(dns(records), "mail.a.uk.example", spf("b.uk.example"), dkim("uk.example"))
    assert (found.result, found.organizational_domain) == (DmarcResult.FAIL, "a.uk.example")
    assert (await checked(dns(records), "mail.a.uk.example", spf("x.a.uk.example"))).has_spf


async def test_a_part_that_is_an_organization_of_its_own_is_a_stranger_too() -> None:
    records = {"example.com": "p=reject", "own.example.com": "p=none; psd=n"}
    assert (await checked(dns(records), "example.com", spf("x.own.example.com"))).result is DmarcResult.FAIL
    assert (await checked(dns(records), "x.own.example.com", spf("example.com"))).result is DmarcResult.FAIL


@pytest.mark.parametrize(
    ("tags", "domain", "policy"),
    [
        ("p=reject", "example.com", REJECT),
        ("p=reject; sp=quarantine", "example.com", REJECT),
        ("p=reject; sp=quarantine", "sub.example.com", QUARANTINE),
        ("p=none; np=reject", "sub.example.com", NONE),
        ("p=none; np=reject", "nowhere.example.com", REJECT),
        ("p=none; sp=quarantine; np=reject", "nowhere.example.com", REJECT),
        ("p=reject; t=y", "example.com", QUARANTINE),  # RFC 9989 §4.7: one level below
        ("p=quarantine; t=y", "example.com", NONE),
        ("p=none; np=reject; t=y", "nowhere.example.com", QUARANTINE),
        ("p=block; rua=mailto:a@b.example", "example.com", NONE),
        ("p=reject; pct=0", "example.com", REJECT),  # RFC 9989 has no pct
    ],
)
async def test_policies(tags: str, domain: str, policy: DmarcPolicy) -> None:
    found = await checked(dns({"example.com": tags}, hosts=("sub.example.com",)), domain)
    assert (found.result, found.policy) == (DmarcResult.FAIL, policy)


async def test_the_suffix_has_a_policy_for_those_who_have_none() -> None:
    records = {"bank": "psd=y; p=reject; sp=quarantine; np=reject"}
    found = await checked(dns(records, hosts=("a.bank",)), "a.bank")
    assert (found.policy, found.policy_domain, found.organizational_domain) == (QUARANTINE, "bank", "a.bank")
    assert (await checked(dns(records), "b.bank")).policy is REJECT
    # RFC 9989 §4.10.1: not for those who have published one.
    assert (await checked(dns({**records, "a.bank": "p=none"}), "x.a.bank")).policy is NONE


async def test_no_record_is_no_dmarc() -> None:
    assert (await checked(dns({}), "example.com", spf("example.com"))).result is DmarcResult.NONE
    two = MemoryResolver(txt={"_dmarc.example.com": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]})
    assert (await checked(two, "example.com")).result is DmarcResult.NONE


async def test_a_record_without_a_policy_that_there_is_is_an_error_and_asks_for_nothing() -> None:
    found = await checked(dns({"example.com": "p=block"}), "example.com")
    assert (found.result, found.policy) == (DmarcResult.PERMERROR, NONE)


@pytest.mark.parametrize("name", ["_dmarc.example.com", "_dmarc.com"])
async def test_dns_that_does_not_answer_is_a_temperror(name: str) -> None:
    found = await checked(dns({}, failing=(name,)), "example.com", spf("example.com"))
    assert (found.result, found.policy) == (DmarcResult.TEMPERROR, NONE)
    assert found.reason


async def test_what_failed_for_the_moment_and_would_count_is_a_temperror() -> None:
    for spf_verdict, signature in (
        (spf("example.com", SpfResult.TEMPERROR), dkim("other.example")),
        (spf("other.example"), dkim("sub.example.com", DkimResult.TEMPERROR)),
    ):
        assert (await checked(dns(REJECTING), "example.com", spf_verdict, signature)).result is DmarcResult.TEMPERROR


async def test_a_strangers_broken_dns_is_no_way_past_a_policy() -> None:
    found = await checked(
        dns(REJECTING, failing=("_dmarc.evil.example",)),
        "example.com",
        spf("evil.example", SpfResult.TEMPERROR),
        dkim("evil.example", DkimResult.TEMPERROR),
    )
    assert (found.result, found.policy) == (DmarcResult.FAIL, REJECT)


@pytest.mark.parametrize("author", [Author(), Author(fault="several From fields")])
async def test_without_an_author_no_question_is_asked(author: Author) -> None:
    resolver = dns({}, failing=("_dmarc.",))
    found = await check(resolver, await published(resolver, author), NO_SPF, ())
    assert found.result is (DmarcResult.PERMERROR if author.fault else DmarcResult.NONE)


async def test_whether_the_domain_exists_is_of_no_account_where_the_mail_passes() -> None:
    resolver = dns({"example.com": "p=reject; sp=none; np=reject"}, failing=("sub.example.com",))
    assert (await checked(resolver, "sub.example.com", spf("example.com"))).result is DmarcResult.PASS
    found = await checked(resolver, "sub.example.com")
    assert (found.result, found.policy, found.policy_domain) == (DmarcResult.TEMPERROR, REJECT, "example.com")
