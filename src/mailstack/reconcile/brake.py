"""The brakes: what an apply does only where somebody said that it is meant.

An account or a domain that holds mail goes only by name. The last administrator stays, and so do more than 30 % of ten
or more of a kind and DNS values of another hand, until they are released. Not what becomes of destroyed mail (the store
keeps it in its trash). Who holds mail is asked of the store, by a port.
"""

import shlex
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mailstack.model.address import domain_key, parse_address
from mailstack.model.errors import Forbidden, Invalid
from mailstack.model.resource import Kind, Operation, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.plan import BrakeName, Change, Plan, Stop
from mailstack.reconcile.safety import destroyed, last_admins

NAMED = 20
"""More than these are counted instead of named."""
MANY = 10
"""Of fewer than these, each may go without a word."""
SHARE_PERCENT = 30
COUNTED = (Kind.DOMAIN, Kind.ACCOUNT, Kind.ALIAS, Kind.LIST, Kind.RELAY, Kind.DNS_ZONE)
"""What a spec declares by name. Keys and certificates follow what they belong to, and are not counted once more."""

MailHolders = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
"""Of these accounts, by login, those that have any message, and how many bytes."""


class ZoneChanges(Protocol):
    """What a brake looks at in a zone's plan. owned: record sets there that are ours before it is carried out. losing:
    values in them that somebody else wrote, and that would go."""

    @property
    def zone(self) -> str: ...

    @property
    def changes(self) -> Sequence[Change]: ...

    @property
    def owned(self) -> int: ...

    @property
    def losing(self) -> Sequence[RecordSet]: ...


async def nobody(_logins: Sequence[str]) -> Mapping[str, int]:
    """For a server whose mail nobody will miss: the sandbox."""
    return {}


def allowed_name(text: str) -> str:
    """An account's or a domain's name as resources have it. Raises Invalid."""
    return parse_address(text).key if "@" in text else domain_key(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What somebody has said is meant. destroy: names of accounts and domains that may go with all their mail;
    every_destroy: any may."""

    destroy: Collection[str] = ()
    every_destroy: bool = False
    last_admin: bool = False
    many: bool = False
    foreign: bool = False


NOTHING_ALLOWED = Allowed()
EVERYTHING_ALLOWED = Allowed(every_destroy=True, last_admin=True, many=True, foreign=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be judged. leaving: zones that leave the spec, whose records go with them."""

    steps: Sequence[Step]
    live: Snapshot
    zones: Sequence[ZoneChanges] = ()
    leaving: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    holders: MailHolders
    allowed: Allowed = NOTHING_ALLOWED

    def releasing(self, word: bool | Sequence[str]) -> "Brake":
        """With what the spec allows to be destroyed, besides what the caller does: all, nothing, or these names."""
        allowed = self.allowed
        names = () if isinstance(word, bool) else word
        return replace(
            self,
            allowed=replace(
                allowed,
                destroy=(*allowed.destroy, *names),
                every_destroy=allowed.every_destroy or word is True,
            ),
        )

    async def stops(self, planned: Planned) -> tuple[Stop, ...]:
        return (
            *await self._mail(planned.steps),
            *([] if self.allowed.last_admin else _last_admin(planned)),
            *([] if self.allowed.many else _shares(planned)),
            *([] if self.allowed.foreign else _foreign(planned)),
        )

    async def _mail(self, steps: Sequence[Step]) -> list[Stop]:
        """The names without whose permission nothing may be done; a domain that goes stands for its accounts."""
        if self.allowed.every_destroy:
            return []
        going = frozenset(destroyed(steps, Kind.DOMAIN))
        names = {login: _asked_for(login, going) for login in destroyed(steps, Kind.ACCOUNT)}
        asked = [login for login, name in names.items() if name not in self.allowed.destroy]
        holders = await self.holders(asked) if asked else {}
        return [_mail_stop(name) for name in sorted({names[login] for login in holders})]


def refuse(stops: Sequence[Stop], spec_arguments: str) -> None:
    """Raises Forbidden, with the command that would go through."""
    if stops:
        reasons = "; ".join(reasons_of(stops))
        raise Forbidden(f"nothing was changed: {reasons}; if that is meant: {going_on(stops, spec_arguments)}")


def refuse_unknown(names: Collection[str], plan: Plan, declared: Collection[str]) -> None:
    """Raises Invalid for a name that may be destroyed and is not going to be: it is mistyped, or still in the spec.

    declared: accounts and domains of the spec. Of a plan that destroys none, a name that is nowhere is gone already.
    """
    going = (*plan.destroyed(Kind.DOMAIN), *plan.destroyed(Kind.ACCOUNT))
    strange = [name for name in names if name not in going and (going or name in declared)]
    if not strange:
        return
    found = f"it would destroy {', '.join(going[:NAMED])}{_more(len(going))}" if going else "it would destroy none"
    still = "; the spec still has it" if strange[0] in declared else ""
    raise Invalid(
        f"--allow-destroy {strange[0]}: the plan destroys no account and no domain of that name{still} ({found});"
        " nothing was changed"
    )


def reasons_of(stops: Sequence[Stop]) -> Iterator[str]:
    """One for each brake that holds."""
    mail = [stop.subject for stop in stops if stop.brake is BrakeName.MAIL]
    if mail:
        them = "it" if len(mail) == 1 else "them"
        yield f"this would destroy {', '.join(mail[:NAMED])}{_more(len(mail))}, with the mail in {them}"
    yield from (f"{stop.subject} {stop.text}" for stop in stops if stop.brake is not BrakeName.MAIL)


def going_on(stops: Sequence[Stop], spec_arguments: str) -> str:
    """The command that applies the plan all the same. spec_arguments: as a plan has them."""
    mail = [stop.release for stop in stops if stop.brake is BrakeName.MAIL]
    others = [stop.release for stop in stops if stop.brake is not BrakeName.MAIL]
    options = " ".join(dict.fromkeys((*mail[:NAMED], *others)))
    return f"mailstack apply {options}{_more(len(mail))} {spec_arguments}"


def _mail_stop(name: str) -> Stop:
    return Stop(
        brake=BrakeName.MAIL,
        subject=name,
        text="would be destroyed, and holds mail",
        release=f"--allow-destroy {shlex.quote(name)}",
    )


def _asked_for(login: str, going: Collection[str]) -> str:
    domain = login.rpartition("@")[2]
    return domain if domain in going else login


def _last_admin(planned: Planned) -> Iterator[Stop]:
    names = last_admins(planned.steps, planned.live)
    if names:
        subject = f"account {names[0]}" if len(names) == 1 else f"accounts {', '.join(names[:NAMED])}"
        last = "is the last administrator" if len(names) == 1 else "are the last administrators"
        text = f"{last}; none would be left"
        yield Stop(brake=BrakeName.LAST_ADMIN, subject=subject, text=text, release="--allow-last-admin")


def _shares(planned: Planned) -> Iterator[Stop]:
    counted = Counter(kind for kind, _ in planned.live.resources)
    gone = Counter(step.wanted.resource.kind for step in planned.steps if step.change.operation is Operation.DESTROY)
    for kind in COUNTED:
        if _is_many(gone[kind], counted[kind]):
            yield _share_stop(f"{gone[kind]} of {counted[kind]} {_PLURALS[kind]}")
    domains = frozenset(destroyed(planned.steps, Kind.DOMAIN))
    for zone in planned.zones:
        removed = 0 if zone.zone in planned.leaving else sum(_is_removed(change, domains) for change in zone.changes)
        if _is_many(removed, zone.owned):
            yield _share_stop(f"{removed} of mailstack's {zone.owned} record sets in zone {zone.zone}")


def _foreign(planned: Planned) -> Iterator[Stop]:
    for record in (record for zone in planned.zones for record in zone.losing):
        yield Stop(
            brake=BrakeName.FOREIGN,
            subject=f"dns_record {record.name} {record.type}",
            text=f"would lose {', '.join(record.values)}, which mailstack did not write",
            release="--allow-foreign",
        )


_PLURALS = {
    Kind.DOMAIN: "domains",
    Kind.ACCOUNT: "accounts",
    Kind.ALIAS: "aliases",
    Kind.LIST: "lists",
    Kind.RELAY: "relays",
    Kind.DNS_ZONE: "DNS zones",
}


def _share_stop(subject: str) -> Stop:
    text = f"would be destroyed: more than {SHARE_PERCENT} %"
    return Stop(brake=BrakeName.SHARE, subject=subject, text=text, release="--allow-many")


def _is_many(gone: int, of: int) -> bool:
    return of >= MANY and gone * 100 > of * SHARE_PERCENT


def _is_removed(change: Change, domains: Collection[str]) -> bool:
    """A record that goes although its domain stays."""
    if change.operation is not Operation.DESTROY:
        return False
    name = change.name.partition(" ")[0]
    return not any(name == domain or name.endswith(f".{domain}") for domain in domains)


def _more(count: int) -> str:
    return f" … and {count - NAMED} more" if count > NAMED else ""
