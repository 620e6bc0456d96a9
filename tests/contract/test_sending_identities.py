"""ports.sending_identities on every engine; and what the spec changes of whom people send as."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.header_value import EmailAddress
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.resource import DomainBody, Kind, Resource, ResourceChange, fields_of
from mailstack.model.sending_identity import SendingIdentity
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, account_resource, apply, created, destroyed, make_account, moved, updated

IDENTITY = ObjectKind.IDENTITY
BARE = SendingIdentity(identity_id="Ia", email="alice@example.com", name="")
FULL = SendingIdentity(
    identity_id="Ib",
    email="Alice+news@example.com",
    name="Älice\u2028",
    reply_to=(EmailAddress(None, "a@x.example"), EmailAddress("", "b@x.example")),
    bcc=(),
    text_signature="-- \r\n\tA 😀",
    html_signature="<p>A</p>" * 10_000,
)
UNNAMED = replace(BARE, identity_id="Ic", name=None)


async def all_of(store: Store, account_id: AccountId) -> dict[str, SendingIdentity]:
    _, found = await store.sending_identities.all(account_id)
    return {each.identity_id: each for each in found}


async def number_of(store: Store, account_id: AccountId) -> int:
    number, _ = await store.sending_identities.all(account_id)
    assert number == await store.object_journal.number(account_id, IDENTITY)
    return number


async def changed(store: Store, account_id: AccountId, since: int) -> tuple[list[str], list[str], list[str]]:
    found = await store.object_journal.changed(account_id, IDENTITY, JournalPoint(since), limit=100)
    return [*found.created], [*found.updated], [*found.destroyed]


async def test_what_is_written_is_read(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    assert await store.sending_identities.all(account_id) == (0, [])
    before = len(bus.published)
    number = await store.sending_identities.write(account_id, created=[FULL, BARE], updated=[UNNAMED], if_number=0)
    assert await store.sending_identities.all(account_id) == (number, [BARE, FULL, UNNAMED])
    assert await changed(store, account_id, 0) == (["Ib", "Ia"], ["Ic"], [])
    assert account_topic(account_id) in bus.published[before:]


async def test_what_is_changed_and_what_goes(store: Store, account_id: AccountId) -> None:
    first = await store.sending_identities.write(account_id, created=[FULL, BARE, UNNAMED], if_number=0)
    new = replace(FULL, name=None, reply_to=None, bcc=[EmailAddress("B", "b@x.example")], html_signature="")
    second = await store.sending_identities.write(account_id, updated=[new], destroyed=["Ia"], if_number=first)
    assert await all_of(store, account_id) == {"Ib": replace(new, bcc=tuple(new.bcc or ())), "Ic": UNNAMED}
    assert await changed(store, account_id, first) == ([], ["Ib"], ["Ia"])
    assert await number_of(store, account_id) == second


async def test_a_write_on_an_old_number_fails_whole(store: Store, account_id: AccountId) -> None:
    await store.sending_identities.write(account_id, created=[BARE], if_number=0)
    with pytest.raises(Conflict):
        await store.sending_identities.write(account_id, created=[FULL], destroyed=["Ia"], if_number=0)
    assert await all_of(store, account_id) == {"Ia": BARE}


async def test_of_two_at_once_one_is_too_late(store: Store, account_id: AccountId) -> None:
    writes = [store.sending_identities.write(account_id, created=[each], if_number=0) for each in (BARE, FULL)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results].count(Conflict) == 1
    assert len(await all_of(store, account_id)) == 1


async def test_each_account_has_its_own(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await store.sending_identities.write(account_id, created=[BARE], if_number=0)
    await store.sending_identities.write(other, created=[FULL], if_number=0)
    await store.sending_identities.write(other, destroyed=["Ia"], if_number=1)
    assert (await all_of(store, account_id), await all_of(store, other)) == ({"Ia": BARE}, {"Ib": FULL})


async def test_nobody_has_none(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.sending_identities.write(AccountId("0" * 16), created=[BARE], if_number=0)
    assert await store.sending_identities.all(AccountId("0" * 16)) == (0, [])


@pytest.mark.parametrize(
    ("changes", "is_anew"),
    [
        ([updated(account_resource("alice@example.com", name="Alice B."))], True),
        ([updated(account_resource("alice@example.com", "sales@example.com"))], True),
        ([updated(account_resource("alice@example.com", quota_bytes=100))], False),
        ([updated(account_resource("alice@example.com"), password="$argon2id$")], False),
        ([moved(account_resource("alicia@example.com"), "alice@example.com")], True),
        ([created(account_resource("bob@example.com"))], False),
    ],
    ids=["name", "addresses", "quota", "password", "moved", "another"],
)
async def test_what_the_spec_changes_of_senders_begins_their_states_anew(
    store: Store, account_id: AccountId, bus: RecordingBus, changes: list[ResourceChange], is_anew: bool
) -> None:
    first = await store.sending_identities.write(account_id, created=[BARE], if_number=0)
    before = len(bus.published)
    await apply(store, *changes)
    assert (await number_of(store, account_id) > first) is is_anew
    assert (account_topic(account_id) in bus.published[before:]) is is_anew
    if is_anew:
        with pytest.raises(Conflict):
            await changed(store, account_id, first)
    assert await changed(store, account_id, await number_of(store, account_id)) == ([], [], [])
    assert await all_of(store, account_id) == {"Ia": BARE}


async def test_a_domain_that_changes_begins_the_states_anew_of_who_has_own_ones(
    store: Store, account_id: AccountId
) -> None:
    other = await make_account(store, "bob@example.com")
    first = await store.sending_identities.write(account_id, created=[BARE], if_number=0)
    body = DomainBody(catch_all=None, subaddress_separators="-", alias_of=None, dkim_algorithms=())
    domain = Resource(kind=Kind.DOMAIN, name="example.net", fields=fields_of(body), digests={})
    await apply(store, created(domain))
    assert await number_of(store, account_id) == first + 1
    assert await number_of(store, other) == 0
    with pytest.raises(Conflict):
        await changed(store, account_id, first)
    await store.sending_identities.write(account_id, destroyed=["Ia"], if_number=first + 1)
    assert await changed(store, account_id, first + 1) == ([], [], ["Ia"])


async def test_they_stay_with_a_moved_account_and_one_that_is_given_back(
    store: Store, account_id: AccountId, clock: FakeClock
) -> None:
    await store.mailboxes.list(account_id)
    await store.sending_identities.write(account_id, created=[BARE], if_number=0)
    await apply(store, moved(account_resource("alicia@example.com"), "alice@example.com"))
    assert (await account_of(store, "alicia@example.com")).account_id == account_id
    assert await all_of(store, account_id) == {"Ia": BARE}

    await apply(store, destroyed(account_resource("alicia@example.com")))
    empty_id = await make_account(store, "alicia@example.com")
    await store.trash.restore(account_id, "alicia@example.com")
    assert await all_of(store, account_id) == {"Ia": BARE}
    assert await all_of(store, empty_id) == {}

    await apply(store, destroyed(account_resource("alicia@example.com")))
    await store.trash.purge(now=Instant(clock() + 29 * DAY_MS))
    assert await all_of(store, account_id) == {"Ia": BARE}
    await store.trash.purge(now=Instant(clock() + 31 * DAY_MS))
    assert await all_of(store, account_id) == {}
