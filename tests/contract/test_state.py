"""ports.state on every engine."""

import asyncio

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, NotFound
from mailstack.model.ids import Generation
from mailstack.model.principal import AliasTargets
from mailstack.model.published import PublishedSet
from mailstack.model.resource import AccountBody, AliasBody, Kind, RelayBody, Resource, fields_of
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, account_resource, apply, created, destroyed, moved, updated

RELAY = Resource(
    kind=Kind.RELAY,
    name="ses",
    fields=fields_of(RelayBody(host="smtp.example.net", port=465, tls="implicit")),
    digests={"username": "u1", "password": "p1"},
)

ALICE = "alice@example.com"

pytestmark = pytest.mark.in_memory


async def test_a_new_store_is_at_generation_0_and_empty(store: Store) -> None:
    snapshot = await store.state.snapshot()
    assert (Generation(0), "", {}, None) == (
        snapshot.generation,
        snapshot.spec_hash,
        snapshot.resources,
        snapshot.applied_at,
    )


async def test_commit_makes_the_next_generation_with_what_was_given(
    store: Store, bus: RecordingBus, clock: FakeClock
) -> None:
    generation = await store.state.commit([created(RELAY)], base=Generation(0), spec_hash="abc")
    snapshot = await store.state.snapshot()
    assert generation == snapshot.generation == await store.state.generation() == Generation(1)
    assert ("abc", {(Kind.RELAY, "ses"): RELAY}, clock.now) == (
        snapshot.spec_hash,
        snapshot.resources,
        snapshot.applied_at,
    )
    assert bus.published == [GENERATION_TOPIC]


async def test_commit_on_a_stale_base_is_a_conflict_and_writes_nothing(store: Store) -> None:
    await apply(store, created(RELAY))
    with pytest.raises(Conflict):
        await store.state.commit([destroyed(RELAY)], base=Generation(0), spec_hash="late")
    assert list((await store.state.snapshot()).resources) == [(Kind.RELAY, "ses")]


async def test_of_two_commits_at_once_one_is_a_conflict(store: Store) -> None:
    logins = [f"{name}@example.com" for name in ("alice", "bob", "carol", "dave")]
    commits = (
        store.state.commit([created(account_resource(login))], base=Generation(0), spec_hash=login) for login in logins
    )
    outcomes = await asyncio.gather(*commits, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Conflict", "Conflict", "int"]
    assert len((await store.state.snapshot()).resources) == await store.state.generation() == 1


async def test_what_users_write_at_once_is_a_generation_each(store: Store) -> None:
    await apply(store, created(account_resource(ALICE)), created(account_resource("bob@example.com")))
    writes = [store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": str(number)}) for number in range(4)]
    assert sorted(await asyncio.gather(*writes)) == [2, 3, 4, 5]


async def test_commit_of_nothing_with_the_same_spec_writes_nothing(store: Store, bus: RecordingBus) -> None:
    await store.state.commit([created(RELAY)], base=Generation(0), spec_hash="abc")
    bus.published.clear()
    assert await store.state.commit([], base=Generation(1), spec_hash="abc") == Generation(1)
    assert bus.published == []


async def test_commit_of_nothing_with_another_spec_is_a_generation(store: Store) -> None:
    await store.state.commit([created(RELAY)], base=Generation(0), spec_hash="abc")
    assert await store.state.commit([], base=Generation(1), spec_hash="def") == Generation(2)


@pytest.mark.parametrize("change", [updated(RELAY), destroyed(RELAY)])
async def test_changing_what_is_not_there_is_a_conflict(store: Store, change: object) -> None:
    with pytest.raises(Conflict):
        await store.state.commit([change], base=Generation(0), spec_hash="x")  # type: ignore[list-item]  # parametrised


async def test_creating_what_is_there_is_a_conflict_and_undoes_the_whole_commit(store: Store) -> None:
    await apply(store, created(RELAY))
    with pytest.raises(Conflict):
        await apply(store, created(account_resource("bob@example.com")), created(RELAY))
    assert await store.accounts.find("bob@example.com") is None
    assert await store.state.generation() == Generation(1)


async def test_a_summary_is_a_snapshot_in_short(store: Store, clock: FakeClock) -> None:
    empty = await store.state.summary()
    assert (empty.generation, empty.spec_hash, empty.applied_at, dict(empty.counts)) == (0, "", None, {})
    await apply(
        store,
        created(RELAY),
        created(account_resource("alice@example.com")),
        created(account_resource("bob@example.com")),
    )
    found = await store.state.summary()
    assert (found.generation, found.spec_hash, found.applied_at) == (1, "spec 1", clock())
    assert dict(found.counts) == {Kind.ACCOUNT: 2, Kind.RELAY: 1}


def person(login: str, *, roles: tuple[str, ...] = (), abilities: tuple[str, ...] = ("read", "receive")) -> Resource:
    body = AccountBody(name="", addresses=(), roles=roles, abilities=abilities, quota_bytes=None)
    return Resource(kind=Kind.ACCOUNT, name=login, fields=fields_of(body))


async def test_the_administrator_is_the_first_who_takes_mail(store: Store) -> None:
    admin = ("admin",)
    await apply(store, created(person("a@example.com")), created(person("b@example.com", roles=admin, abilities=())))
    assert await store.state.administrator() is None
    await apply(store, *(created(person(login, roles=admin)) for login in ("d@example.com", "c@example.com")))
    assert await store.state.administrator() == "c@example.com"
    await apply(store, updated(person("c@example.com")))
    assert await store.state.administrator() == "d@example.com"


async def test_snapshot_of_some_kinds_leaves_out_the_others(store: Store) -> None:
    await apply(store, created(RELAY), created(account_resource("bob@example.com")))
    assert list((await store.state.snapshot([Kind.RELAY])).resources) == [(Kind.RELAY, "ses")]


async def test_some_resources_are_as_a_snapshot_has_them(store: Store) -> None:
    bob = account_resource("bob@example.com")
    await apply(store, created(RELAY), created(bob), created(account_resource(ALICE), password="the spec's"))
    await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    alice = (await store.state.snapshot()).resources[Kind.ACCOUNT, ALICE]
    assert [*alice.by_user] == ["password"]
    names = (ALICE, "bob@example.com", "ses", "nobody@example.com")
    assert await store.state.resources(Kind.ACCOUNT, names) == {ALICE: alice, "bob@example.com": bob}
    assert await store.state.resources(Kind.ACCOUNT, ()) == {}


async def test_people_are_told_by_login(store: Store) -> None:
    people = [("bob@example.com", "Bob"), (ALICE, "")]
    await apply(store, created(RELAY), *(created(account_resource(login, name=name)) for login, name in people))
    assert [*await store.state.people()] == [(ALICE, ""), ("bob@example.com", "Bob")]


async def test_secrets_are_kept_apart_from_snapshots(store: Store) -> None:
    await apply(store, created(RELAY, username="user", password="geheim"))
    assert await store.state.secrets(Kind.RELAY) == {"ses": {"username": "user", "password": "geheim"}}
    assert "geheim" not in repr(await store.state.snapshot())


async def test_secrets_that_an_update_does_not_name_stay(store: Store) -> None:
    await apply(store, created(RELAY, username="user", password="old"))
    await apply(store, updated(RELAY, password="new"))
    assert await store.state.secrets(Kind.RELAY) == {"ses": {"username": "user", "password": "new"}}


async def test_a_secret_whose_digest_is_withdrawn_is_forgotten(store: Store) -> None:
    await apply(store, created(RELAY, username="user", password="old", seed="generated, has no digest"))
    bare = Resource(kind=RELAY.kind, name=RELAY.name, fields=RELAY.fields, digests={"username": "u1"})
    await apply(store, updated(bare))
    assert await store.state.secrets(Kind.RELAY) == {"ses": {"username": "user", "seed": "generated, has no digest"}}


async def test_secrets_go_with_their_resource(store: Store) -> None:
    await apply(store, created(RELAY, password="old"))
    await apply(store, destroyed(RELAY))
    assert await store.state.secrets(Kind.RELAY) == {}


async def test_a_moved_account_keeps_its_id_and_its_password(store: Store) -> None:
    await apply(store, created(account_resource("bob@example.com", "b@example.com"), password="$2b$hash"))
    before = await account_of(store, "bob@example.com")
    robert = account_resource("robert@example.com", "bob@example.com")
    alias = Resource(
        kind=Kind.ALIAS, name="b@example.com", fields=fields_of(AliasBody(targets=("robert@example.com",)))
    )
    await apply(store, moved(robert, "bob@example.com"), created(alias))
    after = await account_of(store, "robert@example.com")
    assert (after.account_id, after.password_hash, after.addresses) == (
        before.account_id,
        "$2b$hash",
        ("bob@example.com",),
    )
    assert (await account_of(store, "bob@example.com")).login == "robert@example.com"
    assert await store.accounts.find("b@example.com") == AliasTargets(targets=("robert@example.com",))
    names = [name for kind, name in (await store.state.snapshot()).resources if kind is Kind.ACCOUNT]
    assert names == ["robert@example.com"]


async def test_what_is_not_there_does_not_move_nor_onto_what_is(store: Store) -> None:
    with pytest.raises(Conflict):
        await apply(store, moved(account_resource("robert@example.com"), "bob@example.com"))
    await apply(store, created(account_resource("bob@example.com")), created(account_resource("robert@example.com")))
    with pytest.raises((Conflict, AlreadyExists)):
        await apply(store, moved(account_resource("robert@example.com"), "bob@example.com"))
    assert (await account_of(store, "bob@example.com")).login == "bob@example.com"


async def test_digest_key_is_32_bytes_and_stays(store: Store) -> None:
    key = await store.state.digest_key()
    assert len(key) == 32
    assert await store.state.digest_key() == key


async def test_what_the_user_writes_counts_from_then_on_and_is_a_generation(
    store: Store, bus: RecordingBus, clock: FakeClock
) -> None:
    await apply(store, created(account_resource(ALICE), password="the spec's"))
    bus.published.clear()
    generation = await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    snapshot = await store.state.snapshot()
    resource = snapshot.resources[Kind.ACCOUNT, ALICE]
    assert (generation, snapshot.generation, snapshot.spec_hash) == (Generation(2), Generation(2), "spec 1")
    assert (resource.by_user, resource.digests) == ({"password": clock.now}, account_resource(ALICE).digests)
    assert (await account_of(store, ALICE)).password_hash == "the user's"
    assert bus.published == [GENERATION_TOPIC]


async def test_an_update_that_does_not_speak_of_it_leaves_it_to_the_user(store: Store) -> None:
    await apply(store, created(account_resource(ALICE), password="the spec's"))
    await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    await apply(store, updated(account_resource(ALICE, name="Other")))
    assert (await account_of(store, ALICE)).password_hash == "the user's"
    assert list((await store.state.snapshot()).resources[Kind.ACCOUNT, ALICE].by_user) == ["password"]


async def test_an_update_that_does_is_the_last_word(store: Store) -> None:
    await apply(store, created(account_resource(ALICE), password="the spec's"))
    await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    await apply(store, updated(account_resource(ALICE), password="the spec's again"))
    assert (await account_of(store, ALICE)).password_hash == "the spec's again"
    assert (await store.state.snapshot()).resources[Kind.ACCOUNT, ALICE].by_user == {}


async def test_it_moves_and_goes_with_its_resource(store: Store) -> None:
    await apply(store, created(account_resource(ALICE)))
    await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    await apply(store, moved(account_resource("a@example.com"), ALICE))
    assert list((await store.state.snapshot()).resources[Kind.ACCOUNT, "a@example.com"].by_user) == ["password"]
    await apply(store, destroyed(account_resource("a@example.com")))
    await apply(store, created(account_resource("a@example.com")))
    assert (await store.state.snapshot()).resources[Kind.ACCOUNT, "a@example.com"].by_user == {}


async def test_a_secret_is_the_specs_until_a_user_writes_another(store: Store) -> None:
    await apply(store, created(account_resource(ALICE), password="the spec's"))
    assert await store.state.is_given(Kind.ACCOUNT, ALICE, "password")
    assert not await store.state.is_given(Kind.ACCOUNT, ALICE, "other")
    assert not await store.state.is_given(Kind.ACCOUNT, "b@example.com", "password")
    await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "the user's"})
    assert not await store.state.is_given(Kind.ACCOUNT, ALICE, "password")


async def test_nobody_writes_to_what_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.state.write_as_user(Kind.ACCOUNT, ALICE, {"password": "x"})
    assert await store.state.generation() == Generation(0)


MX = PublishedSet(name="example.com", type="MX", ttl_s=300, values=("10 a.", "20 b."))
SPF = PublishedSet(name="example.com", type="TXT", ttl_s=300, values=("v=spf1 -all",))


async def test_what_was_published_is_remembered_by_zone_and_replaced(store: Store) -> None:
    assert await store.state.published() == {}
    await store.state.note_published("example.com", [SPF, MX])
    await store.state.note_published("other.example", [MX])
    found = await store.state.published()
    assert {zone: sorted(sets) for zone, sets in found.items()} == {"example.com": [MX, SPF], "other.example": [MX]}
    await store.state.note_published("example.com", [SPF])
    await store.state.note_published("other.example", [])
    assert {zone: list(sets) for zone, sets in (await store.state.published()).items()} == {"example.com": [SPF]}
    assert await store.state.generation() == Generation(0)
