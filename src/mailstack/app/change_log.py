"""What the log says of an apply: what was done to what, and what became of the certificates that were ordered."""

from collections.abc import Iterable, Mapping

import structlog

from mailstack.model.instant import as_datetime
from mailstack.model.resource import Operation
from mailstack.reconcile.plan import Change
from mailstack.reconcile.progress import (
    CertificateIssued,
    CertificateNotIssued,
    ContactNotTold,
    ContactTold,
    Event,
    OrderBegun,
    OrderElsewhere,
    TurnAwaited,
)

log = structlog.get_logger()

DONE = {
    Operation.CREATE: "created",
    Operation.UPDATE: "updated",
    Operation.MOVE: "moved",
    Operation.DESTROY: "destroyed",
}
TO_DO = {operation: f"to_{operation.value}" for operation in Operation}
NAMED = 20


def named_changes(changes: Iterable[Change], words: Mapping[Operation, str] = DONE) -> dict[str, list[str]]:
    """Names by word: the log is the record of who was made and who went."""
    named: dict[str, list[str]] = {}
    for change in changes:
        named.setdefault(words[change.operation], []).append(f"{change.kind} {change.name}")
    return {word: _cut(named[word]) for word in words.values() if word in named}


def log_orders(event: Event) -> None:
    match event:
        case OrderBegun(name=name, authority=authority):
            log.info("certificate ordered", name=name, authority=authority)
        case OrderElsewhere(name=name):
            log.info("certificate is ordered by another process", name=name)
        case TurnAwaited(holder=holder):
            log.info("an order waits for another apply", holder=holder)
        case ContactTold(authority=authority, email=email):
            log.info("the authority knows the new contact", authority=authority, email=email)
        case ContactNotTold(authority=authority, reason=reason, retry_at=retry_at):
            again = as_datetime(retry_at).isoformat()
            log.error("the authority does not know the new contact", authority=authority, reason=reason, retry_at=again)
        case CertificateIssued(name=name, not_after=not_after):
            log.info("certificate issued", name=name, not_after=not_after)
        case CertificateNotIssued(name=name, reason=reason, retry_at=retry_at):
            log.error("certificate not issued", name=name, reason=reason, retry_at=as_datetime(retry_at).isoformat())
        case _:
            pass


def _cut(names: list[str]) -> list[str]:
    return names[:NAMED] + ([f"and {len(names) - NAMED} more"] if len(names) > NAMED else [])
