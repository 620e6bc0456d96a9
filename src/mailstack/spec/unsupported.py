"""What the spec's format has and this version does not do yet. It is refused by name, never taken and forgotten."""

from typing import Final

from mailstack.spec.faults import Path

_KEYS: Final = frozenset(
    {
        ("backup",),
    }
)
_NAMED = frozenset({"domains", "accounts", "routes", "tests"})


def is_key_of_later(path: Path) -> bool:
    return _shape(path) in _KEYS


def _shape(path: Path) -> tuple[str, ...]:
    """The path with `*` for the name or index of an entry."""
    if len(path) > 1 and path[0] in _NAMED:
        return (str(path[0]), "*", *map(str, path[2:]))
    return tuple(map(str, path))
