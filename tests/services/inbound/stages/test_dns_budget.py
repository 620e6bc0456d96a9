"""One deadline for all questions of a mail."""

import asyncio

import pytest

from mailstack.mailauth.iprev import check as check_iprev
from mailstack.mailauth.spf.check import check, check_helo
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.verdict import IprevResult, SpfResult
from mailstack.net.resolver import DnsResolver, ResolverLimits
from mailstack.services.inbound.stages.dns_budget import QUESTIONS_AT_ONCE, DnsBudget
from tests.support.dns_server import dns_server
from tests.support.fake_clock import FakeClock
from tests.support.memory_resolver import MemoryResolver
from tests.support.running import DEADLINE_S
from tests.support.silent_resolver import SilentFor, SilentResolver
from tests.support.virtual_time import run_in_virtual_time

KNOWN = MemoryResolver(
    txt={"example.com": ("x",)}, hosts={"example.com": ("192.0.2.1", "::1")}, reverse={"::1": ("example.com",)}
)


async def test_answers_pass_through() -> None:
    budget = DnsBudget(KNOWN, deadline_s=30)
    assert await budget.texts("example.com") == ("x",)
    assert await budget.addresses("example.com") == ("192.0.2.1", "::1")
    assert await budget.addresses_of("example.com", 6) == ["::1"]
    assert await budget.names_of("::1") == ("example.com",)
    assert await budget.mail_exchangers("example.com") == ()


async def test_a_resolver_that_never_answers_holds_a_mail_no_longer_than_the_deadline() -> None:
    budget = DnsBudget(SilentResolver(), deadline_s=0.05)
    async with asyncio.timeout(DEADLINE_S):
        for _ in range(1_000):
            with pytest.raises(TryAgainLater):
                await budget.texts("example.com")


async def test_a_name_server_that_never_answers_makes_temporary_errors_within_the_deadline() -> None:
    async with dns_server({}) as server:
        server.silent |= {"example.com", "mx.example.com", "1.2.0.192.in-addr.arpa"}
        resolver = DnsResolver(clock=FakeClock(), nameservers=(server.endpoint,), limits=ResolverLimits(deadline_s=60))
        async with asyncio.timeout(DEADLINE_S):
            budget = DnsBudget(resolver, deadline_s=0.2)
            client = {"peer": "192.0.2.1", "helo": "mx.example.com", "receiver": "mail.test"}
            spf = await check(budget, mail_from="a@example.com", now=Instant(0), **client)
            helo = await check_helo(budget, now=Instant(0), **client)
            iprev = await check_iprev(budget, "192.0.2.1")
    assert (spf.result, helo.result, iprev.result) == (
        SpfResult.TEMPERROR,
        SpfResult.TEMPERROR,
        IprevResult.TEMPERROR,
    )


async def test_what_is_known_already_is_answered_after_the_deadline() -> None:
    assert await DnsBudget(KNOWN, deadline_s=0).texts("example.com") == ("x",)


async def test_who_waits_is_still_cancelled_from_outside() -> None:
    budget = DnsBudget(SilentResolver(), deadline_s=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await budget.texts("example.com")


def test_one_mail_does_not_take_the_resolver_away_from_others() -> None:
    async def scene() -> None:
        resolver = SilentFor(KNOWN, "example.com")
        budget = DnsBudget(resolver, deadline_s=10)
        answers = await asyncio.gather(*(budget.texts(f"{i}.example.com") for i in range(100)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {TryAgainLater}
        assert resolver.most_at_once == QUESTIONS_AT_ONCE
        assert asyncio.get_running_loop().time() == pytest.approx(10)

    run_in_virtual_time(scene())
