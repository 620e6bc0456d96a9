"""What `mailstack status` and `tls list` say of certificates: whose, for which names, how long, and what went wrong."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstack.model.instant import Instant
    from mailstack.model.issuance import IssuanceFailure
    from mailstack.model.resource import Resource
    from mailstack.ports.store import Store

NAMED = 5
"""More certificates than these are counted, but for those that somebody must look at."""
FEW_DAYS = 14


async def certificate_facts(store: "Store", now: "Instant") -> list[dict[str, object]]:
    from mailstack.model.resource import Kind

    snapshot = await store.state.snapshot((Kind.CERTIFICATE,))
    failures = await store.issuance.failures()
    return [_facts(resource, failures, now) for resource in snapshot.resources.values()]


def certificate_lines(found: object) -> Iterator[str]:
    certificates = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    shown = certificates if len(certificates) <= NAMED else [one for one in certificates if _needs_somebody(one)]
    for one in shown:
        left = "cannot be read" if one["days_left"] is None else f"{one['days_left']} days left"
        failure = one["failure"]
        trouble = f"; not renewed: {failure['reason']}" if isinstance(failure, Mapping) else ""
        yield f"{one['name']}: {one['issuer']}, {left}{trouble}"
    if len(shown) < len(certificates):
        yield f"{len(certificates) - len(shown)} more, all good"


def _needs_somebody(one: Mapping[str, object]) -> bool:
    days_left = one["days_left"]
    return one["failure"] is not None or not isinstance(days_left, int) or days_left < FEW_DAYS


def _facts(resource: "Resource", failures: "Mapping[str, IssuanceFailure]", now: "Instant") -> dict[str, object]:
    from mailstack.model.instant import iso
    from mailstack.reconcile.providers.acme import days_left, lifetime_in, renewed_at

    lifetime = lifetime_in(resource)
    failure = failures.get(resource.name)
    told = failure and {
        "reason": failure.reason,
        "tries": failure.tries,
        "retry_at": iso(failure.retry_at),
    }
    return {
        "name": resource.name,
        "names": resource.fields["names"],
        "issuer": resource.fields["issuer"],
        "not_after": resource.fields["not_after"],
        "days_left": None if lifetime is None else days_left(lifetime, now),
        "renew_at": None if (moment := renewed_at(resource)) is None else iso(moment),
        "failure": told,
    }
