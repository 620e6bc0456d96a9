"""ports.accounts on every engine: what the directory makes of applied resources."""

from dataclasses import replace

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.principal import ALL_ABILITIES, Account, AliasTargets, Domain, Forward, MailingList, Posters, Role
from mailstack.model.resource import (
    AccountBody,
    AliasBody,
    DomainBody,
    ForwardBody,
    Kind,
    ListBody,
    Resource,
    ScriptBody,
    body_of,
    fields_of,
    limits_body,
    list_of,
)
from mailstack.model.sending_limits import DEFAULT_LIMITS, SendingLimits
from mailstack.ports.store import Store
from tests.support.stores import account_of, account_resource, apply, created, destroyed, moved, updated

ALICE = account_resource("alice@example.com", "a.example@example.com", quota_bytes=1_000)
UNLIMITED = SendingLimits(recipients_per_hour=None, recipients_per_day=None)

pytestmark = pytest.mark.in_memory


async def test_an_account_is_found_by_its_login_and_by_its_other_addresses(store: Store) -> None:
    await apply(store, created(ALICE, password="$argon2id$x"))
    found = await account_of(store, "alice@example.com")
    assert found == Account(
        account_id=found.account_id,
        login="alice@example.com",
        name="Alice",
        addresses=("a.example@example.com",),
        roles=frozenset({Role.ADMIN}),
        abilities=ALL_ABILITIES,
        quota_bytes=1_000,
        password_hash="$argon2id$x",
    )
    assert found == await store.accounts.find("a.example@example.com")
    assert found == await store.accounts.account(found.account_id)


async def test_where_mail_goes_on_to_follows_the_resource(store: Store) -> None:
    forward = ForwardBody(targets=("Ä@elsewhere.example", "bob@example.com"), keep=False)
    await apply(store, created(account_resource("alice@example.com", forward=forward)))
    found = (await account_of(store, "alice@example.com")).forward
    assert found == Forward(targets=("Ä@elsewhere.example", "bob@example.com"), keep=False)
    await apply(store, updated(account_resource("alice@example.com", forward=replace(forward, keep=True))))
    assert (await account_of(store, "alice@example.com")).forward == replace(found, keep=True)
    await apply(store, updated(account_resource("alice@example.com")))
    assert (await account_of(store, "alice@example.com")).forward is None


async def test_limits_follow_the_resource_and_without_any_are_the_defaults(store: Store) -> None:
    await apply(store, created(account_resource("alice@example.com")))
    assert (await account_of(store, "alice@example.com")).limits == DEFAULT_LIMITS
    for limits in (SendingLimits(messages_per_day=9), UNLIMITED, DEFAULT_LIMITS):
        await apply(store, updated(account_resource("alice@example.com", limits=limits_body(limits))))
        assert (await account_of(store, "alice@example.com")).limits == limits


async def test_account_ids_are_16_hexadecimal_digits(store: Store) -> None:
    await apply(store, created(ALICE))
    account_id = (await account_of(store, "alice@example.com")).account_id
    assert len(account_id) == 16
    assert set(account_id) <= set("0123456789abcdef")


async def test_an_unknown_address_is_none(store: Store) -> None:
    assert await store.accounts.find("nobody@example.com") is None


async def test_an_account_without_a_password_has_an_empty_hash(store: Store) -> None:
    await apply(store, created(ALICE))
    assert (await account_of(store, "alice@example.com")).password_hash == ""


async def test_an_update_keeps_the_id_and_the_password_and_changes_the_addresses(store: Store) -> None:
    await apply(store, created(ALICE, password="$2b$x"))
    before = await account_of(store, "alice@example.com")
    await apply(store, updated(account_resource("alice@example.com", "ally@example.com", name="Ally")))
    after = await account_of(store, "ally@example.com")
    assert (before.account_id, "Ally", "$2b$x", None) == (
        after.account_id,
        after.name,
        after.password_hash,
        after.quota_bytes,
    )
    assert await store.accounts.find("a.example@example.com") is None


async def test_a_destroyed_account_is_no_longer_found_and_its_successor_is_another(store: Store) -> None:
    await apply(store, created(ALICE))
    first = await account_of(store, "alice@example.com")
    await apply(store, destroyed(ALICE))
    assert await store.accounts.find("alice@example.com") is None
    assert await store.accounts.find("a.example@example.com") is None
    assert await store.accounts.account(first.account_id) is None
    await apply(store, created(ALICE))
    assert (await account_of(store, "alice@example.com")).account_id != first.account_id


async def test_an_address_passes_from_one_account_to_another_in_one_commit(store: Store) -> None:
    await apply(store, created(ALICE), created(account_resource("bob@example.com")))
    await apply(
        store,
        updated(account_resource("bob@example.com", "a.example@example.com")),
        updated(account_resource("alice@example.com")),
    )
    assert (await account_of(store, "a.example@example.com")).login == "bob@example.com"


async def test_two_owners_of_one_address_are_a_conflict_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(Conflict):
        await apply(store, created(ALICE), created(account_resource("bob@example.com", "alice@example.com")))
    assert await store.accounts.find("alice@example.com") is None


async def test_an_alias_is_found_with_its_targets(store: Store) -> None:
    targets = ("alice@example.com", "x@else.example")
    alias = Resource(kind=Kind.ALIAS, name="sales@example.com", fields=fields_of(AliasBody(targets=targets)))
    await apply(store, created(alias))
    assert await store.accounts.find("sales@example.com") == AliasTargets(targets=targets)
    await apply(store, destroyed(alias))
    assert await store.accounts.find("sales@example.com") is None


async def test_a_list_is_found_as_it_was_applied_last(store: Store) -> None:
    body = ListBody(
        name="Team",
        description="",
        members=("alice@example.com", "x@else.example"),
        owners=(),
        post="named",
        posters=("x@else.example",),
        subject_prefix="[team]",
        reply_to="list",
        unsubscribe=True,
    )
    team = Resource(kind=Kind.LIST, name="team@example.com", fields=fields_of(body))
    await apply(store, created(team))
    found = await store.accounts.find("team@example.com")
    assert found == list_of("team@example.com", body)
    assert isinstance(found, MailingList)
    assert (found.post, found.replies_to_list) == (Posters.NAMED, True)
    fewer = replace(team, fields=fields_of(replace(body, members=("x@else.example",))))
    await apply(store, updated(fewer))
    found = await store.accounts.find("team@example.com")
    assert isinstance(found, MailingList)
    assert found.members == ("x@else.example",)
    await apply(store, destroyed(fewer))
    assert await store.accounts.find("team@example.com") is None


async def test_the_script_that_the_spec_gives_an_account_is_found_as_it_was_applied_last(store: Store) -> None:
    def script(login: str, content: str) -> Resource:
        return Resource(kind=Kind.SCRIPT, name=login, fields=fields_of(ScriptBody(content=content, origin="file")))

    await apply(store, created(ALICE))
    assert await store.accounts.managed_script("alice@example.com") is None
    await apply(store, created(script("alice@example.com", "discard;")))
    assert await store.accounts.managed_script("alice@example.com") == "discard;"
    assert await store.accounts.managed_script("bob@example.com") is None
    await apply(store, updated(script("alice@example.com", "keep;")))
    assert await store.accounts.managed_script("alice@example.com") == "keep;"
    await apply(
        store,
        moved(account_resource("ally@example.com", "a.example@example.com"), "alice@example.com"),
        moved(script("ally@example.com", "keep;"), "alice@example.com"),
    )
    assert await store.accounts.managed_script("alice@example.com") is None
    assert await store.accounts.managed_script("ally@example.com") == "keep;"
    await apply(store, destroyed(script("ally@example.com", "keep;")))
    assert await store.accounts.managed_script("ally@example.com") is None


async def test_a_person_is_known_by_name(store: Store) -> None:
    fields = fields_of(replace(body_of(AccountBody, ALICE), name="Alice Miller"))
    alice = Resource(kind=Kind.ACCOUNT, name=ALICE.name, fields=fields)
    await apply(store, created(alice))
    assert await store.accounts.is_name_of_one("Alice Miller")
    assert not await store.accounts.is_name_of_one("Alice")
    assert not await store.accounts.is_name_of_one("Bob Miller")
    await apply(store, destroyed(alice))
    assert not await store.accounts.is_name_of_one("Alice Miller")


async def test_a_domain_is_found_and_forgotten(store: Store) -> None:
    body = DomainBody(
        catch_all="alice@example.com", subaddress_separators="+", alias_of=None, dkim_algorithms=("rsa2048",)
    )
    domain = Resource(kind=Kind.DOMAIN, name="example.com", fields=fields_of(body))
    await apply(store, created(domain))
    assert await store.accounts.domain("example.com") == Domain(
        name="example.com", catch_all="alice@example.com", subaddress_separators="+", alias_of=None
    )
    await apply(store, updated(domain))
    await apply(store, destroyed(domain))
    assert await store.accounts.domain("example.com") is None


async def test_the_quotas_of_many_accounts_are_told_together(store: Store) -> None:
    bob = account_resource("bob@example.com")
    await apply(store, created(ALICE, password="$argon2id$x"), created(bob, password="$argon2id$x"))
    ids = [(await account_of(store, login)).account_id for login in ("alice@example.com", "bob@example.com")]
    assert await store.accounts.quotas([*ids, AccountId("0123456789abcdef")]) == {ids[0]: 1_000, ids[1]: None}
    assert await store.accounts.quotas([]) == {}
