"""What the cross-checks look at: names, addresses and references, read leniently from the raw values.

Lenient because all faults are shown at once: whatever has the wrong shape is passed over here, and reported by the
models. Each thing keeps the path under which the file has it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mailstack.model.principal import Ability
from mailstack.spec.faults import Path
from mailstack.spec.values import parse_address_key, parse_domain
from mailstack.spec.yaml_values import Value

NOTHING: Mapping[str, Value] = {}


class Named(NamedTuple):
    """A name or address, normalised, and where it stands. A tuple, as Claim: there are tens of thousands of them."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEntry:
    name: str
    path: Path
    alias_of: Named | None
    catch_all: Named | None
    reports_to: tuple[Named, ...]
    spf_includes: tuple[Named, ...]
    separators: str


class Claim(NamedTuple):
    """An address that something of the spec owns. holder: the account or alias, for people to read; login: of the
    account, "" for an alias; is_deaf: it takes no mail."""

    address: str
    path: Path
    holder: str
    login: str = ""
    is_deaf: bool = False


class ForwardEntry(NamedTuple):
    """login: of the account, and where it stands. path: of its forward."""

    login: Named
    path: Path
    targets: tuple[Named, ...]
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    name: Named
    members: tuple[Named, ...]
    owners: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """domains and aliases may hold the same name twice; that is one of the faults."""

    domains: tuple[DomainEntry, ...]
    logins: tuple[str, ...]
    claims: tuple[Claim, ...]
    aliases: tuple[tuple[Named, tuple[Named, ...]], ...]
    lists: tuple["ListEntry", ...]
    forwards: tuple[ForwardEntry, ...]


def outline(values: Mapping[str, Value]) -> Outline:
    accounts = tuple(_entries(values, "accounts", parse_address_key))
    aliases = tuple(
        (alias, tuple(_addresses(targets, alias.path)))
        for alias, targets in _entries(values, "aliases", parse_address_key)
    )
    lists = tuple(_list(named, value) for named, value in _entries(values, "lists", parse_address_key))
    claims = [
        *(Claim(address=alias.name, path=alias.path, holder=f"alias {alias.name}") for alias, _ in aliases),
        *(Claim(address=each.name.name, path=each.name.path, holder=f"list {each.name.name}") for each in lists),
    ]
    return Outline(
        domains=tuple(_domain(named, value) for named, value in _entries(values, "domains", parse_domain)),
        logins=tuple(login.name for login, _ in accounts),
        claims=(*_account_claims(accounts, section(values, "defaults", "account").get("can")), *claims),
        aliases=aliases,
        lists=lists,
        forwards=tuple(_forwards(accounts)),
    )


def mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else NOTHING


def section(values: Mapping[str, Value], *path: str) -> Mapping[str, Value]:
    """The mapping at a path; empty where there is none."""
    found = values
    for key in path:
        found = mapping(found.get(key))
    return found


def items(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def parsed(value: Value, path: Path, parse: Callable[[str], str]) -> Named | None:
    try:
        return Named(parse(value), path) if isinstance(value, str) else None
    except ValueError:
        return None


def _entries(values: Mapping[str, Value], name: str, parse: Callable[[str], str]) -> Iterator[tuple[Named, Value]]:
    for key, value in section(values, name).items():
        named = parsed(key, (name, key), parse)
        if named:
            yield named, value


def _list(named: Named, value: Value) -> ListEntry:
    fields = mapping(value)
    return ListEntry(
        name=named,
        members=tuple(_addresses(fields.get("members"), (*named.path, "members"))),
        owners=tuple(_addresses(fields.get("owners"), (*named.path, "owners"))),
    )


def _addresses(value: Value, path: Path) -> Iterator[Named]:
    """Of one text, or of a list."""
    if isinstance(value, str):
        found = parsed(value, path, parse_address_key)
        if found:
            yield found
    for index, item in enumerate(items(value)):
        found = parsed(item, (*path, index), parse_address_key)
        if found:
            yield found


def _account_claims(accounts: Iterable[tuple[Named, Value]], default_can: Value) -> Iterator[Claim]:
    for login, value in accounts:
        fields, holder = mapping(value), f"account {login.name}"
        can = fields.get("can", default_can)
        is_deaf = isinstance(can, tuple) and Ability.RECEIVE not in can
        yield Claim(login.name, login.path, holder, login.name, is_deaf)
        if further := fields.get("addresses"):
            for name, path in _addresses(further, (*login.path, "addresses")):
                yield Claim(name, path, holder, login.name, is_deaf)


def _forwards(accounts: Iterable[tuple[Named, Value]]) -> Iterator[ForwardEntry]:
    for login, value in accounts:
        forward = mapping(value).get("forward")
        if forward is None:
            continue
        path = (*login.path, "forward")
        if isinstance(forward, dict):
            targets = tuple(_addresses(forward.get("to"), (*path, "to")))
        else:
            targets = tuple(_addresses(forward, path))
        yield ForwardEntry(login, path, targets, mapping(forward).get("keep") is not False)


def _domain(named: Named, value: Value) -> DomainEntry:
    fields = mapping(value)
    separators = fields.get("subaddress_separators", "+")
    reports = (
        parsed(section(fields, part).get("reports_to"), (*named.path, part, "reports_to"), parse_address_key)
        for part in ("dmarc", "tls_rpt")
    )
    spf_path = (*named.path, "spf", "include")
    includes = (
        parsed(item, (*spf_path, index), parse_domain)
        for index, item in enumerate(items(section(fields, "spf").get("include")))
    )
    return DomainEntry(
        name=named.name,
        path=named.path,
        alias_of=parsed(fields.get("alias_of"), (*named.path, "alias_of"), parse_domain),
        catch_all=parsed(fields.get("catch_all"), (*named.path, "catch_all"), parse_address_key),
        reports_to=tuple(report for report in reports if report),
        spf_includes=tuple(include for include in includes if include),
        separators=separators if isinstance(separators, str) else "",
    )
