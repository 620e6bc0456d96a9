"""Live DNS: what each authoritative server of a zone answers now, and what follows from that. Pure.

Who asks is in authoritative (the real servers) and zone_text (a sandbox's files). What could not be learned is a
value too: a plan is made without DNS as well.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

NOT_ASKED = "nobody was asked"

# RFC 2606 §2, §3 and RFC 6761 §6: kept for tests and documentation, so that nobody's servers hold them.
RESERVED_DOMAINS = frozenset(
    ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org", "home.arpa", "internal")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one server shows of one record set. values: as in RecordSet, and none for a set that is not there. alias:
    what a CNAME that stands there instead points to. failure: why nothing was learned; "" for an answer.
    """

    server: str
    values: tuple[str, ...] = ()
    ttl_s: int = 0
    alias: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """failure: why no server could be asked at all; then there are no sights. is_skipped: nobody was meant to be."""

    sights: tuple[Sight, ...] = ()
    failure: str = ""
    is_skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Servers by what they show of some values: all of them, not all of them, and nothing that could be learned."""

    at: tuple[str, ...]
    missing_at: tuple[str, ...]
    unknown_at: tuple[str, ...]

    @property
    def is_everywhere(self) -> bool:
        """At every server that answers, and one does: a server that is down must not hold up a rotation."""
        return bool(self.at) and not self.missing_at


class LiveDns(Protocol):
    async def seen(self, zone: str, name: str, record_type: str) -> Seen:
        """zone: of the spec, or "" for whichever holds the name. Never raises for what DNS does."""
        ...

    async def resolved(self, name: str, record_type: str) -> Sight:
        """What everybody sees, through a resolver: for names that are not in our zones, such as those of PTR."""
        ...


class NotAsked:
    """Works as LiveDns where DNS is left out."""

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:  # noqa: ARG002  the protocol's
        return Seen(failure=NOT_ASKED, is_skipped=True)

    async def resolved(self, name: str, record_type: str) -> Sight:  # noqa: ARG002  the protocol's
        return Sight(server="", failure=NOT_ASKED)


def spread(seen: Seen, values: Collection[str]) -> Spread:
    """Where all of these values are, whatever else is there."""
    wanted = {comparable(value) for value in values}
    answers = [sight for sight in seen.sights if not sight.failure]
    holding = {sight.server for sight in answers if wanted <= {comparable(value) for value in sight.values}}
    return Spread(
        at=tuple(sight.server for sight in answers if sight.server in holding),
        missing_at=tuple(sight.server for sight in answers if sight.server not in holding),
        unknown_at=tuple(sight.server for sight in seen.sights if sight.failure),
    )


def comparable(value: str) -> str:
    """Two values of a set are the same when these are."""
    # RFC 6376 §3.2 and its kin: in a list of tags, white space around tags and a closing semicolon say nothing.
    return ";".join(" ".join(tag.split()) for tag in value.rstrip("; ").split(";"))


def is_reserved(name: str) -> bool:
    labels = name.lower().rstrip(".").split(".")
    return any(".".join(labels[at:]) in RESERVED_DOMAINS for at in range(len(labels)))
