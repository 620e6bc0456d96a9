"""What was written to DNS: the record sets that an apply asked of a zone, as they were meant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PublishedSet:
    """name: fully qualified, without the closing dot. values: as reconcile.dns.records has them, sorted."""

    name: str
    type: str
    ttl_s: int
    values: tuple[str, ...]
