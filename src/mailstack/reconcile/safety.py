"""What a reader must not overlook in a plan: who gets no mail any more, who cannot log in, whose mailbox is full.

What stops an apply is in reconcile.brake.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence

from mailstack.model.principal import Role
from mailstack.model.resource import Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Mark, PlanWarning
from mailstack.spec.model import Spec

SMTP_PORT = "25"
NAMED = 5
"""More than these are counted instead of named."""


def cautions(steps: Sequence[Step], live: Snapshot) -> tuple[PlanWarning, ...]:
    return (*_losses(steps, live), *_locked_out(steps))


def destroyed(steps: Sequence[Step], kind: Kind) -> list[str]:
    found = (step for step in steps if step.change.operation is Operation.DESTROY)
    return sorted(step.change.name for step in found if step.wanted.resource.kind is kind)


async def over_quota(
    steps: Sequence[Step], held_bytes: Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
) -> tuple[PlanWarning, ...]:
    """Accounts whose new quota is less than what they hold. held_bytes: asked only about accounts with a new quota."""
    quotas = dict(_new_quotas(steps))
    held = await held_bytes(sorted(quotas)) if quotas else {}
    return tuple(
        PlanWarning(
            subject=f"account {quotas[login].name}",
            text=f"holds {held[login]} bytes, more than its quota of {quotas[login].fields['quota_bytes']}:"
            " new mail is refused until some is deleted",
        )
        for login in sorted(held)
        if held[login] > _number(quotas[login].fields.get("quota_bytes"))
    )


def last_admins(steps: Sequence[Step], live: Snapshot) -> list[str]:
    """Those who are administrators now, if nobody is one after the steps."""
    if not any(_may_lose(step) for step in steps):
        return []
    before = {name for (kind, name), resource in live.resources.items() if kind is Kind.ACCOUNT and _is_admin(resource)}
    after = set(before)
    for step in steps:
        resource = step.wanted.resource
        if resource.kind is Kind.ACCOUNT:
            stays = step.change.operation is not Operation.DESTROY and _is_admin(resource)
            after -= {resource.name, step.change.moved_from}
            after |= {resource.name} if stays else set()
    return [] if after else sorted(before)


def unreachable(spec: Spec) -> tuple[PlanWarning, ...]:
    """What can be known without asking strangers."""
    ports = {endpoint.rpartition(":")[2] for endpoint in spec.server.listeners.smtp}
    if SMTP_PORT in ports:
        return ()
    where = f"port {', '.join(sorted(ports))} instead" if ports else "no port at all"
    # RFC 5321 §4.5.4.2: other servers connect to port 25 of what the MX record names, and to no other.
    text = f"listens on {where}: no other server delivers mail here, unless something passes port 25 on"
    return (PlanWarning(subject="listener smtp", text=text),)


def _new_quotas(steps: Sequence[Step]) -> Iterator[tuple[str, Resource]]:
    """By the name that the account has now."""
    for step in steps:
        change, resource = step.change, step.wanted.resource
        is_there = change.operation in (Operation.UPDATE, Operation.MOVE) and resource.kind is Kind.ACCOUNT
        is_new = any(item.name == "quota_bytes" and item.new is not None for item in change.fields)
        if is_there and is_new:
            yield change.moved_from or change.name, resource


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def named(kind: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{kind} {names[0]}"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{kind}s {', '.join(names[:NAMED])}{more}"


def _losses(steps: Sequence[Step], live: Snapshot) -> Iterator[PlanWarning]:
    accounts, domains = (destroyed(steps, kind) for kind in (Kind.ACCOUNT, Kind.DOMAIN))
    if accounts:
        takers = _Takers(steps, live)
        fates = {login: takers.fate_of_mail(login) for login in accounts}
        for fate in dict.fromkeys(fates.values()):
            text = (
                f"will be gone: nobody can log in any more, new mail {fate};"
                " mail that was there is kept for 30 days (mailstack restore)"
            )
            names = [login for login in accounts if fates[login] == fate]
            yield PlanWarning(subject=named("account", names), text=text)
    if domains:
        yield PlanWarning(subject=named("domain", domains), text="will be gone: mail to it is refused")


def untold(resources: Collection[tuple[Kind, str]]) -> Iterator[PlanWarning]:
    """Whose passwords were given and are not compared with those in use."""
    by_kind = {
        kind: [name for found, name in resources if found is kind] for kind in (Kind.ACCOUNT, Kind.RELAY, Kind.SPAM)
    }
    for kind, names in by_kind.items():
        if names:
            text = "(secret, may change): whoever may only plan is not told whether a password is the one in use"
            yield PlanWarning(subject=named(kind.value, sorted(names)), text=text)


class _Takers:
    """Who gets mail once the steps are done."""

    def __init__(self, steps: Sequence[Step], live: Snapshot) -> None:
        after = dict(live.resources)
        for step in steps:
            key = (step.wanted.resource.kind, step.wanted.resource.name)
            if step.change.operation is Operation.DESTROY:
                del after[key]
            else:
                after.pop((step.wanted.resource.kind, step.change.moved_from), None)
                after[key] = step.wanted.resource
        self._owned: set[str] = set()
        self._catch_alls: dict[str, object] = {}
        for (kind, name), resource in after.items():
            if kind in (Kind.ACCOUNT, Kind.ALIAS, Kind.LIST):
                self._owned.add(name)
            if kind is Kind.ACCOUNT:
                further = resource.fields.get("addresses")
                self._owned.update(str(address) for address in (further if isinstance(further, list) else ()))
            elif kind is Kind.DOMAIN:
                self._catch_alls[name] = resource.fields.get("catch_all")

    def fate_of_mail(self, login: str) -> str:
        catch_all = self._catch_alls.get(login.rpartition("@")[2])
        if login in self._owned:
            return "goes to those who have the address from then on"
        return "goes to the domain's catch_all" if catch_all else "is refused"


def _locked_out(steps: Sequence[Step]) -> Iterator[PlanWarning]:
    names = [step.change.name for step in steps if step.wanted.resource.kind is Kind.ACCOUNT and _loses_password(step)]
    if names:
        yield PlanWarning(subject=named("account", sorted(names)), text="loses its password: nobody can log in")


def _loses_password(step: Step) -> bool:
    return any(item.name == "password" and item.mark is Mark.SECRET_REMOVED for item in step.change.fields)


def _may_lose(step: Step) -> bool:
    return step.wanted.resource.kind is Kind.ACCOUNT and step.change.operation is not Operation.CREATE


def _is_admin(resource: Resource) -> bool:
    roles = resource.fields.get("roles")
    return isinstance(roles, list) and Role.ADMIN.value in roles
