"""Engines beside us: what they find counts, and none of them holds up mail for long."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.instant import MINUTE_MS
from mailstack.model.spam import Finding
from mailstack.ports.scanner import Brought, Scanned
from mailstack.services.spam.engine import Engine
from tests.support.examined import examined
from tests.support.fake_clock import FakeClock

FOUND = Scanned(findings=(Finding(rule="rspamd", points=3.0),), virus="Test")


class FakeScanner:
    """fault: that it raises. is_stuck: it never comes to an end. alive: what it says when it is asked whether it is;
    is_mute: nothing."""

    def __init__(
        self, *, fault: Callable[[], Exception] | None = None, is_stuck: bool = False, alive: bool = False
    ) -> None:
        self.fault = fault
        self.is_stuck = is_stuck
        self.alive = alive
        self.is_mute = False
        self.asked: list[Brought] = []

    async def scan(self, mail: Brought) -> Scanned:
        self.asked.append(mail)
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault()
        return FOUND

    async def is_alive(self) -> bool:
        if self.is_mute:
            await asyncio.Event().wait()
        return self.alive


def engine(scanner: FakeScanner, clock: FakeClock | None = None) -> Engine:
    return Engine("rspamd", scanner, clock=clock or FakeClock(), deadline_s=0.02)


async def test_what_it_finds_is_told() -> None:
    scanner = FakeScanner()
    assert await engine(scanner).scanned(examined(recipients=("alice@example.com",))) == FOUND
    assert scanner.asked[0].recipients == ("alice@example.com",)
    assert scanner.asked[0].reverse_path == "deals@shop.example"


async def test_what_has_a_virus_may_be_kept() -> None:
    kept = Engine("clamav", FakeScanner(), clock=FakeClock(), deadline_s=5, keeps_viruses=True)
    assert await kept.scanned(examined()) == replace(FOUND, keeps_virus=True)


async def test_a_dead_one_finds_nothing_and_is_left_alone_for_a_minute() -> None:
    clock = FakeClock()
    scanner = FakeScanner(fault=lambda: TryAgainLater("refused"))
    dead = engine(scanner, clock)
    for _ in range(10):
        assert await dead.scanned(examined()) == Scanned()
    assert len(scanner.asked) == 3
    clock.advance(MINUTE_MS)
    scanner.fault = None
    assert await dead.scanned(examined()) == FOUND


async def test_one_that_is_stuck_is_waited_for_no_longer_than_its_deadline() -> None:
    scanner = FakeScanner(is_stuck=True)
    stuck = engine(scanner)
    for _ in range(5):
        assert await stuck.scanned(examined()) == Scanned()
    assert len(scanner.asked) == 3


async def test_nor_is_it_waited_for_whether_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailstack.services.spam.engine.ALIVE_S", 0.02)
    scanner = FakeScanner(is_stuck=True)
    scanner.is_mute = True
    stuck = engine(scanner)
    for _ in range(5):
        assert await stuck.scanned(examined()) == Scanned()
    assert len(scanner.asked) == 3


async def test_nobody_switches_it_off_with_mail_that_it_cannot_judge_or_that_takes_long() -> None:
    for scanner in (FakeScanner(fault=lambda: Invalid("too large")), FakeScanner(is_stuck=True, alive=True)):
        asked = engine(scanner)
        for _ in range(5):
            assert await asked.scanned(examined()) == Scanned()
        assert len(scanner.asked) == 5
