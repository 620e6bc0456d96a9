"""Scores: the model and all sources together, and what becomes of a source that fails."""

import asyncio
from collections.abc import Sequence

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.principal import ALL_ABILITIES, Account
from mailstack.model.spam import Finding, Score
from mailstack.ports.scanner import Scanned
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.scoring import Scoring
from mailstack.spam.judge import account_lesson
from mailstack.spam.model import ACCOUNT_BITS, Model, empty
from tests.support.examined import examined

ALICE, BOB = AccountId("a"), AccountId("b")


class Says:
    def __init__(self, *findings: Finding, fault: Exception | None = None) -> None:
        self._findings = findings
        self._fault = fault

    async def findings(self, mail: Examined, account: Account | None = None) -> Sequence[Finding]:  # noqa: ARG002 -- as the protocols have it
        if self._fault is not None:
            raise self._fault
        return self._findings


class Scans:
    def __init__(self, scanned: Scanned) -> None:
        self._scanned = scanned

    async def scanned(self, mail: Examined) -> Scanned:  # noqa: ARG002 -- as the protocol has it
        return self._scanned


class Taught:
    """Alice was shown three of the kind, bob none."""

    def __init__(self) -> None:
        self.shared = Model(empty(ACCOUNT_BITS))
        self._alice = Model(empty(ACCOUNT_BITS))
        for _ in range(3):
            self._alice.learn(account_lesson(examined().features, self._alice, self.shared, is_spam=True))

    async def of_account(self, account_id: AccountId) -> Model | None:
        return self._alice if account_id == ALICE else None


def account(account_id: AccountId) -> Account:
    return Account(
        account_id=account_id,
        login=f"{account_id}@example.com",
        name="",
        addresses=(),
        roles=frozenset(),
        abilities=ALL_ABILITIES,
        quota_bytes=None,
        password_hash="",
    )


def scores(scoring: Scoring) -> dict[AccountId | None, Score]:
    return dict(asyncio.run(scoring.scores(examined(), [account(ALICE), account(BOB)])))


def test_what_one_account_taught_counts_for_it_alone() -> None:
    found = scores(Scoring(models=Taught()))
    assert found[ALICE].points > 5
    assert [finding.rule for finding in found[ALICE].findings] == ["own-words"]
    assert "replica" in found[ALICE].findings[0].why
    assert found[BOB] == Score(findings=())


def test_findings_add_up_in_the_order_of_their_sources() -> None:
    one, two, three = (Finding(rule=rule, points=points) for rule, points in (("a", 1.25), ("b", 2.0), ("c", -0.5)))
    found = scores(Scoring(models=Taught(), sources=[Says(one)], elsewhere=[Says(two)], account_sources=[Says(three)]))
    assert found[BOB].findings == (one, two, three)
    assert found[BOB].points == 2.8


def test_a_source_that_fails_has_found_nothing() -> None:
    good = Finding(rule="a", points=1.0)
    for fault in (TryAgainLater("down"), RuntimeError("a bug")):
        found = scores(Scoring(models=Taught(), sources=[Says(fault=fault), Says(good)]))
        assert found[BOB].findings == (good,)
        found = scores(Scoring(models=Taught(), elsewhere=[Says(fault=fault), Says(good)]))
        assert found[BOB].findings == (good,)
        found = scores(Scoring(models=Taught(), sources=[Says(good)], elsewhere=[Says(fault=fault)]))
        assert found[BOB].findings == (good,)


def test_what_engines_find_counts_for_all_and_one_virus_is_named() -> None:
    high = Finding(rule="rspamd", points=7.5)
    engines = [Scans(Scanned(findings=[high])), Scans(Scanned(virus="Test")), Scans(Scanned(virus="Other"))]
    found = scores(Scoring(models=Taught(), engines=engines, sources=[Says(fault=RuntimeError("a bug"))]))
    assert found[BOB] == Score(findings=(high,), virus="Test")
    assert found[ALICE].virus == "Test"


def test_that_one_engine_has_looked_for_a_virus_is_known_of_all() -> None:
    engines = [Scans(Scanned(is_virus_checked=True)), Scans(Scanned())]
    assert scores(Scoring(models=Taught(), engines=engines))[BOB].is_virus_checked
    assert not scores(Scoring(models=Taught(), engines=engines[1:]))[BOB].is_virus_checked


class Waits:
    """Until as many others do."""

    def __init__(self, all_there: asyncio.Barrier) -> None:
        self._all_there = all_there

    async def findings(self, mail: Examined) -> Sequence[Finding]:  # noqa: ARG002 -- as the protocol has it
        await self._all_there.wait()
        return ()

    async def scanned(self, mail: Examined) -> Scanned:
        return Scanned(findings=await self.findings(mail))


async def test_those_who_ask_others_are_asked_side_by_side() -> None:
    waits = Waits(asyncio.Barrier(3))
    async with asyncio.timeout(10):
        await Scoring(models=Taught(), elsewhere=[waits, waits], engines=[waits]).scores(examined(), [None])


async def test_others_have_their_turns_while_a_mail_to_many_is_scored() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await Scoring(models=Taught()).scores(examined(), [account(ALICE)] * 50)
    beside.cancel()
    assert turns >= 50
