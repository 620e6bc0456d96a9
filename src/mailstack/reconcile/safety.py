"""What a reader must not overlook in a plan: who stops getting mail, and whether an administrator is left. Pure.

What stops an apply is in reconcile.brake.
"""

from collections.abc import Iterator, Sequence

from mailstack.model.principal import Role
from mailstack.model.resource import Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import PlanWarning

NAMED = 5
"""More than these are counted instead of named."""


def cautions(steps: Sequence[Step], live: Snapshot) -> tuple[PlanWarning, ...]:
    return (*_losses(steps), *_last_admin(steps, live))


def destroyed(steps: Sequence[Step], kind: Kind) -> list[str]:
    found = (step for step in steps if step.change.operation is Operation.DESTROY)
    return sorted(step.change.name for step in found if step.wanted.resource.kind is kind)


def _losses(steps: Sequence[Step]) -> Iterator[PlanWarning]:
    accounts, domains = (destroyed(steps, kind) for kind in (Kind.ACCOUNT, Kind.DOMAIN))
    if accounts:
        text = "will be gone: nobody can log in any more, new mail is refused; the mail is kept in the storage's trash"
        yield PlanWarning(subject=_named("account", accounts), text=text)
    if domains:
        yield PlanWarning(subject=_named("domain", domains), text="will be gone: mail to it is refused")


def _last_admin(steps: Sequence[Step], live: Snapshot) -> Iterator[PlanWarning]:
    before = {name for (kind, name), resource in live.resources.items() if kind is Kind.ACCOUNT and _is_admin(resource)}
    after = set(before)
    for step in steps:
        resource = step.wanted.resource
        if resource.kind is Kind.ACCOUNT:
            stays = step.change.operation is not Operation.DESTROY and _is_admin(resource)
            after = after | {resource.name} if stays else after - {resource.name}
    if before and not after:
        yield PlanWarning(subject=_named("account", sorted(before)), text="was the last administrator; none is left")


def _is_admin(resource: Resource) -> bool:
    roles = resource.fields.get("roles")
    return isinstance(roles, list) and Role.ADMIN.value in roles


def _named(kind: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{kind} {names[0]}"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{kind}s {', '.join(names[:NAMED])}{more}"
