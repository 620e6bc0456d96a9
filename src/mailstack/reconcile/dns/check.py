"""Whether name servers show what the spec wants: record by record, server by server. Pure.

What is judged is what others will make of it: a value too many is no harm to most sets, and ruins an SPF record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.reconcile.dns.live import Seen, Sight, comparable
from mailstack.reconcile.dns.ownership import version_tag
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY

SHARED_TYPES = frozenset(("CAA", "NS", "TLSA", "TXT"))
"""Types whose sets may hold more than ours; in those of all others, another value leads people elsewhere."""


class Standing(StrEnum):
    PRESENT = "present"
    MISSING = "missing"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtServer:
    """told: what is there instead, or why nothing is known; "" where all is right or nothing there."""

    server: str
    standing: Standing
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """zone: "" for none of the spec's. told: why nobody was asked, else "". is_skipped: nobody was meant to be."""

    zone: str
    record: RecordSet
    servers: tuple[AtServer, ...] = ()
    told: str = ""
    is_skipped: bool = False

    @property
    def standing(self) -> Standing:
        """The worst of any server that answers."""
        found = {each.standing for each in self.servers}
        for standing in (Standing.DIFFERS, Standing.MISSING, Standing.PRESENT):
            if standing in found:
                return standing
        return Standing.UNKNOWN

    @property
    def is_right(self) -> bool:
        return self.standing is Standing.PRESENT


def judge(zone: str, record: RecordSet, seen: Seen) -> Finding:
    if seen.failure:
        return Finding(zone=zone, record=record, told=seen.failure, is_skipped=seen.is_skipped)
    return Finding(zone=zone, record=record, servers=tuple(_at_server(record, sight) for sight in seen.sights))


def is_made_by_apply(record: RecordSet) -> bool:
    """It holds a key that nobody has yet, so that there is nothing to look for."""
    return any(KNOWN_AFTER_APPLY in value for value in record.values)


def summary(finding: Finding) -> str:
    """In a few words: where it stands, and what is wrong where."""
    if finding.told:
        return finding.told
    right = [each.server for each in finding.servers if each.standing is Standing.PRESENT]
    if len(right) == len(finding.servers):
        return f"seen at {_counted(len(right))}"
    wrong = [each for each in finding.servers if each.standing is not Standing.PRESENT]
    seen = f"seen at {len(right)} of {_counted(len(finding.servers))}; " if right else ""
    return seen + "; ".join(dict.fromkeys(_at(each, wrong) for each in wrong))


def _counted(count: int) -> str:
    return f"{count} server{'' if count == 1 else 's'}"


def _at(each: AtServer, wrong: Sequence[AtServer]) -> str:
    """Servers that say the same are named together."""
    servers = ", ".join(other.server for other in wrong if (other.standing, other.told) == (each.standing, each.told))
    if each.standing is Standing.UNKNOWN:
        return f"{servers} {each.told}"
    return f"{each.told or 'not there'} ({servers})"


def _at_server(record: RecordSet, sight: Sight) -> AtServer:
    if sight.failure:
        return AtServer(server=sight.server, standing=Standing.UNKNOWN, told=sight.failure)
    if sight.alias:
        return AtServer(server=sight.server, standing=Standing.DIFFERS, told=f"a CNAME to {sight.alias} stands there")
    if not sight.values:
        return AtServer(server=sight.server, standing=Standing.MISSING)
    wanted = {comparable(value) for value in record.values}
    others = [value for value in sight.values if comparable(value) not in wanted]
    is_whole = wanted <= {comparable(value) for value in sight.values}
    harmful = _harmful(record, others)
    if harmful:
        # What is ours is there: then it is one too many.
        told = f"{'also ' if is_whole else ''}there: {', '.join(harmful)}"
        return AtServer(server=sight.server, standing=Standing.DIFFERS, told=told)
    if not is_whole:
        is_shared = record.type in SHARED_TYPES
        standing = Standing.MISSING if is_shared else Standing.DIFFERS
        return AtServer(server=sight.server, standing=standing, told="" if is_shared else "a value is missing")
    return AtServer(server=sight.server, standing=Standing.PRESENT)


def _harmful(record: RecordSet, others: Sequence[str]) -> list[str]:
    if record.type not in SHARED_TYPES:
        return list(others)
    # RFC 7208 §4.5, RFC 9989 §4.10: of two records of one version, neither counts.
    tags = {tag for value in record.values if (tag := version_tag(value))}
    return [value for value in others if version_tag(value) in tags]
