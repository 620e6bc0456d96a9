"""A field is the spec's until its user writes it, and the spec's again once the spec says something else."""

from collections.abc import Mapping

import pytest

from mailstack.model.resource import Kind
from mailstack.reconcile.plan import FieldChange, Mark, Plan
from mailstack.reconcile.render import render
from tests.reconcile.test_reconciler import ALICE, apply, plan
from tests.support.fake_clock import FakeClock
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

WRITTEN_AT = FakeClock().now
OWN = {"password": "$2b$12$" + "o" * 53}
BOB = "bob@example.com"


def spec(password: str | None = None, *, login: str = ALICE, **more: object) -> SpecValue:
    account = {} if password is None else {"password": password}
    return spec_value({"accounts": {login: {**account, **more}}})


async def password_of(state: MemoryState, login: str = ALICE) -> str:
    return (await state.secrets(Kind.ACCOUNT))[login]["password"]


async def changed_by_user(first: SpecValue) -> MemoryState:
    state = MemoryState()
    await apply(state, first)
    await state.write_as_user(Kind.ACCOUNT, ALICE, OWN)
    return state


def fields_of(found: Plan) -> Mapping[str, FieldChange]:
    return {item.name: item for change in found.changes for item in change.fields}


@pytest.mark.parametrize("password", [None, "env/PW", "$2b$12$" + "h" * 53])
async def test_a_password_that_the_user_changed_is_planned_by_nobody(password: str | None) -> None:
    state = await changed_by_user(spec(password))
    assert (await plan(state, spec(password))).is_empty
    await apply(state, spec(password, name="Alice"))
    assert await password_of(state) == OWN["password"]
    assert (await plan(state, spec(password, name="Alice"))).is_empty


@pytest.mark.parametrize("first", [None, "env/PW"])
async def test_another_password_in_the_spec_is_the_last_word_and_says_whose_goes(first: str | None) -> None:
    state = await changed_by_user(spec(first))
    found = await apply(state, spec("env/OTHER"))
    assert fields_of(found)["password"].by_user_since == WRITTEN_AT
    assert "(secret, changed)  # instead of the user's own, of 2023-11-14T22:13:20Z" in render(found)
    assert await password_of(state) != OWN["password"]
    # And from here on it is the spec's again: taking it away locks the account.
    removed = fields_of(await plan(state, spec()))["password"]
    assert (removed.mark, removed.by_user_since) == (Mark.SECRET_REMOVED, None)


async def test_a_password_that_the_spec_gives_up_stays_if_the_user_has_changed_it() -> None:
    state = await changed_by_user(spec("env/PW"))
    assert (await plan(state, spec())).is_empty
    await apply(state, spec(name="Alice"))
    assert await password_of(state) == OWN["password"]
    # What the spec said before is remembered: saying it again is saying nothing new.
    assert (await plan(state, spec("env/PW", name="Alice"))).is_empty


async def test_a_user_takes_the_password_along_to_a_new_name() -> None:
    state = await changed_by_user(spec("env/PW"))
    moved = spec_value(
        {"accounts": {BOB: {"password": "env/PW", "name": "Bob"}}, "moved": [{"from": ALICE, "to": BOB}]}
    )
    found = await apply(state, moved)
    assert [item.name for item in fields_of(found).values()] == ["name"]
    assert await password_of(state, BOB) == OWN["password"]
    assert (await plan(state, moved)).is_empty
    assert fields_of(await plan(state, spec("env/NEW", login=BOB)))["password"].by_user_since == WRITTEN_AT


async def test_an_account_that_comes_again_has_nothing_of_its_former_user() -> None:
    state = await changed_by_user(spec("env/PW"))
    await apply(state, spec_value({}))
    await apply(state, spec("env/PW"))
    assert await password_of(state) != OWN["password"]
    assert fields_of(await plan(state, spec()))["password"].mark is Mark.SECRET_REMOVED
