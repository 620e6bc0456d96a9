"""One zone through octoDNS: read it, settle what is ours, plan, write. Blocking: callers run it in a thread.

octoDNS takes its source for the whole zone and would delete everything else; so its plan is given only the record sets
that dns.ownership says are ours, on both sides. Nothing outside octoDNS's own objects is kept between calls.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import repeat

from octodns.record import Create, Delete, Record
from octodns.zone import Zone as NewZone

from mailstack.model.errors import DomainError, Invalid, TryAgainLater
from mailstack.model.resource import Json, Operation
from mailstack.reconcile.dns.octo import (
    UNKNOWN_DIGEST,
    OctoChange,
    OctoPlan,
    OctoProvider,
    OctoZone,
    from_octodns,
    key_of,
    to_octodns,
)
from mailstack.reconcile.dns.ownership import (
    MARK_RENEWED,
    Settled,
    Zone,
    is_marker,
    marked_key,
    marker_key,
    names_values,
    settle,
)
from mailstack.reconcile.dns.readable import unreadable_in
from mailstack.reconcile.dns.record_set import Key, RecordSet
from mailstack.reconcile.dns.root_ns import root_ns_of
from mailstack.reconcile.dns.unsaid import secrets_of, without
from mailstack.reconcile.plan import DNS_RECORD, KNOWN_AFTER_APPLY, Change, FieldChange, Mark, PlanWarning

ZONES_AT_ONCE = 8

_SILENT = logging.NullHandler()
_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")
Settling = Callable[[Zone, Sequence[RecordSet]], Settled]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneTarget:
    """provider: octoDNS's object (untyped there). wanted: what the zone should hold of ours. settling: what that means
    for what it holds now. way_out: what to do where its provider cannot be asked."""

    zone: str
    provider_name: str
    provider: OctoProvider = field(repr=False)
    wanted: tuple[RecordSet, ...]
    settling: Settling = field(default=settle, repr=False)
    way_out: str = "--no-dns leaves DNS out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """live_hash: of the record sets that the plan looked at. owned: those of the zone that were ours then. nameservers:
    of the zone as its provider has it, if it says so. adopted: sets that would only be marked. losing: values
    of another hand that would go. octo_plan: octoDNS's own, None when nothing is to do.
    """

    zone: str
    changes: tuple[Change, ...]
    warnings: tuple[PlanWarning, ...]
    live_hash: str
    owned: int
    nameservers: tuple[str, ...]
    adopted: tuple[RecordSet, ...]
    losing: tuple[RecordSet, ...]
    octo_plan: OctoPlan | None = field(repr=False)


def plan_zones(targets: Sequence[ZoneTarget], owner: str) -> tuple[ZonePlan, ...]:
    """Several at a time, for most of it is waiting. Raises TryAgainLater with zone and reason when a provider cannot
    be asked, Invalid for a record that it refuses.
    """
    _be_strict()
    with ThreadPoolExecutor(max_workers=ZONES_AT_ONCE, thread_name_prefix="zone") as pool:
        return tuple(pool.map(_plan_zone, targets, repeat(owner)))


@cache
def _be_strict() -> None:
    """Strict validators catch what a provider would publish without a word: bad targets, broken escapes.

    Once: octoDNS has one table of them for all threads, which is empty for a moment while it is filled.
    """
    Record.enable_validators(("strict",))


def look_at_zone(target: ZoneTarget, owner: str) -> tuple[ZonePlan, Zone]:
    """With what the zone holds now. Raises as plan_zones does."""
    _be_strict()
    return _compare(target, owner)


def _plan_zone(target: ZoneTarget, owner: str) -> ZonePlan:
    plan, _ = _compare(target, owner)
    return plan


def _compare(target: ZoneTarget, owner: str) -> tuple[ZonePlan, Zone]:
    with _faults_told(target):
        # Without this octoDNS warns that the zone's NS records are not in the spec; they never are.
        target.provider.root_ns_warnings = False
        zone = NewZone(f"{target.zone}.", [])
        for record in target.wanted:
            zone.add_record(to_octodns(zone, record))
        ours = _OursOnly(target, owner)
        plan = target.provider.plan(zone, processors=[ours])
        if plan is not None:
            plan.changes.sort(key=_marks_outside)
        changes = tuple(_changes(plan.changes)) if plan else ()
        planned = ZonePlan(
            zone=target.zone,
            changes=changes,
            warnings=ours.settled.warnings,
            live_hash=_hash_of(ours.zone.live, ours.settled),
            owned=ours.settled.owned,
            nameservers=root_ns_of(target.provider, zone.name),
            adopted=ours.settled.adopted,
            losing=ours.settled.losing,
            octo_plan=plan,
        )
        return planned, ours.zone


def _marks_outside(change: OctoChange) -> int:
    """Marks come before what they mark, and change or go after it: where a provider that writes one by one is
    interrupted, a set of ours is never left without its mark, nor a value of ours as if it were somebody else's."""
    if not is_marker(key_of(change.record)[0]):
        return 1
    return 0 if isinstance(change, Create) else 2


def write_zone(target: ZoneTarget, plan: ZonePlan) -> None:
    if plan.octo_plan is not None:
        with _faults_told(target):
            target.provider.apply(plan.octo_plan)


class _OursOnly:
    """A processor in octoDNS's sense: narrows both sides of a plan to the record sets that are ours."""

    def __init__(self, target: ZoneTarget, owner: str) -> None:
        self._target = target
        self.zone = Zone(name=target.zone, owner=owner, live={})
        self.settled = Settled(final={}, dropped=frozenset(), warnings=())

    def process_target_zone(self, existing: OctoZone, **_: object) -> OctoZone:
        return existing

    def process_source_and_target_zones(
        self, desired: OctoZone, existing: OctoZone, *_: object, **__: object
    ) -> tuple[OctoZone, OctoZone]:
        live = {record.key: record for record in map(from_octodns, existing.records)}
        self.zone = replace(self.zone, live=live, unreadable=unreadable_in(self._target.provider, existing))
        self.settled = self._target.settling(self.zone, self._target.wanted)
        final, touched = self.settled.final, self.settled.final.keys() | self.settled.dropped
        for record in existing.records:
            if key_of(record) not in touched:
                existing.remove_record(record)
        # What the provider made of our records stays as the provider made it, unless settling changed it again.
        asked = {record.key: record for record in self._target.wanted}
        for record in desired.records:
            if key_of(record) not in final:
                desired.remove_record(record)
        for key, record_set in final.items():
            if asked.get(key) != record_set:
                desired.add_record(to_octodns(desired, record_set), replace=True)
        return desired, existing


@contextmanager
def _faults_told(target: ZoneTarget) -> Iterator[None]:
    """Turns whatever a provider raises into one sentence, and keeps its chatter away from the terminal."""
    for name in ("Record", "Zone", "Plan", f"{type(target.provider).__name__}[{target.provider_name}]"):
        logging.getLogger(name).addHandler(_SILENT)
    try:
        yield
    except DomainError:
        raise
    except Exception as fault:
        reason = without(secrets_of(target.provider), _told(fault))
        told = f"DNS zone {target.zone} (provider {target.provider_name}{_address(target.provider)}): {reason}"
        if "Invalid record" in reason:
            raise Invalid(told) from fault
        raise TryAgainLater(f"{told} ({target.way_out})") from fault


def _told(fault: Exception) -> str:
    """One word, such as the EOF of a connection that was cut, says too little without its class."""
    text = _ERRNO.sub("", " ".join(str(fault).split()))
    if " " in text:
        return text
    name = type(fault).__name__
    return f"{name}: {text}" if text else name


def _address(provider: OctoProvider) -> str:
    """Of providers that have one, as those by DNS update do."""
    host, port = (getattr(provider, name, None) for name in ("host", "port"))
    if not isinstance(host, str):
        return ""
    return f" at {host} port {port}" if isinstance(port, int) else f" at {host}"


def _hash_of(live: Mapping[Key, RecordSet], settled: Settled) -> str:
    looked_at = sorted(settled.final.keys() | settled.dropped)
    text = json.dumps([[*key, live[key].ttl_s, sorted(live[key].values)] for key in looked_at if key in live])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _changes(octo_changes: Sequence[OctoChange]) -> Iterator[Change]:
    """Markers are written along with what they mark, and shown only where they change alone."""
    by_key = {key_of(change.record): change for change in octo_changes}
    along = {marker_key(key) for key in by_key}
    for key, change in by_key.items():
        if key not in along:
            shown = _change(f"{key[0]} {key[1]}", change)
            yield replace(shown, reason=_why_marked(change)) if is_marker(key[0]) else shown


def _why_marked(change: OctoChange) -> str:
    """Of a mark that changes alone."""
    name, record_type = marked_key(key_of(change.record)[0])
    if isinstance(change, Create):
        return f"marks {name} {record_type} as mailstack's"
    if isinstance(change, Delete):
        return f"{name} {record_type} is gone, or somebody else's by now"
    if not names_values(from_octodns(change.existing)):
        return MARK_RENEWED
    return f"says which values of {name} {record_type} are mailstack's"


def _change(name: str, change: OctoChange) -> Change:
    if isinstance(change, Delete):
        return Change(operation=Operation.DESTROY, kind=DNS_RECORD, name=name)
    new = from_octodns(change.new)
    if isinstance(change, Create):
        fields = (FieldChange(name="ttl_s", new=new.ttl_s), _values_change(None, new))
        return Change(operation=Operation.CREATE, kind=DNS_RECORD, name=name, fields=fields)
    old = from_octodns(change.existing)
    changed: list[FieldChange] = []
    if old.ttl_s != new.ttl_s:
        changed.append(FieldChange(name="ttl_s", old=old.ttl_s, new=new.ttl_s))
    if sorted(old.values) != sorted(new.values):
        changed.append(_values_change(old, new))
    return Change(operation=Operation.UPDATE, kind=DNS_RECORD, name=name, fields=tuple(changed))


def _values_change(old: RecordSet | None, new: RecordSet) -> FieldChange:
    before: Json = None if old is None else [*sorted(old.values)]
    if any(KNOWN_AFTER_APPLY in value or UNKNOWN_DIGEST in value for value in new.values):
        return FieldChange(name="values", old=before, mark=Mark.UNKNOWN)
    return FieldChange(name="values", old=before, new=[*sorted(new.values)])
