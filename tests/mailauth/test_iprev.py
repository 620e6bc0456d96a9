"""iprev: names of an address, and whether they name it. RFC 8601 §3."""

import pytest

from mailstack.mailauth.iprev import check
from mailstack.model.verdict import IprevResult
from tests.support.memory_resolver import MemoryResolver


def resolver() -> MemoryResolver:
    return MemoryResolver(
        reverse={
            "192.0.2.1": ("mx.example.com",),
            "192.0.2.2": ("other.example.com", "mx.example.com"),
            "192.0.2.3": ("other.example.com",),
            "192.0.2.4": (*(f"n{number}.example.com" for number in range(10)), "mx.example.com"),
            "2001:db8::1": ("mx.example.com",),
        },
        hosts={
            "mx.example.com": ("192.0.2.1", "192.0.2.2", "192.0.2.4", "2001:db8:0::1"),
            "other.example.com": ("192.0.2.9", "2001:db8::9"),
        },
    )


@pytest.mark.parametrize("peer", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "::ffff:192.0.2.1"])
async def test_an_address_whose_name_has_it_passes(peer: str) -> None:
    verdict = await check(resolver(), peer)
    assert (verdict.result, verdict.name) == (IprevResult.PASS, "mx.example.com")


async def test_names_that_have_other_addresses_fail() -> None:
    assert (await check(resolver(), "192.0.2.3")).result == IprevResult.FAIL


async def test_an_eleventh_name_is_not_looked_at() -> None:
    assert (await check(resolver(), "192.0.2.4")).result == IprevResult.FAIL


@pytest.mark.parametrize("peer", ["192.0.2.99", "", "unix:/run/lmtp", "fe80::1%eth0"])
async def test_without_a_name_it_is_a_permanent_error(peer: str) -> None:  # RFC 8601 §2.7.3
    assert (await check(resolver(), peer)).result == IprevResult.PERMERROR


@pytest.mark.parametrize("failing", ["192.0.2.3", "other.example.com"])
async def test_without_an_answer_it_is_a_temporary_error(failing: str) -> None:
    answers = resolver()
    answers.failing.add(failing)
    assert (await check(answers, "192.0.2.3")).result == IprevResult.TEMPERROR


async def test_a_name_that_fails_does_not_hide_one_that_confirms() -> None:
    answers = resolver()
    answers.failing.add("other.example.com")
    assert (await check(answers, "192.0.2.2")).result == IprevResult.PASS
