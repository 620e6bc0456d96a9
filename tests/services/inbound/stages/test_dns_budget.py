"""One deadline for all questions of a mail."""

import asyncio

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.services.inbound.stages.dns_budget import DnsBudget
from tests.support.memory_resolver import MemoryResolver
from tests.support.silent_resolver import SilentResolver

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
    async with asyncio.timeout(30):
        for _ in range(1_000):
            with pytest.raises(TryAgainLater):
                await budget.texts("example.com")


async def test_what_is_known_already_is_answered_after_the_deadline() -> None:
    assert await DnsBudget(KNOWN, deadline_s=0).texts("example.com") == ("x",)


async def test_who_waits_is_still_cancelled_from_outside() -> None:
    budget = DnsBudget(SilentResolver(), deadline_s=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await budget.texts("example.com")
