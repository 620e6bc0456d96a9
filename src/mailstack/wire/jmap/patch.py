"""Changes of one object by path, as `update` of a /set has them. RFC 8620 §5.3, RFC 6901."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType

MAX_CHANGES = 1_000
"""Of one object."""

Path = tuple[str, ...]


def read_patch(patch: Mapping[str, Any]) -> Mapping[Path, Any]:
    """By the names on the way to what is changed, the longest ways last. Raises NotSet."""
    if len(patch) > MAX_CHANGES:
        raise _invalid(f"one object is changed in at most {MAX_CHANGES} places")
    # RFC 8620 §5.3: a JSON pointer with an implicit / in front.
    found = {tuple(_unescaped(step) for step in pointer.split("/")): value for pointer, value in patch.items()}
    if len(found) < len(patch):
        raise _invalid("the same property is there twice")
    ways = sorted(found)
    for shorter, longer in pairwise(ways):
        # RFC 8620 §5.3: no pointer may be the prefix of another. Sorted, the first that has it as its prefix follows.
        if longer[: len(shorter)] == shorter:
            raise _invalid(f"{'/'.join(shorter)} is changed as a whole and in part")
    return {way: found[way] for way in sorted(ways, key=len)}


def apply_patch(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A changed copy. What is null is left out, and so has its default. Raises NotSet."""
    after = dict(before)
    for way, value in read_patch(patch).items():
        place = _copied_down(after, way[:-1])
        if value is None:
            place.pop(way[-1], None)
        else:
            place[way[-1]] = value
    return after


def _copied_down(top: dict[str, Any], way: Sequence[str]) -> dict[str, Any]:
    """Where the way leads, each object on it replaced by a copy."""
    place = top
    for step in way:
        inner = place.get(step)
        # RFC 8620 §5.3: all parts before the last exist, and none is in an array.
        if not isinstance(inner, Mapping):
            raise _invalid(f"{'/'.join(way)} is no object that could be changed in part")
        place[step] = dict(inner)
        place = place[step]
    return place


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _invalid(description: str) -> NotSet:
    return NotSet(SetFault(type=SetFaultType.INVALID_PATCH, description=description))
