"""ports.trash on every engine."""

import pytest

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.app_password import ALL_SERVICES, AppPassword
from mailstack.model.errors import Conflict, NotFound
from mailstack.model.flags import FLAGGED
from mailstack.model.ids import AccountId, AppPasswordId, MessageId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.scram import MIN_ITERATIONS, SALT_OCTETS, derive_verifier
from mailstack.model.sieve_memory import Purpose
from mailstack.model.spam_lesson import Said
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import (
    account_of,
    account_resource,
    apply,
    created,
    destroyed,
    mailbox_with,
    make_account,
    moved,
    new_message,
)

LOGIN = "alice@example.com"
ALICE = account_resource(LOGIN, "a@example.com")


@pytest.fixture
async def trashed(store: Store, account_id: AccountId) -> AccountId:
    """Alice, with two messages, destroyed; and nobody of that name any more."""
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    messages = [new_message(1, keywords=frozenset({FLAGGED})), new_message(2, size_bytes=300_000)]
    await store.messages.append(account_id, inbox, messages)
    await apply(store, destroyed(account_resource(LOGIN)))
    return account_id


async def test_what_the_trash_holds(store: Store, trashed: AccountId, clock: FakeClock) -> None:
    (found,) = await store.trash.list()
    assert (found.account_id, found.login, found.messages) == (trashed, LOGIN, 2)
    assert found.size_bytes > 300_000
    assert found.destroyed_at == clock()
    assert found.kept_until == clock() + 30 * DAY_MS


async def test_an_account_without_mail_is_not_worth_listing(store: Store, account_id: AccountId) -> None:
    await apply(store, destroyed(account_resource(LOGIN)))
    assert await store.trash.list() == []


async def test_an_account_that_moved_is_not_in_the_trash(store: Store, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message()])
    await apply(store, moved(account_resource("robert@example.com"), LOGIN))
    assert await store.trash.list() == []


async def test_a_restored_account_is_what_it_was(store: Store, trashed: AccountId, bus: RecordingBus) -> None:
    await apply(store, created(ALICE))
    assert (await account_of(store, LOGIN)).account_id != trashed
    before = await store.state.generation()

    generation = await store.trash.restore(trashed, LOGIN)

    assert generation == before + 1 == await store.state.generation()
    assert bus.published[-1] == GENERATION_TOPIC
    assert (await account_of(store, LOGIN)).account_id == trashed
    assert (await account_of(store, "a@example.com")).account_id == trashed
    inbox = await mailbox_with(store, trashed, MailboxRole.INBOX)
    placed = await store.messages.placements(trashed, inbox)
    assert [(int(one.uid), one.keywords) for one in placed] == [(1, frozenset({FLAGGED})), (2, frozenset())]
    assert len(await store.messages.read(trashed, placed[1].message_id)) > 290_000
    await store.messages.append(trashed, inbox, [new_message(3)])
    assert await store.trash.list() == []


async def test_it_can_be_destroyed_and_restored_again(store: Store, trashed: AccountId) -> None:
    await apply(store, created(ALICE))
    await store.trash.restore(trashed, LOGIN)
    await apply(store, destroyed(ALICE))
    assert [one.account_id for one in await store.trash.list()] == [trashed]
    await apply(store, created(ALICE))
    await store.trash.restore(trashed, LOGIN)
    assert (await account_of(store, LOGIN)).account_id == trashed


async def test_it_may_get_another_name(store: Store, trashed: AccountId) -> None:
    bob = await make_account(store, "bob@example.com")
    await store.trash.restore(trashed, "bob@example.com")
    assert (await account_of(store, "bob@example.com")).account_id == trashed != bob


async def test_nobody_loses_mail_of_their_own(store: Store, trashed: AccountId) -> None:
    await apply(store, created(ALICE))
    alice = await account_of(store, LOGIN)
    inbox = await mailbox_with(store, alice.account_id, MailboxRole.INBOX)
    await store.messages.append(alice.account_id, inbox, [new_message(9)])
    with pytest.raises(Conflict, match="holds mail of its own"):
        await store.trash.restore(trashed, LOGIN)
    assert (await account_of(store, LOGIN)).account_id == alice.account_id
    assert [one.account_id for one in await store.trash.list()] == [trashed]


async def test_what_is_not_there_is_not_restored(store: Store, trashed: AccountId) -> None:
    with pytest.raises(NotFound, match="put it into the spec again"):
        await store.trash.restore(trashed, LOGIN)
    with pytest.raises(NotFound):
        await store.trash.restore(AccountId("f" * 16), LOGIN)


async def test_it_is_kept_for_thirty_days(store: Store, trashed: AccountId, clock: FakeClock) -> None:
    assert await store.trash.purge(now=Instant(clock() + 30 * DAY_MS)) == 0
    assert len(await store.trash.list()) == 1
    assert await store.trash.purge(now=Instant(clock() + 30 * DAY_MS + 1)) == 1
    assert await store.trash.list() == []
    await apply(store, created(ALICE))
    with pytest.raises(NotFound):
        await store.trash.restore(trashed, LOGIN)


async def test_accounts_on_their_way_into_the_trash_are_listed(store: Store) -> None:
    logins = [f"user{number}@example.com" for number in range(40)]
    for login in logins:
        account_id = await make_account(store, login)
        inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
        await store.messages.append(account_id, inbox, [new_message(1)])
    await apply(store, *(destroyed(account_resource(login)) for login in logins))
    for _ in range(10):
        assert sorted(one.login for one in await store.trash.list()) == sorted(logins)


async def test_what_was_remembered_for_its_scripts_stays_as_long_as_it(store: Store, trashed: AccountId) -> None:
    destroyed_at = (await store.trash.list())[0].destroyed_at
    for account_id in (trashed, AccountId("b" * 16)):
        await store.sieve_memory.note(account_id, Purpose.SEEN, [("a", Instant(destroyed_at + 90 * DAY_MS))])

    async def is_known(account_id: str) -> bool:
        return await store.sieve_memory.is_known(AccountId(account_id), Purpose.SEEN, "a", now=destroyed_at)

    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS)) == 0
    assert await is_known(trashed)
    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS + 1)) == 1
    assert [await is_known(one) for one in (trashed, "b" * 16)] == [False, True]


async def test_whom_it_knew_stays_known_as_long_as_it(store: Store, trashed: AccountId) -> None:
    destroyed_at = (await store.trash.list())[0].destroyed_at
    other, until = AccountId("b" * 16), Instant(destroyed_at + 90 * DAY_MS)
    await store.acquaintances.note({Acquaintance(one, Tie.WRITTEN, 1): until for one in (trashed, other)})

    async def known(account_id: AccountId) -> int:
        return len(await store.acquaintances.find(account_id, [1], now=destroyed_at))

    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS)) == 0
    assert await known(trashed) == 1
    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS + 1)) == 1
    assert [await known(one) for one in (trashed, other)] == [0, 1]


async def test_what_it_taught_stays_as_long_as_it(store: Store, trashed: AccountId) -> None:
    destroyed_at = (await store.trash.list())[0].destroyed_at
    bob = AccountId("b" * 16)
    for account_id in (bob, trashed):
        await store.spam_lessons.note(account_id, [MessageId(1)], Said.SPAM)
        await store.spam_tables.replace_account(account_id, b"a table")
    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS)) == 0
    assert await store.spam_tables.of_account(trashed) == b"a table"
    assert await store.trash.purge(now=Instant(destroyed_at + 30 * DAY_MS + 1)) == 1
    assert [await store.spam_tables.of_account(one) for one in (bob, trashed)] == [b"a table", None]
    assert [lesson.account_id for lesson in await store.spam_lessons.open(limit=9)] == [bob]
    await store.spam_tables.replace_account(bob, b"another")
    assert await store.spam_tables.changed_after(2) == {bob: 3}


async def test_its_app_passwords_stay_as_long_as_it_and_come_back_with_it(store: Store, clock: FakeClock) -> None:
    await apply(store, created(ALICE))
    alice = (await account_of(store, LOGIN)).account_id
    bob = await make_account(store, "bob@example.com")
    for number, account_id in enumerate((alice, bob)):
        one = AppPassword(
            app_password_id=AppPasswordId(f"{number}"),
            account_id=account_id,
            name="phone",
            digest=bytes([number] * 32),
            verifier=derive_verifier(b"secret", salt=b"s" * SALT_OCTETS, iterations=MIN_ITERATIONS),
            services=ALL_SERVICES,
            created_at=clock(),
            expires_at=None,
        )
        await store.app_passwords.add(one, most=9)
    inbox = await mailbox_with(store, alice, MailboxRole.INBOX)
    await store.messages.append(alice, inbox, [new_message()])
    await apply(store, destroyed(ALICE))
    assert len(await store.app_passwords.of_account(alice)) == 1
    await apply(store, created(ALICE))
    await store.trash.restore(alice, LOGIN)
    assert len(await store.app_passwords.of_account((await account_of(store, LOGIN)).account_id)) == 1
    await apply(store, destroyed(ALICE))
    await store.trash.purge(now=Instant(clock() + 30 * DAY_MS + 1))
    assert [len(await store.app_passwords.of_account(one)) for one in (alice, bob)] == [0, 1]
