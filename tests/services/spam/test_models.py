"""What accounts taught, as scoring asks for it."""

from collections.abc import Mapping

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.services.spam import models as subject
from mailstack.services.spam.models import LearnedModels
from mailstack.spam.model import ACCOUNT_BITS, Model, empty

ALICE, BOB = AccountId("a"), AccountId("b")
NOTHING = Model(empty(0))


class Tables:
    """As ports.spam_tables: counts how often it is read."""

    def __init__(self) -> None:
        self.numbers: dict[AccountId, int] = {}
        self.octets: dict[AccountId, bytes | None] = {}
        self.reads = 0
        self.fault: Exception | None = None

    def put(self, account_id: AccountId, octets: bytes | None = bytes(empty(ACCOUNT_BITS))) -> None:
        self.numbers[account_id] = max(self.numbers.values(), default=0) + 1
        self.octets[account_id] = octets

    async def of_account(self, account_id: AccountId) -> bytes | None:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        return self.octets[account_id]

    async def changed_after(self, number: int) -> Mapping[AccountId, int]:
        return {account_id: changed for account_id, changed in self.numbers.items() if changed > number}


def models_of(tables: Tables) -> LearnedModels:
    return LearnedModels(tables, lambda: NOTHING)  # type: ignore[arg-type]  # it asks for no more of the port


async def test_who_taught_nothing_costs_no_look() -> None:
    tables = Tables()
    models = models_of(tables)
    await models.catch_up()
    assert await models.of_account(ALICE) is None
    assert (tables.reads, models.shared) == (0, NOTHING)


async def test_a_model_is_read_once_until_it_changes() -> None:
    tables = Tables()
    models = models_of(tables)
    tables.put(ALICE)
    await models.catch_up()
    first = await models.of_account(ALICE)
    assert first is not None
    assert await models.of_account(ALICE) is first
    tables.put(BOB)
    await models.catch_up()
    assert await models.of_account(ALICE) is first
    tables.put(ALICE)
    await models.catch_up()
    assert await models.of_account(ALICE) is not first
    assert tables.reads == 2


async def test_who_begins_anew_has_none() -> None:
    tables = Tables()
    models = models_of(tables)
    tables.put(ALICE, None)
    await models.catch_up()
    assert [await models.of_account(ALICE) for _ in range(2)] == [None, None]
    assert tables.reads == 1


async def test_what_cannot_be_read_stops_no_mail() -> None:
    tables = Tables()
    models = models_of(tables)
    tables.put(ALICE, b"no table")
    await models.catch_up()
    assert await models.of_account(ALICE) is None
    tables.put(ALICE)
    tables.fault = TryAgainLater("the database is away")
    await models.catch_up()
    assert await models.of_account(ALICE) is None
    tables.fault = None
    assert await models.of_account(ALICE) is not None


async def test_only_the_last_that_were_asked_for_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_KEPT", 2)
    tables = Tables()
    models = models_of(tables)
    accounts = [AccountId(letter) for letter in "abc"]
    for account_id in accounts:
        tables.put(account_id)
    await models.catch_up()
    for account_id in (*accounts[:2], accounts[0], accounts[2], accounts[0]):
        await models.of_account(account_id)
    assert tables.reads == 3
    await models.of_account(accounts[1])
    assert tables.reads == 4
