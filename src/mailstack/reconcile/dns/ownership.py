"""Which record sets of a zone are ours to write, and what they should hold. Pure.

A set is ours when a marker beside it says so: a TXT record `_mailstack-owner.<type>.<name>` with this server's id.
What was there before us, or came without us, is never changed, replaced or deleted: a name that is taken becomes a
warning. A marker knows our values by hash, so that a value that was edited by hand is told from one that somebody else
added. TXT sets are shared value by value; of others a name has one, and what was added to ours would go (`losing`).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mailstack.reconcile.dns.record_set import Key, RecordSet
from mailstack.reconcile.plan import PlanWarning

MARKER_LABEL = "_mailstack-owner"
MARKER_TTL_S = 300
MARK_RENEWED = "the mark of an earlier version of mailstack, in today's words"

_MARKER = re.compile(r"heritage=mailstack,owner=([0-9a-f]{1,64})(?:,values=([0-9a-f.]*))?")
# RFC 6376 §3.2, RFC 9989 §4.8: tags may have white space around their "=".
_VERSION_TAG = re.compile(r"\s*[vV]\s*=\s*([A-Za-z0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """final: sets that should be as given; dropped: sets that should go. What is in neither is not touched. owned: how
    many sets were ours. adopted: sets that are only marked, see adoption. losing: values of another hand beside ours in
    a set that is ours, which would not be there any more."""

    final: Mapping[Key, RecordSet]
    dropped: frozenset[Key]
    warnings: tuple[PlanWarning, ...]
    owned: int = field(default=0, compare=False)
    adopted: tuple[RecordSet, ...] = ()
    losing: tuple[RecordSet, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What a zone holds now. owner: this server's id; "" while it has none, and then nothing is ours. unreadable: sets
    that are there besides, with values that nobody here can read."""

    name: str
    owner: str
    live: Mapping[Key, RecordSet]
    unreadable: frozenset[Key] = frozenset()


class Taken(Exception):
    """Somebody else's record is in the way; str() says which."""


def settle(zone: Zone, wanted: Sequence[RecordSet]) -> Settled:
    final: dict[Key, RecordSet] = {}
    warnings: list[PlanWarning] = []
    owned = dict(_owned(zone))
    count = len(owned)
    losing = tuple(_losing(zone, owned, wanted))
    # What of ours makes room in the same apply is no obstacle: it is taken for gone.
    free = replace(zone, live=_without(zone.live, _going(zone, owned, wanted)))
    neighbours = _neighbours(free, wanted)
    for record in wanted:
        hashes = owned.pop(record.key, None)
        try:
            _refuse_beside(neighbours.get(record.name))
            settled = _settle_one(free, record, hashes)
        except Taken as taken:
            warnings.append(PlanWarning(subject=f"dns_record {record.name} {record.type}", text=str(taken)))
            continue
        if settled is not None:
            marker = marker_for(zone, record)
            final |= {settled.key: settled, marker.key: marker}
    dropped: set[Key] = set()
    for key, hashes in owned.items():
        try:
            rest = _without_ours(zone, key, hashes)
        except Taken as taken:
            warnings.append(PlanWarning(subject=f"dns_record {key[0]} {key[1]}", text=str(taken)))
            continue
        if rest is None:
            dropped |= {key} & zone.live.keys()
        elif rest != zone.live[key]:
            final[key] = rest
        dropped.add(marker_key(key))
    return Settled(final=final, dropped=frozenset(dropped), warnings=tuple(warnings), owned=count, losing=losing)


def settle_labelled(label: str, zone: Zone, wanted: Sequence[RecordSet]) -> Settled:
    """As settle, for the sets whose first label this is; all others stay, whatever has become of them."""
    return _narrowed(settle(zone, wanted), lambda key: _is_labelled(key, label))


def settle_some(is_meant: Callable[[Key], bool], zone: Zone, wanted: Sequence[RecordSet]) -> Settled:
    """As settle, for the sets that are meant; all others stay, whatever has become of them."""
    return _narrowed(settle(zone, wanted), lambda key: is_meant(marked_key(key[0]) if is_marker(key[0]) else key))


def settle_unlabelled(label: str, zone: Zone, wanted: Sequence[RecordSet]) -> Settled:
    """As settle, for all sets but those whose first label this is."""
    return _narrowed(settle(zone, wanted), lambda key: not _is_labelled(key, label))


def _is_labelled(key: Key, label: str) -> bool:
    name = marked_key(key[0])[0] if is_marker(key[0]) else key[0]
    return name.startswith(f"{label}.")


def _narrowed(settled: Settled, is_meant: Callable[[Key], bool]) -> Settled:
    return replace(
        settled,
        final={key: record for key, record in settled.final.items() if is_meant(key)},
        dropped=frozenset(filter(is_meant, settled.dropped)),
        losing=tuple(record for record in settled.losing if is_meant(record.key)),
    )


def marker_key(key: Key) -> Key:
    return (f"{MARKER_LABEL}.{key[1].lower()}.{key[0]}", "TXT")


def marker_for(zone: Zone, record: RecordSet) -> RecordSet:
    hashes = ".".join(sorted(_hash(value) for value in record.values))
    return _marker(record.key, f"heritage=mailstack,owner={zone.owner or '0'},values={hashes}")


def remarked(zone: Zone, marker: RecordSet, key: Key) -> RecordSet:
    """Another server's marker as this one's; what it says of the values stays."""
    _, _, values = marker.values[0].partition(",values=")
    return _marker(key, f"heritage=mailstack,owner={zone.owner},values={values}")


def marker_owner(zone: Zone, key: Key) -> str:
    """Who says that the set is theirs: "" for nobody, "?" for a marker in words that are not ours."""
    return _read_marker(zone, key)[0]


def marked_key(marker_name: str) -> Key:
    record_type, _, name = marker_name.removeprefix(f"{MARKER_LABEL}.").partition(".")
    return (name, record_type.upper())


def is_marker(name: str) -> bool:
    return name.startswith(f"{MARKER_LABEL}.")


def names_values(marker: RecordSet) -> bool:
    """Marks of the first versions said whose a set is, and not which of its values."""
    return any(",values=" in value for value in marker.values)


def version_tag(value: str) -> str:
    """`v=spf1` and its like, of which a name has one; "" for other texts."""
    found = _VERSION_TAG.match(value)
    return f"v={found[1].lower()}" if found else ""


def _marker(key: Key, value: str) -> RecordSet:
    name, record_type = marker_key(key)
    return RecordSet(name=name, type=record_type, values=(value,), ttl_s=MARKER_TTL_S)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8")).hexdigest()[:16]


def _owned(zone: Zone) -> Iterator[tuple[Key, frozenset[str]]]:
    """Our sets, by the markers, with the hashes of our values."""
    for name, record_type in zone.live:
        if record_type == "TXT" and is_marker(name):
            key = marked_key(name)
            owner, hashes = _read_marker(zone, key)
            if zone.owner and owner == zone.owner:
                yield key, hashes


def _read_marker(zone: Zone, key: Key) -> tuple[str, frozenset[str]]:
    """The owner and the hashes; an owner "?" for a marker in words that are not ours, "" where there is none."""
    record = zone.live.get(marker_key(key))
    if record is None:
        return "", frozenset()
    read = _MARKER.fullmatch(record.values[0]) if len(record.values) == 1 else None
    if read is None:
        return "?", frozenset()
    return read[1], frozenset((read[2] or "").split(".")) - {""}


def _losing(zone: Zone, owned: Mapping[Key, frozenset[str]], wanted: Sequence[RecordSet]) -> Iterator[RecordSet]:
    """A set of which nothing of ours is left was edited by hand: put right where it is wanted, else left as it is."""
    asked = {record.key: record.values for record in wanted}
    for key, hashes in owned.items():
        live = zone.live.get(key)
        if live is None or key[1] == "TXT" or not hashes:
            continue
        others = tuple(value for value in live.values if _hash(value) not in hashes and value not in asked.get(key, ()))
        if others and len(others) < len(live.values):
            yield RecordSet(name=live.name, type=live.type, values=others, ttl_s=live.ttl_s)


def _going(zone: Zone, owned: Mapping[Key, frozenset[str]], wanted: Sequence[RecordSet]) -> Iterator[Key]:
    """Sets of ours that nobody wants, and of which nothing stays."""
    asked = {record.key for record in wanted}
    for key, hashes in owned.items():
        with suppress(Taken):
            if key in zone.live and key not in asked and _without_ours(zone, key, hashes) is None:
                yield key


def _without(live: Mapping[Key, RecordSet], going: Iterable[Key]) -> Mapping[Key, RecordSet]:
    gone = frozenset(going)
    return {key: record for key, record in live.items() if key not in gone} if gone else live


def _neighbours(zone: Zone, wanted: Sequence[RecordSet]) -> Mapping[str, str]:
    """By name of each wanted CNAME: another type that stays there, if there is any."""
    aliases = {record.name for record in wanted if record.type == "CNAME"}
    held = (key for key in (*zone.live, *zone.unreadable) if key[0] in aliases and key[1] != "CNAME")
    return dict(held)


def _refuse_beside(record_type: str | None) -> None:
    if record_type is not None:
        # RFC 1034 §3.6.2: where a CNAME is, no other data may be; some servers drop such an update without a word.
        raise Taken(f"the name holds {record_type} records that are not mailstack's; left alone")


def _settle_one(zone: Zone, record: RecordSet, ours: frozenset[str] | None) -> RecordSet | None:
    """The set as it should be, or None where it is there already by somebody else's hand. ours: None if not owned."""
    _refuse_blocked(zone, record)
    live = zone.live.get(record.key)
    if ours is None and _read_marker(zone, record.key)[0]:
        raise Taken("belongs to another mailstack server; left alone")
    if record.type == "TXT":
        return _merged(record, live, ours)
    if live is None or ours is not None:
        return record
    if sorted(live.values) == sorted(record.values):
        return None
    there = ", ".join(live.values)
    raise Taken(f"exists and is not mailstack's ({there}); left alone (`mailstack adopt --dns` takes it over)")


def _refuse_blocked(zone: Zone, record: RecordSet) -> None:
    _refuse_unreadable(zone, record.key)
    alias = zone.live.get((record.name, "CNAME"))
    if alias is not None and record.type != "CNAME":
        # RFC 1034 §3.6.2: where a CNAME is, no other data may be.
        raise Taken(f"the name is a CNAME to {alias.values[0]}; left alone")
    name = record.name
    while name != zone.name and "." in name:
        if (name, "NS") in zone.live:
            # RFC 1034 §4.2.1: below a cut the parent zone has no authority.
            raise Taken(f"{name} is delegated to other name servers; publish it there")
        _refuse_redirected(zone, name)
        name = name.partition(".")[2]
    _refuse_redirected(zone, name)


def _refuse_redirected(zone: Zone, name: str) -> None:
    if (name, "DNAME") in zone.live:
        # RFC 6672 §2.4: nothing may be below a DNAME, and the marker of what is beside it would be.
        raise Taken(f"everything below {name} is redirected by a DNAME; left alone")


def _refuse_unreadable(zone: Zone, key: Key) -> None:
    if key in zone.unreadable:
        raise Taken("shares its name with a value that is no text and could not be written back; left alone")


def _merged(record: RecordSet, live: RecordSet | None, ours: frozenset[str] | None) -> RecordSet | None:
    if live is None:
        return record
    if ours is None and set(record.values) <= set(live.values):
        return None
    foreign = [value for value in live.values if value not in record.values and _hash(value) not in (ours or ())]
    for value in record.values:
        rivals = [other for other in foreign if version_tag(other) and version_tag(other) == version_tag(value)]
        if not rivals:
            continue
        # Ours is gone and one of its kind is there instead: it was edited by hand.
        is_edited = ours is not None and len(rivals) == 1 and not _has_ours(live, record, ours)
        if not is_edited:
            # RFC 7208 §4.5, RFC 9989 §4.10: two records of the same version are no record.
            raise Taken(f"there is a {version_tag(value)} record that is not mailstack's ({rivals[0]}); left alone")
        foreign.remove(rivals[0])
    return _shared(record, live, foreign)


def _has_ours(live: RecordSet, record: RecordSet, ours: frozenset[str]) -> bool:
    return any(value in record.values or _hash(value) in ours for value in live.values)


def _shared(record: RecordSet, live: RecordSet, foreign: Sequence[str]) -> RecordSet:
    """Our values and theirs. A TTL belongs to the whole set (RFC 2181 §5.2): theirs stays, if there are any."""
    ttl_s = live.ttl_s if foreign else record.ttl_s
    merged = RecordSet(name=record.name, type="TXT", values=(*foreign, *record.values), ttl_s=ttl_s)
    if sorted(merged.values) != sorted(live.values):
        _refuse_fragile(foreign)
    return merged


def _without_ours(zone: Zone, key: Key, ours: frozenset[str]) -> RecordSet | None:
    _refuse_unreadable(zone, key)
    live = zone.live.get(key)
    if live is None:
        return None
    rest = tuple(value for value in live.values if _hash(value) not in ours)
    if key[1] != "TXT":
        # Where nothing of ours is left somebody else's records have taken the place of ours, as when mail moved away.
        return live if ours and len(rest) == len(live.values) else None
    if rest and len(rest) < len(live.values):
        _refuse_fragile(rest)
    return RecordSet(name=live.name, type="TXT", values=rest, ttl_s=live.ttl_s) if rest else None


def _refuse_fragile(foreign: Sequence[str]) -> None:
    for value in foreign:
        if '"' in value or "\\" in value or not value.isascii():
            # Providers' quoting of these differs; writing the set would risk somebody else's record.
            raise Taken(f"shares its name with a TXT value that cannot be written back safely ({value!r}); left alone")
