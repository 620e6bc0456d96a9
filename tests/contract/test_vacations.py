"""ports.vacations on every engine."""

import pytest

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.object_journal import ObjectKind
from mailstack.model.script import RunningScripts, ScriptQuota
from mailstack.model.vacation import NO_VACATION, Vacation
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_resource, apply, destroyed, make_account

AWAY = Vacation(
    is_enabled=True,
    begins_at=Instant(1_782_864_000_000),
    ends_at=Instant(-62_135_596_800_000),
    subject='Away "now"',
    text="Grüße\r\nfrom the sea\n",
    html="<p>Gr&uuml;&szlig;e</p>",
)


async def test_nothing_was_said_at_first(store: Store, account_id: AccountId) -> None:
    assert await store.vacations.read(account_id) == NO_VACATION
    assert await store.scripts.running(account_id) == RunningScripts()


@pytest.mark.parametrize("said", [AWAY, Vacation(is_enabled=True), Vacation(text=""), NO_VACATION])
async def test_it_is_read_as_it_was_said(store: Store, account_id: AccountId, said: Vacation) -> None:
    await store.vacations.replace(account_id, NO_VACATION, said, script=b"keep;" if said.is_enabled else None)
    assert await store.vacations.read(account_id) == said
    expected = b"keep;" if said.is_enabled else None
    assert await store.scripts.running(account_id) == RunningScripts(vacation=expected)


async def test_it_runs_beside_the_active_script(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await store.scripts.put(account_id, "a", b"stop;", quota=ScriptQuota(scripts=1, octets=100))
    await store.scripts.activate(account_id, "a")
    await store.vacations.replace(account_id, NO_VACATION, AWAY, script=b"keep;")
    assert await store.scripts.running(account_id) == RunningScripts(active=b"stop;", vacation=b"keep;")
    assert await store.scripts.running(other) == RunningScripts()

    await store.vacations.replace(account_id, AWAY, NO_VACATION, script=None)
    assert await store.scripts.running(account_id) == RunningScripts(active=b"stop;")


async def test_who_knows_an_older_one_is_too_late(store: Store, account_id: AccountId) -> None:
    await store.vacations.replace(account_id, NO_VACATION, AWAY, script=b"keep;")
    with pytest.raises(Conflict):
        await store.vacations.replace(account_id, NO_VACATION, Vacation(text="late"), script=None)
    assert await store.vacations.read(account_id) == AWAY


async def test_each_is_noted_in_the_journal(store: Store, account_id: AccountId) -> None:
    await store.vacations.replace(account_id, NO_VACATION, AWAY, script=b"keep;", if_number=0)
    assert await store.object_journal.number(account_id, ObjectKind.VACATION) == 1
    with pytest.raises(Conflict):
        await store.vacations.replace(account_id, AWAY, NO_VACATION, script=None, if_number=0)
    await store.vacations.replace(account_id, AWAY, NO_VACATION, script=None, if_number=1)
    assert await store.object_journal.number(account_id, ObjectKind.VACATION) == 2
    assert await store.object_journal.number(account_id, ObjectKind.SCRIPT) == 0


async def test_nobody_is_not_away(store: Store) -> None:
    nobody = AccountId("0" * 16)
    with pytest.raises(NotFound):
        await store.vacations.replace(nobody, NO_VACATION, AWAY, script=b"keep;")
    assert await store.vacations.read(nobody) == NO_VACATION


async def test_it_goes_when_the_trash_lets_the_account_go(
    store: Store, account_id: AccountId, clock: FakeClock
) -> None:
    await store.vacations.replace(account_id, NO_VACATION, AWAY, script=b"keep;")
    await apply(store, destroyed(account_resource("alice@example.com")))
    await store.trash.purge(now=Instant(clock() + 29 * DAY_MS))
    assert await store.vacations.read(account_id) == AWAY

    await store.trash.purge(now=Instant(clock() + 31 * DAY_MS))
    assert await store.vacations.read(account_id) == NO_VACATION
