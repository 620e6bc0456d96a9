"""What apply reads and writes, in memory, and the directory that follows from it."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Clock, Instant
from mailstack.model.principal import Ability, Account, AliasTargets, Domain, Forward, MailingList, Role
from mailstack.model.published import PublishedSet
from mailstack.model.resource import (
    AccountBody,
    AliasBody,
    DomainBody,
    Json,
    Kind,
    ListBody,
    Operation,
    Resource,
    ResourceChange,
    ScriptBody,
    Snapshot,
    Summary,
    body_of,
    limits_of,
    list_of,
    spam_policy_of,
)
from mailstack.ports.bus import GENERATION_TOPIC, Bus
from mailstack.store.memory.accounts import MemoryAccounts

Key = tuple[Kind, str]
DIGEST_KEY = b"k" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One generation; the next is made from a copy, so that a commit that fails has changed nothing."""

    resources: dict[Key, Resource] = field(default_factory=dict)
    secrets: dict[Key, dict[str, str]] = field(default_factory=dict)
    account_ids: dict[str, AccountId] = field(default_factory=dict)


class MemoryState:
    """Works as ports.state.State. writes: commits that wrote something."""

    def __init__(
        self,
        *,
        clock: Clock,
        bus: Bus,
        accounts: MemoryAccounts | None = None,
        digest_key: bytes = DIGEST_KEY,
    ) -> None:
        self.writes = 0
        self._clock = clock
        self._bus = bus
        self._accounts = MemoryAccounts() if accounts is None else accounts
        self._digest_key = digest_key
        self._held = _Held()
        self._generation = Generation(0)
        self._spec_hash = ""
        self._applied_at: Instant | None = None
        self._last_account = 0
        self._published: dict[str, tuple[PublishedSet, ...]] = {}

    async def snapshot(self, kinds: Collection[Kind] | None = None) -> Snapshot:
        wanted = set(Kind) if kinds is None else set(kinds)
        return Snapshot(
            generation=self._generation,
            spec_hash=self._spec_hash,
            resources={key: resource for key, resource in self._held.resources.items() if key[0] in wanted},
            applied_at=self._applied_at,
        )

    async def resources(self, kind: Kind, names: Collection[str]) -> Mapping[str, Resource]:
        found = self._held.resources
        return {name: found[kind, name] for name in names if (kind, name) in found}

    async def people(self) -> Sequence[tuple[str, str]]:
        accounts = (found for (kind, _), found in self._held.resources.items() if kind is Kind.ACCOUNT)
        return sorted((found.name, str(found.fields["name"])) for found in accounts)

    async def generation(self) -> Generation:
        return self._generation

    async def summary(self) -> Summary:
        return Summary(
            generation=self._generation,
            spec_hash=self._spec_hash,
            applied_at=self._applied_at,
            counts=Counter(kind for kind, _ in self._held.resources),
        )

    async def administrator(self) -> str | None:
        accounts = (
            (name, found.fields) for (kind, name), found in self._held.resources.items() if kind is Kind.ACCOUNT
        )
        return min((name for name, fields in accounts if _is_administrator(fields)), default=None)

    async def digest_key(self) -> bytes:
        return self._digest_key

    async def secrets(self, kind: Kind) -> Mapping[str, Mapping[str, str]]:
        return {name: dict(found) for (of, name), found in self._held.secrets.items() if of is kind and found}

    async def commit(self, changes: Sequence[ResourceChange], *, base: Generation, spec_hash: str) -> Generation:
        if base != self._generation:
            raise Conflict(f"the state is at generation {self._generation}, not {base}")
        if not changes and spec_hash == self._spec_hash:
            return self._generation
        held = replace(
            self._held,
            resources=dict(self._held.resources),
            secrets=dict(self._held.secrets),
            account_ids=dict(self._held.account_ids),
        )
        for change in changes:
            self._write(held, change)
        self._become(held)
        self.writes += 1
        self._held, self._spec_hash, self._applied_at = held, spec_hash, self._clock()
        self._generation = Generation(self._generation + 1)
        self._bus.publish(GENERATION_TOPIC)
        return self._generation

    async def is_given(self, kind: Kind, name: str, secret: str) -> bool:
        resource = self._held.resources.get((kind, name))
        return resource is not None and secret in resource.digests and secret not in resource.by_user

    async def write_as_user(self, kind: Kind, name: str, secrets: Mapping[str, str]) -> Generation:
        resource = self._held.resources.get((kind, name))
        if resource is None:
            raise NotFound(f"there is no {kind} {name}")
        by_user = {**resource.by_user, **dict.fromkeys(secrets, self._clock())}
        own = {**self._held.secrets.get((kind, name), {}), **secrets}
        self._held = replace(
            self._held,
            resources={**self._held.resources, (kind, name): replace(resource, by_user=by_user)},
            secrets={**self._held.secrets, (kind, name): own},
        )
        self._become(self._held)
        self._generation, self._applied_at = Generation(self._generation + 1), self._clock()
        self._bus.publish(GENERATION_TOPIC)
        return self._generation

    async def published(self) -> Mapping[str, Sequence[PublishedSet]]:
        return dict(self._published)

    async def note_published(self, zone: str, sets: Sequence[PublishedSet]) -> None:
        self._published.pop(zone, None)
        if sets:
            self._published[zone] = tuple(sets)

    def _become(self, held: _Held) -> None:
        self._accounts.become(_accounts(held), _aliases(held), _lists(held), _domains(held), _scripts(held))

    def _write(self, held: _Held, change: ResourceChange) -> None:
        key = (change.resource.kind, change.resource.name)
        is_new = change.operation in (Operation.CREATE, Operation.MOVE)
        if is_new == (key in held.resources):
            raise Conflict(f"{change.operation} of {key[0]} {key[1]}, which is {'' if is_new else 'not '}there")
        if change.operation is Operation.DESTROY:
            for kept in (held.resources, held.secrets):
                kept.pop(key, None)
            held.account_ids.pop(key[1] if key[0] is Kind.ACCOUNT else "", None)
            return
        if change.operation is Operation.MOVE:
            self._move(held, key, (change.resource.kind, change.moved_from))
        elif change.operation is Operation.CREATE and key[0] is Kind.ACCOUNT:
            self._last_account += 1
            held.account_ids[key[1]] = AccountId(f"{self._last_account:016x}")
        old = held.resources.get(key)
        withdrawn = set(old.digests) - set(change.resource.digests) if old is not None else set()
        secrets = {**held.secrets.get(key, {}), **change.secrets}
        held.secrets[key] = {name: value for name, value in secrets.items() if name not in withdrawn}
        by_user = {} if old is None else old.by_user
        left = {name: at for name, at in by_user.items() if name not in withdrawn and name not in change.secrets}
        held.resources[key] = replace(change.resource, by_user=left)

    def _move(self, held: _Held, key: Key, old: Key) -> None:
        if old not in held.resources:
            raise Conflict(f"{old[0]} {old[1]} is not there to be moved")
        held.resources[key] = held.resources.pop(old)
        held.secrets[key] = held.secrets.pop(old, {})
        if key[0] is Kind.ACCOUNT:
            held.account_ids[key[1]] = held.account_ids.pop(old[1])


def _is_administrator(fields: Mapping[str, Json]) -> bool:
    roles, abilities = fields["roles"], fields["abilities"]
    is_admin = isinstance(roles, list) and Role.ADMIN.value in roles
    return is_admin and isinstance(abilities, list) and Ability.RECEIVE.value in abilities


def _accounts(held: _Held) -> Iterator[Account]:
    for (kind, name), resource in held.resources.items():
        if kind is Kind.ACCOUNT:
            body = body_of(AccountBody, resource)
            yield Account(
                account_id=held.account_ids[name],
                login=name,
                name=body.name,
                addresses=body.addresses,
                roles=frozenset(map(Role, body.roles)),
                abilities=frozenset(map(Ability, body.abilities)),
                quota_bytes=body.quota_bytes,
                password_hash=held.secrets.get((kind, name), {}).get("password", ""),
                forward=Forward(targets=body.forward.targets, keep=body.forward.keep) if body.forward else None,
                limits=limits_of(body),
                spam=None if body.spam is None else spam_policy_of(body.spam),
            )


def _aliases(held: _Held) -> dict[str, AliasTargets]:
    return {
        name: AliasTargets(targets=body_of(AliasBody, resource).targets)
        for (kind, name), resource in held.resources.items()
        if kind is Kind.ALIAS
    }


def _lists(held: _Held) -> Iterator[MailingList]:
    for (kind, name), resource in held.resources.items():
        if kind is Kind.LIST:
            yield list_of(name, body_of(ListBody, resource))


def _scripts(held: _Held) -> dict[str, str]:
    return {
        name: body_of(ScriptBody, resource).content
        for (kind, name), resource in held.resources.items()
        if kind is Kind.SCRIPT
    }


def _domains(held: _Held) -> Iterator[Domain]:
    for (kind, name), resource in held.resources.items():
        if kind is Kind.DOMAIN:
            body = body_of(DomainBody, resource)
            yield Domain(
                name=name,
                catch_all=body.catch_all,
                subaddress_separators=body.subaddress_separators,
                alias_of=body.alias_of,
            )
