"""What exists on the server and is in no spec, as entries of one: accounts, aliases, lists, and the domains they
need. Pure.

Not DNS records (dns.adoption), and no secret: a password is a reference to a file, which the caller writes, and so is
a script.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from mailstack.model.principal import Ability
from mailstack.model.resource import (
    AccountBody,
    AliasBody,
    DomainBody,
    Kind,
    ListBody,
    Resource,
    ScriptBody,
    Snapshot,
    SpamPolicyBody,
    body_of,
    fields_of,
    limits_of,
)
from mailstack.spec.insertion import Entry
from mailstack.spec.model import Spec
from mailstack.spec.sections.lists import MailingList
from mailstack.spec.values import size_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """sections: of the spec, with the new entries. with_password: accounts whose password was the spec's; those of
    users stay theirs, and the spec does not speak of them. scripts: of such accounts, that were the spec's."""

    sections: Mapping[str, Mapping[str, Entry]]
    with_password: tuple[Resource, ...]
    scripts: tuple[Resource, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for entries in self.sections.values() for name in entries)


def adoption_of(spec: Spec, live: Snapshot, only: Collection[str] = ()) -> Adoption:
    """only: accounts, aliases and lists by name; none named: all that the spec does not have."""
    moving = {moved.from_ for moved in spec.moved}
    accounts = {
        resource.name: resource
        for resource in _of(live, Kind.ACCOUNT, only)
        if resource.name not in spec.accounts and not _moves(resource.name, moving)
    }
    aliases = {item.name: item for item in _of(live, Kind.ALIAS, only) if item.name not in spec.aliases}
    lists = {item.name: item for item in _of(live, Kind.LIST, only) if item.name not in spec.lists}
    scripts = tuple(item for item in _of(live, Kind.SCRIPT, ()) if item.name in accounts)
    with_script = {item.name for item in scripts}
    further = (address for item in accounts.values() for address in body_of(AccountBody, item).addresses)
    domains = dict(_missing_domains(spec, live, (*accounts, *further, *aliases, *lists)))
    return Adoption(
        sections={
            "domains": domains,
            "accounts": {
                name: {**_account(spec, resource), **(_script(name) if name in with_script else {})}
                for name, resource in accounts.items()
            },
            "aliases": {name: [*body_of(AliasBody, item).targets] for name, item in aliases.items()},
            "lists": {name: _list(item) for name, item in lists.items()},
        },
        with_password=tuple(item for item in accounts.values() if _is_specs_password(item)),
        scripts=scripts,
    )


def password_file(login: str) -> str:
    """Relative to the spec; one file for each account, whatever its address is made of."""
    return f"secrets/{_as_name(login)}.hash"


def script_file(login: str) -> str:
    """As password_file."""
    return f"sieve/{_as_name(login).lstrip('.')}.sieve"


def as_file(script: Resource) -> Resource:
    """One that rules made is a file from now on."""
    body = body_of(ScriptBody, script)
    return replace(script, fields=fields_of(replace(body, origin="file")))


def _as_name(login: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "@.-_+" else "_" for letter in login)


def _script(login: str) -> dict[str, Entry]:
    return {"sieve": {"file": script_file(login)}}


def _of(live: Snapshot, kind: Kind, only: Collection[str]) -> Iterator[Resource]:
    for (found, name), resource in sorted(live.resources.items()):
        if found is kind and (not only or name in only):
            yield resource


def _moves(login: str, moving: Collection[str]) -> bool:
    return login in moving or login.rpartition("@")[2] in moving


def _missing_domains(spec: Spec, live: Snapshot, addresses: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Entry]]]:
    for name in dict.fromkeys(address.rpartition("@")[2] for address in addresses):
        resource = live.resources.get((Kind.DOMAIN, name))
        if name not in spec.domains and resource is not None:
            body = body_of(DomainBody, resource)
            entry: dict[str, Entry] = {"dkim": {"algorithms": [*body.dkim_algorithms]}}
            if body.catch_all:
                entry["catch_all"] = body.catch_all
            if body.mta_sts:
                entry["mta_sts"] = {"mode": body.mta_sts.mode, "max_age": f"{body.mta_sts.max_age_s}s"}
            if body.spam:
                entry["spam"] = _spam(body.spam)
            yield name, {**entry, "subaddress_separators": body.subaddress_separators}


def _account(spec: Spec, resource: Resource) -> Mapping[str, Entry]:
    body, defaults = body_of(AccountBody, resource), spec.defaults.account
    entry: dict[str, Entry] = {}
    if body.name:
        entry["name"] = body.name
    if _is_specs_password(resource):
        entry["password"] = f"file/{password_file(resource.name)}"
    if body.roles:
        entry["roles"] = [*body.roles]
    if body.quota_bytes != defaults.quota:
        entry["quota"] = None if body.quota_bytes is None else size_text(body.quota_bytes)
    if body.addresses:
        entry["addresses"] = [*body.addresses]
    if set(body.abilities) != {ability.value for ability in defaults.can}:
        entry["can"] = [ability.value for ability in Ability if ability.value in body.abilities]
    if body.forward is not None:
        entry["forward"] = {"to": [*body.forward.targets], "keep": body.forward.keep}
    usual = defaults.limits.model_dump()
    limits = {name: limit for name, limit in asdict(limits_of(body)).items() if limit != usual[name]}
    if limits:
        entry["limits"] = limits
    if body.spam is not None:
        entry["spam"] = _spam(body.spam)
    return entry


def _spam(body: SpamPolicyBody) -> Entry:
    entry: dict[str, Entry] = {"junk_at": body.junk_at, "reject_at": body.reject_at}
    if body.allow:
        entry["allow"] = [*body.allow]
    if body.block:
        entry["block"] = [*body.block]
    return entry if body.is_scored else "off"


def _list(resource: Resource) -> Mapping[str, Entry]:
    """What is as it is by default is left out."""
    body = body_of(ListBody, resource)
    entry: dict[str, Entry] = {"members": [*body.members]}
    said: dict[str, Entry] = {
        "name": body.name,
        "description": body.description,
        "owners": [*body.owners],
        "post": [*body.posters] or body.post,
        "subject_prefix": body.subject_prefix,
        "reply_to": body.reply_to,
        "unsubscribe": body.unsubscribe,
    }
    usual = MailingList(members=body.members).model_dump()
    return entry | {key: value for key, value in said.items() if value != usual[key] and value != []}


def _is_specs_password(resource: Resource) -> bool:
    return "password" in resource.digests and "password" not in resource.by_user
