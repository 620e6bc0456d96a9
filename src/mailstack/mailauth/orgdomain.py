"""The organizational domain of a domain, by the tree walk over DMARC records. RFC 9989 §4.10.

No public suffix list: what is registered where, the owners say themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.mailauth.dmarc.record import DmarcRecord, PublicSuffix, the_record
from mailstack.ports.resolver import Resolver

MAX_QUERIES = 8
"""RFC 9989 §4.10: for each walk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record, and the domain that it is of."""

    domain: str
    record: DmarcRecord


async def record_at(resolver: Resolver, domain: str) -> DmarcRecord | None:
    """Raises TryAgainLater."""
    return the_record(await resolver.texts(f"_dmarc.{domain}"))


async def walk(resolver: Resolver, domain: str) -> tuple[Found, ...]:
    """The records at a domain and above it, the longest name first. domain: A-labels. Raises TryAgainLater."""
    found: list[Found] = []
    for target in targets(domain):
        record = await record_at(resolver, target)
        if record is None:
            continue
        found.append(Found(domain=target, record=record))
        # RFC 9989 §4.10, steps 2 and 6: whoever says what the domain is, ends the walk.
        if record.public_suffix is not PublicSuffix.UNSAID:
            break
    return tuple(found)


def targets(domain: str) -> tuple[str, ...]:
    """RFC 9989 §4.10, steps 3 to 7: the domain itself, then at most its last seven labels, then one less each time."""
    labels = domain.split(".")
    most = min(len(labels) - 1, MAX_QUERIES - 1)
    return (domain, *(".".join(labels[-count:]) for count in range(most, 0, -1)))


def organizational_domain(domain: str, found: Sequence[Found]) -> str:
    """found: what the walk from that domain came upon. RFC 9989 §4.10.2."""
    for item in found:
        if item.record.public_suffix is PublicSuffix.NO:
            return item.domain
        if item.record.public_suffix is PublicSuffix.YES and item.domain != domain:
            labels = domain.split(".")
            return ".".join(labels[-(item.domain.count(".") + 2) :])
    return found[-1].domain if found else domain
