"""Lessons become models, and are taken back; caps hold; the shared model learns what several say."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.flags import NO_KEYWORDS
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation, RawMessage
from mailstack.model.numset import numset_of
from mailstack.model.resource import Resource
from mailstack.model.spam_lesson import Said
from mailstack.ports.store import Store
from mailstack.services.spam import training as subject
from mailstack.services.spam.correspondents import Arrived, arrived_in
from mailstack.services.spam.experience import Experience, experience_of
from mailstack.services.spam.shared import whole
from mailstack.services.spam.training import Training, teach_some
from mailstack.services.spam.turn import LEASE_MS, LearningTurn
from mailstack.spam.features import features_of
from mailstack.spam.judge import Models, judge
from mailstack.spam.model import ACCOUNT_BITS, SHARED_BITS, Model, empty
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.spam_mail import campaign_mail, ham_mail, stored
from tests.support.stores import account_of, account_resource, apply, created, mailbox_with

HOSTNAME = "mail.example.com"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path, clock=clock, bus=RecordingBus())
    yield opened
    await opened.close()


def training_of(store: Store, clock: FakeClock, *, experience: Experience | None = None) -> Training:
    model = Model(empty(SHARED_BITS))
    return Training(
        lessons=store.spam_lessons,
        tables=store.spam_tables,
        messages=store.messages,
        accounts=store.accounts,
        shared=lambda: model,
        experience=experience or experience_of(store.reputation, store.acquaintances, secret=b"s", clock=clock),
        arrived_in=lambda raw: arrived_in(raw, HOSTNAME),
        clock=clock,
    )


async def account(store: Store, name: str, *roles: str) -> AccountId:
    resource = account_resource(f"{name}@example.com")
    plain = Resource(
        kind=resource.kind,
        name=resource.name,
        fields={**resource.fields, "roles": list(roles)},
        digests=resource.digests,
    )
    await apply(store, created(plain, password="a hash"))
    return (await account_of(store, plain.name)).account_id


async def put(store: Store, account_id: AccountId, *raws: bytes) -> list[MessageId]:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    return [one.message_id for one in await store.messages.append(account_id, inbox, [stored(raw) for raw in raws])]


async def say(store: Store, clock: FakeClock, account_id: AccountId, said: Said, *raws: bytes) -> list[MessageId]:
    messages = await put(store, account_id, *raws)
    await store.spam_lessons.note(account_id, messages, said)
    while await teach_some(training_of(store, clock)):
        pass
    return messages


async def points(store: Store, account_id: AccountId, raw: bytes) -> float:
    table = await store.spam_tables.of_account(account_id)
    own = None if table is None else Model(table)
    shared, _ = await whole(store.spam_tables)
    return judge(features_of(raw), Models(shared=shared, account=own)).points


async def test_three_of_a_kind_file_the_fourth_for_who_moved_them_alone(store: Store, clock: FakeClock) -> None:
    alice, bob = await account(store, "alice"), await account(store, "bob")
    await say(store, clock, alice, Said.SPAM, *(campaign_mail(number) for number in range(3)))
    assert await points(store, alice, campaign_mail(9)) >= 5
    assert await points(store, alice, ham_mail()) < 2
    assert await store.spam_tables.of_account(bob) is None
    assert await store.spam_tables.shared_number() == 0


async def test_what_is_taken_back_leaves_nothing(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice", "admin")
    first = await say(store, clock, alice, Said.SPAM, campaign_mail(1))
    second = await say(store, clock, alice, Said.HAM, ham_mail())
    assert await store.spam_tables.shared_number() == 2
    for said, messages in ((Said.HAM, first), (Said.SPAM, second)):
        await store.spam_lessons.note(alice, messages, said, is_move=True)
    await teach_some(training_of(store, clock))
    assert await store.spam_tables.of_account(alice) == bytes(empty(ACCOUNT_BITS))
    shared, number = await whole(store.spam_tables)
    assert (shared.octets, number) == (bytes(empty(SHARED_BITS)), 4)
    assert await store.spam_lessons.open(limit=1) == []


async def test_who_was_stopped_for_longer_than_its_turn_adds_nothing_twice(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice", "admin")
    stopped, other = (LearningTurn(store.locks, owner=owner, clock=clock) for owner in ("stopped", "other"))
    await store.spam_lessons.note(alice, await put(store, alice, campaign_mail(1)), Said.SPAM)
    assert await stopped.take()
    clock.advance(LEASE_MS + 1)

    assert await other.take()
    with pytest.raises(Conflict, match="somebody else"):
        await teach_some(training_of(store, clock), stopped.lease)
    assert await store.spam_tables.of_account(alice) is None
    assert await teach_some(training_of(store, clock), other.lease) == 1
    shared, number = await whole(store.spam_tables)
    assert (shared.spam, number) == (1, 1)


async def test_who_says_the_contrary_teaches_the_contrary(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice")
    messages = await say(store, clock, alice, Said.SPAM, campaign_mail(1))
    await store.spam_lessons.note(alice, messages, Said.HAM)
    await teach_some(training_of(store, clock))
    table = await store.spam_tables.of_account(alice)
    assert table is not None
    assert (Model(table).ham, Model(table).spam) == (1, 0)


async def test_a_message_that_is_gone_is_passed_over(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice")
    messages = await put(store, alice, campaign_mail(1), campaign_mail(2))
    await store.spam_lessons.note(alice, messages, Said.SPAM)
    inbox = await mailbox_with(store, alice, MailboxRole.INBOX)
    mark = FlagChange(operation=FlagOperation.ADD, keywords=NO_KEYWORDS, is_deleted=True)
    await store.messages.change_flags(alice, inbox, numset_of([1]), mark)
    await store.messages.expunge(alice, inbox)
    assert await teach_some(training_of(store, clock)) == 2
    assert await teach_some(training_of(store, clock)) == 0
    assert await store.spam_lessons.taught_since(alice, Instant(0)) == (1, 1)


async def test_an_account_that_is_gone_teaches_nothing(store: Store, clock: FakeClock) -> None:
    nobody = AccountId("f" * 16)
    await store.spam_lessons.note(nobody, [MessageId(1)], Said.SPAM)
    assert await teach_some(training_of(store, clock)) == 1
    assert await store.spam_lessons.open(limit=1) == []
    assert await store.spam_tables.of_account(nobody) is None


async def test_a_day_has_an_end(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_LESSONS", 3)
    monkeypatch.setattr(subject, "MOST_VOTES", 2)
    alice = await account(store, "alice", "admin")
    await say(store, clock, alice, Said.SPAM, *(campaign_mail(1, campaign) for campaign in range(5)))
    assert await store.spam_lessons.taught_since(alice, Instant(0)) == (3, 2)
    assert await store.spam_tables.shared_number() == 2
    clock.advance(DAY_MS + 1)
    await say(store, clock, alice, Said.SPAM, campaign_mail(1, campaign=9))
    assert await store.spam_lessons.taught_since(alice, Instant(0)) == (4, 3)


async def test_the_shared_model_learns_what_three_accounts_say(store: Store, clock: FakeClock) -> None:
    learned = []
    for number, name in enumerate("abcd"):
        await say(store, clock, await account(store, name), Said.SPAM, campaign_mail(number))
        learned.append(await store.spam_tables.shared_number())
    assert learned == [0, 0, 1, 2]


async def test_nobody_says_so_three_times(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice")
    await say(store, clock, alice, Said.SPAM, *(campaign_mail(number) for number in range(6)))
    assert await store.spam_tables.shared_number() == 0


async def test_one_who_says_the_contrary_stops_it(store: Store, clock: FakeClock) -> None:
    for number, name in enumerate("abc"):
        said = Said.HAM if name == "b" else Said.SPAM
        await say(store, clock, await account(store, name), said, campaign_mail(number))
    assert await store.spam_tables.shared_number() == 0


async def test_an_administrator_is_enough(store: Store, clock: FakeClock) -> None:
    admin = await account(store, "admin", "admin")
    await say(store, clock, admin, Said.SPAM, *(campaign_mail(number) for number in range(3)))
    await say(store, clock, admin, Said.HAM, ham_mail())
    assert await store.spam_tables.shared_number() == 2


async def test_a_model_of_another_version_begins_anew(store: Store, clock: FakeClock) -> None:
    alice = await account(store, "alice")
    await store.spam_tables.replace_account(alice, b"of another version")
    await say(store, clock, alice, Said.SPAM, campaign_mail(1))
    table = await store.spam_tables.of_account(alice)
    assert table is not None
    assert Model(table).spam == 1


async def test_a_bug_met_in_one_message_leaves_the_others_to_be_taught(store: Store, clock: FakeClock) -> None:
    def fails(raw: RawMessage) -> Arrived:
        if b"customer1," in raw[:]:
            raise IndexError("a bug")
        return arrived_in(raw, HOSTNAME)

    alice = await account(store, "alice")
    messages = await put(store, alice, campaign_mail(1), campaign_mail(2))
    await store.spam_lessons.note(alice, messages, Said.SPAM)
    await teach_some(replace(training_of(store, clock), arrived_in=fails))
    assert await store.spam_lessons.open(limit=1) == []
    table = await store.spam_tables.of_account(alice)
    assert table is not None
    assert Model(table).spam == 1


async def test_what_is_said_of_a_message_is_said_of_its_sender_too(store: Store, clock: FakeClock) -> None:
    told: list[tuple[str, bool]] = []

    class Told:
        def learn(self, _whose: AccountId, _arrived: Arrived, *, is_spam: bool) -> None:
            told.append(("learn", is_spam))

        def unlearn(self, _whose: AccountId, _arrived: Arrived, *, is_spam: bool) -> None:
            told.append(("unlearn", is_spam))

    training = training_of(store, clock, experience=cast(Experience, Told()))  # it is asked for no more
    alice = await account(store, "alice")
    messages = await put(store, alice, campaign_mail(1))
    for said in (Said.SPAM, Said.HAM):
        await store.spam_lessons.note(alice, messages, said)
        await teach_some(training)
    await store.spam_lessons.note(alice, messages, Said.SPAM, is_move=True)
    await teach_some(training)
    assert told == [("learn", True), ("unlearn", True), ("learn", False), ("unlearn", False)]
