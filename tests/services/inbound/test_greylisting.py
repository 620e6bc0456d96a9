"""Greylisting over a memory: who waits, and what a store that fails changes."""

from collections.abc import Mapping, Sequence

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.greylist import DELAY_MS, PASSES_TO_BE_KNOWN, GreyEntry
from mailstack.model.instant import Instant
from mailstack.services.inbound import greylisting as greylists
from mailstack.services.inbound.greylisting import Greylisting
from tests.support.fake_clock import FakeClock
from tests.support.memory_greylist import MemoryGreylist

HOST, SENDER, RECIPIENT = "192.0.2.1", "x@customer.example", "alice@example.com"


async def test_who_comes_again_from_the_same_network_is_let_through() -> None:
    clock = FakeClock()
    greylisting = Greylisting(MemoryGreylist(), clock=clock)
    assert await greylisting.wait_ms(HOST, SENDER, RECIPIENT) == DELAY_MS
    clock.advance(DELAY_MS - 1)
    assert await greylisting.wait_ms(HOST, SENDER, RECIPIENT) == 1
    clock.advance(1)
    assert await greylisting.wait_ms("192.0.2.2", SENDER.upper(), RECIPIENT) == 0
    assert await greylisting.wait_ms("198.51.100.1", SENDER, RECIPIENT) == DELAY_MS
    assert await greylisting.wait_ms(HOST, "y@customer.example", RECIPIENT) == DELAY_MS


async def test_a_network_whose_mails_came_again_is_known() -> None:
    clock = FakeClock()
    greylisting = Greylisting(MemoryGreylist(), clock=clock)
    senders = [f"{at}@customer.example" for at in range(PASSES_TO_BE_KNOWN)]
    for wait_ms in (DELAY_MS, 0):
        assert {await greylisting.wait_ms(HOST, sender, RECIPIENT) for sender in senders} == {wait_ms}
        clock.advance(DELAY_MS)
    assert await greylisting.wait_ms(HOST, "new@customer.example", "bob@example.com") == 0


async def test_a_store_that_fails_keeps_no_mail_away() -> None:
    class Failing(MemoryGreylist):
        async def find(self, keys: Sequence[str], *, now: Instant) -> Mapping[str, GreyEntry]:  # noqa: ARG002
            raise TryAgainLater("database is gone")

    assert await Greylisting(Failing(), clock=FakeClock()).wait_ms(HOST, SENDER, RECIPIENT) == 0


async def test_memory_made_up_senders_fill_no_more_than_the_places_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greylists, "PLACES", 16)
    memory = MemoryGreylist()
    greylisting = Greylisting(memory, clock=FakeClock())
    for number in range(500):
        await greylisting.wait_ms(HOST, f"{number}\udce4@spam.example", RECIPIENT)
    assert len(memory.entries) == 16
