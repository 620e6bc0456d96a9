"""What asks about many asks once: the round trips do not grow with them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.instant import SECOND_MS
from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, parse_rights
from mailstack.store.postgres.link import Answer, Asked, Link
from mailstack.store.postgres.open import PostgresStore
from tests.store.postgres.conftest import open_at
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_resource, apply, destroyed, mailbox_with, make_account, new_message


class Trips:
    """count: round trips since it was set to 0."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        exchange = Link.exchange

        async def counted(link: Link, batch: Sequence[Asked], *, wanted: int = 1) -> list[Answer]:
            self.count += 1
            return await exchange(link, batch, wanted=wanted)

        monkeypatch.setattr(Link, "exchange", counted)


async def in_the_trash(store: PostgresStore, login: str) -> None:
    account_id = await make_account(store, login)
    await store.messages.append(account_id, await mailbox_with(store, account_id, MailboxRole.INBOX), [new_message()])
    await apply(store, destroyed(account_resource(login)))


async def test_a_list_of_the_trash(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, counts = await open_at(empty_database, tmp_path), []
    trips = Trips(monkeypatch)
    for number in range(3):
        await in_the_trash(store, f"u{number}@example.com")
        trips.count = 0
        assert len(await store.trash.list()) == number + 1
        counts.append(trips.count)
    await store.close()
    assert counts[0] == counts[-1], counts


@pytest.mark.parametrize("named", [1, 5])
async def test_the_index_of_who_shares_with_whom(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: int
) -> None:
    clock = FakeClock()
    store = await open_at(empty_database, tmp_path, clock=clock)
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    for number in range(named):
        other = AccountId(f"other{number}")
        grant = Grant(identifier=f"u{number}@example.com", account_id=other, rights=parse_rights("lr"))
        await store.sharing.change(account_id, inbox, grant)
        clock.advance(3601 * SECOND_MS)
        await store.sharing.forget(other, account_id)
    trips = Trips(monkeypatch)
    assert await store.sharing.note_all(account_id) == named
    asked_and_noted = trips.count
    assert await store.sharing.note_all(account_id) == 0
    await store.close()
    assert asked_and_noted <= 5
