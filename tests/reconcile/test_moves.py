"""Accounts under a new name: planned as moves, done with all that they hold."""

import asyncio
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.resource import Kind, Operation
from mailstack.ports.state import State
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.reconciler import Reconciler
from mailstack.reconcile.render import render, summary
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value
from tests.support.stores import account_of, mailbox_with, new_message

BOB, ROBERT = "bob@example.com", "robert@example.com"
MOVED = [{"from": BOB, "to": ROBERT}]


def never(plain: str) -> str:
    raise AssertionError(f"hashed {plain}")


def reconciler(state: State | None, *, may_hash: bool = True) -> Reconciler:
    return Reconciler(
        state=state,
        clock=lambda: Instant(1_790_000_000_000),
        hash_password=(lambda plain: f"$2b$12${plain:a<53}") if may_hash else never,
        brake=Brake(holders=nobody),
        dns=NoDns(),
        resolve=lambda reference, _: f"secret of {reference}",
    )


async def apply(state: State, spec: SpecValue, *, may_hash: bool = True) -> Plan:
    prepared = await reconciler(state).plan(spec)
    await reconciler(state, may_hash=may_hash).apply(prepared)
    return prepared.plan


def accounts_of(plan: Plan) -> list[tuple[Operation, str, str]]:
    return [(one.operation, one.moved_from, one.name) for one in plan.changes if one.kind == Kind.ACCOUNT]


@pytest.fixture
async def state() -> MemoryState:
    """bob, with a password."""
    made = MemoryState()
    await apply(made, spec_value({"accounts": {BOB: {"password": "env/PW", "name": "Bob"}}}))
    return made


async def test_a_new_name_alone_changes_nothing_else(state: MemoryState) -> None:
    spec = spec_value({"accounts": {ROBERT: {"password": "env/PW", "name": "Bob"}}, "moved": MOVED})
    plan = await apply(state, spec, may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, BOB, ROBERT)]
    assert [change.fields for change in plan.changes if change.kind == Kind.ACCOUNT] == [()]
    assert summary(plan) == "Plan: 0 to create, 0 to change, 1 to move, 0 to destroy."
    assert f"  > account {BOB} -> {ROBERT}\n" in render(plan)
    assert (await state.secrets(Kind.ACCOUNT))[ROBERT]["password"].startswith("$2b$12$secret of env/PW")
    again = await apply(state, spec)
    assert again.is_empty


async def test_fields_may_change_with_the_name(state: MemoryState) -> None:
    settings = {"accounts": {ROBERT: {"password": "env/OTHER", "name": "Robert", "addresses": [BOB]}}, "moved": MOVED}
    plan = await apply(state, spec_value(settings))
    (change,) = [change for change in plan.changes if change.kind == Kind.ACCOUNT]
    assert (change.operation, {field.name for field in change.fields}) == (
        Operation.MOVE,
        {"name", "addresses", "password"},
    )
    assert "env/OTHER" in (await state.secrets(Kind.ACCOUNT))[ROBERT]["password"]


async def test_without_an_entry_it_is_another_account(state: MemoryState) -> None:
    plan = await apply(state, spec_value({"accounts": {ROBERT: {}}}))
    assert {operation for operation, _, _ in accounts_of(plan)} == {Operation.CREATE, Operation.DESTROY}


async def test_what_never_was_is_made(state: MemoryState) -> None:
    settings = {"accounts": {BOB: {}, ROBERT: {}}, "moved": [{"from": "carol@example.com", "to": ROBERT}]}
    assert (Operation.CREATE, "", ROBERT) in accounts_of(await apply(state, spec_value(settings)))


async def test_where_somebody_lives_nobody_moves_in(state: MemoryState) -> None:
    await apply(state, spec_value({"accounts": {BOB: {}, ROBERT: {}}}))
    plan = await apply(state, spec_value({"accounts": {ROBERT: {}}, "moved": MOVED}))
    assert accounts_of(plan) == [(Operation.DESTROY, "", BOB)]


async def test_a_domain_moves_with_its_accounts(state: MemoryState) -> None:
    settings = {
        "domains": {"new.example": {}},
        "accounts": {"bob@new.example": {"password": "env/PW", "name": "Bob"}},
        "moved": [{"from": "example.com", "to": "new.example"}],
    }
    plan = await apply(state, spec_value(settings), may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, BOB, "bob@new.example")]


RUPERT = "rupert@example.com"


def moved_to(login: str, *pairs: tuple[str, str]) -> SpecValue:
    account = {"password": "env/PW", "name": "Bob"}
    return spec_value({"accounts": {login: account}, "moved": [{"from": old, "to": new} for old, new in pairs]})


async def test_there_and_back_again(state: MemoryState) -> None:
    await apply(state, moved_to(ROBERT, (BOB, ROBERT)), may_hash=False)
    plan = await apply(state, moved_to(BOB, (ROBERT, BOB)), may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, ROBERT, BOB)]
    assert (await apply(state, moved_to(BOB, (ROBERT, BOB)))).is_empty


@pytest.mark.parametrize("is_applied_between", [True, False])
async def test_a_second_move_goes_on_from_the_first(state: MemoryState, is_applied_between: bool) -> None:
    if is_applied_between:
        await apply(state, moved_to(ROBERT, (BOB, ROBERT)), may_hash=False)
    twice = moved_to(RUPERT, (BOB, ROBERT), (ROBERT, RUPERT))
    plan = await apply(state, twice, may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, ROBERT if is_applied_between else BOB, RUPERT)]
    assert (await apply(state, twice)).is_empty


async def test_an_account_may_move_on_from_a_domain_that_moved(state: MemoryState) -> None:
    settings = {
        "domains": {"new.example": {}},
        "accounts": {"robert@new.example": {"password": "env/PW", "name": "Bob"}},
        "moved": [
            {"from": "example.com", "to": "new.example"},
            {"from": "bob@new.example", "to": "robert@new.example"},
        ],
    }
    plan = await apply(state, spec_value(settings), may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, BOB, "robert@new.example")]


async def test_of_two_that_would_end_at_one_address_the_nearer_moves(state: MemoryState) -> None:
    await apply(state, spec_value({"accounts": {BOB: {"password": "env/PW", "name": "Bob"}, ROBERT: {}}}))
    plan = await apply(state, moved_to(RUPERT, (BOB, ROBERT), (ROBERT, RUPERT)))
    assert accounts_of(plan) == [(Operation.DESTROY, "", BOB), (Operation.MOVE, ROBERT, RUPERT)]


async def test_addresses_and_aliases_come_along_to_another_domain(state: MemoryState) -> None:
    def spec(domain: str, **more: object) -> SpecValue:
        return spec_value(
            {
                "domains": {domain: {"catch_all": f"bob@{domain}"}},
                "accounts": {f"bob@{domain}": {"password": "env/PW", "addresses": [f"b@{domain}"]}},
                "aliases": {f"info@{domain}": [f"bob@{domain}"]},
                **more,
            }
        )

    await apply(state, spec("example.com"))
    moving = spec("new.example", moved=[{"from": "example.com", "to": "new.example"}])
    plan = await apply(state, moving, may_hash=False)
    assert accounts_of(plan) == [(Operation.MOVE, BOB, "bob@new.example")]
    assert (await apply(state, moving)).is_empty


SPEC = "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"


async def test_mail_and_uids_stay(tmp_path: Path) -> None:
    spec = tmp_path / "mailstack.yaml"

    def run(text: str) -> None:
        spec.write_text(SPEC + text)
        try:
            done = CliRunner().invoke(cli, ["apply", "--yes", "--no-dns", str(spec)])
        finally:
            structlog.reset_defaults()  # the command sent the log to its own standard error
        assert done.exit_code == 0, done.output

    # A loop of its own runs in each command, so each is called in a thread.
    await asyncio.to_thread(run, "accounts: {bob@example.com: {}}\n")
    store = await open_store(tmp_path / "state", clock=FakeClock(), bus=Silence())
    before = await account_of(store, BOB)
    inbox = await mailbox_with(store, before.account_id, MailboxRole.INBOX)
    await store.messages.append(before.account_id, inbox, [new_message(1), new_message(2)])
    await store.close()
    moved = f"accounts: {{{ROBERT}: {{addresses: [{BOB}]}}}}\nmoved: [{{from: {BOB}, to: {ROBERT}}}]\n"
    await asyncio.to_thread(run, moved)
    store = await open_store(tmp_path / "state", clock=FakeClock(), bus=Silence())
    after = await account_of(store, ROBERT)
    assert (after.account_id, after.login) == (before.account_id, ROBERT)
    assert (await account_of(store, BOB)).login == ROBERT
    placed = await store.messages.placements(after.account_id, inbox)
    assert [int(one.uid) for one in placed] == [1, 2]
    assert await store.trash.list() == []
    await store.close()
