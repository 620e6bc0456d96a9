"""In which order an apply does things, and why one waits for another. Pure.

The server's own state is one transaction, so that nobody ever sees it half done; DNS follows it, for records show what
it holds, and a zone that leaves is emptied before the state forgets it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mailstack.model.resource import Json, Kind, Operation, Resource
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Change

Key = tuple[str, str]
"""Kind and name of a change."""

_RANK = {kind: place for place, kind in enumerate(Kind)}


def place_of(step: Step) -> tuple[int, int, str]:
    """What leaves makes room first: an address may pass from one account to another in the same apply."""
    resource, operation = step.wanted.resource, step.change.operation
    rank = _RANK[resource.kind]
    if operation is Operation.DESTROY:
        return (0, -rank, resource.name)
    return (2 if operation is Operation.CREATE else 1, rank, resource.name)


def with_order(
    steps: Sequence[Step], records: Sequence[Change], live: Mapping[tuple[Kind, str], Resource]
) -> tuple[Change, ...]:
    """All changes of a plan, each with those before it that it needs. live: what is there now."""
    there = _There(steps, live)
    state = [replace(step.change, after=there.needed_by(step)) for step in steps]
    zones = [replace(change, after=there.needed_by_record(change)) for change in records]
    return (*state, *zones)


class _There:
    """What a plan brings, and what it takes away."""

    def __init__(self, steps: Sequence[Step], live: Mapping[tuple[Kind, str], Resource]) -> None:
        self._coming = {_key(step) for step in steps if step.change.operation is not Operation.DESTROY}
        new = (Operation.CREATE, Operation.MOVE)
        self._new = {_key(step) for step in steps if step.change.operation in new}
        going = [step for step in steps if step.change.operation is Operation.DESTROY]
        self._going = {_key(step) for step in going}
        self._inside_of: dict[str, list[Key]] = {}
        for key in sorted(self._going):
            self._inside_of.setdefault(_domain_in(key[1]), []).append(key)
        # Who has to let go of an address first, by that address.
        self._leaving_owners = {
            address: _key(step) for step in going for address in _addresses(step.wanted.resource)
        } | {
            address: _key(step)
            for step in steps
            if step.change.operation is Operation.UPDATE
            for address in _given_up(step.wanted.resource, live)
        }

    def needed_by(self, step: Step) -> tuple[str, ...]:
        if step.change.operation is Operation.DESTROY:
            return _titles(self._inside(step.wanted.resource))
        needed = [key for key in _needs(step.wanted.resource) if key in self._new]
        needed += self._given_way(step)
        return _titles(needed)

    def needed_by_record(self, change: Change) -> tuple[str, ...]:
        if change.operation is Operation.DESTROY:
            return ()
        name, _, record_type = change.name.partition(" ")
        needed = [(Kind.DKIM_KEY.value, name), (Kind.DMARC.value, name.removeprefix("_dmarc."))]
        if record_type == "TLSA":
            needed += [key for key in self._coming if key[0] == Kind.CERTIFICATE]
        if record_type == "MX":
            needed += [(Kind.LISTENER.value, "smtp"), (Kind.DOMAIN.value, name)]
        return _titles(key for key in needed if key in self._coming and (key[0] != Kind.DOMAIN or key in self._new))

    def _given_way(self, step: Step) -> Iterator[Key]:
        """Who had an address before. Two that stay and change addresses with each other wait for nobody."""
        for address in _addresses(step.wanted.resource):
            owner = self._leaving_owners.get(address, _key(step))
            if owner != _key(step) and (owner in self._going or step.change.operation is Operation.CREATE):
                yield owner

    def _inside(self, resource: Resource) -> Iterator[Key]:
        """What goes before this goes: of a domain, all that is in it."""
        if resource.kind is Kind.DOMAIN:
            yield from self._inside_of.get(resource.name, ())
        if resource.kind is Kind.RELAY:
            routes = (Kind.ROUTES.value, "routes")
            yield from [routes] if routes in self._going else []


def _domain_in(name: str) -> str:
    """Of an address or a key's record; "" for what is in no domain."""
    return name.rpartition("@")[2] if "@" in name else name.partition("._domainkey.")[2]


def _key(step: Step) -> Key:
    return (step.change.kind, step.change.name)


def _needs(resource: Resource) -> Iterator[Key]:
    fields = resource.fields
    match resource.kind:
        case Kind.ACCOUNT:
            for domain in dict.fromkeys(address.rpartition("@")[2] for address in _addresses(resource)):
                yield (Kind.DOMAIN.value, domain)
        case Kind.SCRIPT:
            yield (Kind.ACCOUNT.value, resource.name)
        case Kind.ALIAS:
            yield (Kind.DOMAIN.value, resource.name.rpartition("@")[2])
            for target in _texts(fields.get("targets")):
                yield (Kind.ACCOUNT.value, target)
        case Kind.LIST:
            yield (Kind.DOMAIN.value, resource.name.rpartition("@")[2])
            for address in (*_texts(fields.get("members")), *_texts(fields.get("owners"))):
                yield (Kind.ACCOUNT.value, address)
                yield (Kind.ALIAS.value, address)
        case Kind.DOMAIN if fields.get("alias_of"):
            yield (Kind.DOMAIN.value, str(fields["alias_of"]))
        case Kind.DKIM_KEY:
            yield (Kind.DOMAIN.value, str(fields.get("domain")))
        case Kind.DMARC:
            yield (Kind.DOMAIN.value, resource.name)
        case Kind.ROUTES:
            routes = fields.get("routes")
            for route in routes if isinstance(routes, list) else []:
                fields = route if isinstance(route, dict) else {}
                yield (Kind.RELAY.value, str(fields.get("via")))
                if isinstance(warm_up := fields.get("warmup"), dict):
                    yield (Kind.RELAY.value, str(warm_up.get("meanwhile")))
        case _:
            pass


def _addresses(resource: Resource) -> tuple[str, ...]:
    if resource.kind is Kind.ACCOUNT:
        return (resource.name, *_texts(resource.fields.get("addresses")))
    return (resource.name,) if resource.kind in (Kind.ALIAS, Kind.LIST) else ()


def _given_up(resource: Resource, live: Mapping[tuple[Kind, str], Resource]) -> Collection[str]:
    before = live.get((resource.kind, resource.name))
    return set(_addresses(before)).difference(_addresses(resource)) if before else ()


def _texts(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _titles(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{kind} {name}" for kind, name in keys))
