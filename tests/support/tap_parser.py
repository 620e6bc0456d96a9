"""A reader of TAP 14, strict about what a producer must write: https://testanything.org/tap-version-14-specification.html"""

import re
from dataclasses import dataclass

import yaml

_POINT = re.compile(r"(?P<not>not )?ok (?P<number>[0-9]+) - (?P<name>(?:[^#\\]|\\.)*)")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """diagnosis: the YAML block, None without one."""

    is_ok: bool
    name: str
    diagnosis: dict[str, object] | None


def read_tap(text: str) -> list[Point]:
    lines = text.splitlines()
    assert lines[0] == "TAP version 14"
    plan = re.fullmatch(r"1\.\.([0-9]+)", lines[1])
    assert plan
    points: list[Point] = []
    rest = lines[2:]
    while rest:
        found = _POINT.fullmatch(rest.pop(0))
        assert found, "no test point"
        assert int(found["number"]) == len(points) + 1
        name = _ESCAPE.sub(r"\1", found["name"])
        points.append(Point(is_ok=not found["not"], name=name, diagnosis=_diagnosis(rest)))
    assert len(points) == int(plan[1])
    return points


def _diagnosis(rest: list[str]) -> dict[str, object] | None:
    if not rest or rest[0] != "  ---":
        return None
    end = rest.index("  ...")
    block, rest[: end + 1] = rest[1:end], []
    assert all(line.startswith("  ") for line in block)
    found = yaml.safe_load("\n".join(line[2:] for line in block))
    assert isinstance(found, dict)
    return found
