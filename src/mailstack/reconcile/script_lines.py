"""What a plan shows of Sieve scripts: how long a new one is, and which lines of one change. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff

from mailstack.model.resource import Json, Kind, Operation
from mailstack.reconcile.plan import Change

LONGEST = 20
"""Lines of a diff that are shown."""
CONTEXT = 1


def origin_of(change: Change) -> str:
    """Of a script that is new: behind its name."""
    if change.kind != Kind.SCRIPT or change.operation is not Operation.CREATE:
        return ""
    fields = {item.name: item.new for item in change.fields}
    return f" ({fields.get('origin')}, {_length(fields.get('content'))})"


def script_lines(change: Change) -> Iterator[str] | None:
    """None for what is no script."""
    if change.kind == Kind.SCRIPT:
        return _of_account(change)
    return _of_server(change) if change.kind == Kind.SIEVE else None


def _of_account(change: Change) -> Iterator[str]:
    if change.operation is Operation.CREATE:
        return
    for item in change.fields:
        if item.name == "content":
            yield from _diff(_text(item.old), _text(item.new))
        else:
            yield f"{item.name} = {item.old} -> {item.new}"


def _of_server(change: Change) -> Iterator[str]:
    for item in change.fields:
        old, new = _by_name(item.old), _by_name(item.new)
        if change.operation is Operation.CREATE:
            yield f"{item.name} = {_listed(new)}"
            continue
        if list(old) != list(new):
            yield f"{item.name} = {_listed(old)} -> {_listed(new)}"
        for name, content in new.items():
            if name in old and old[name] != content:
                yield f"{item.name} {name}:"
                yield from _diff(old[name], content)


def _listed(scripts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({_length(content)})" for name, content in scripts.items()) or "(none)"


def _by_name(value: Json) -> dict[str, str]:
    """Two files of one name in different folders are told apart by their places."""
    found: dict[str, str] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            name = _text(item.get("name"))
            found[name if name not in found else f"{name} #{len(found) + 1}"] = _text(item.get("content"))
    return found


def _length(content: Json) -> str:
    count = len(_text(content).splitlines())
    return f"{count} line" if count == 1 else f"{count} lines"


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _diff(old: str, new: str) -> Iterator[str]:
    # Its first two lines name files.
    found = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT))[2:]
    yield from _bounded(found or ["only line ends differ"])


def _bounded(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:LONGEST]
    more = len(lines) - LONGEST
    if more > 0:
        yield f"… {more} more {'line' if more == 1 else 'lines'}"
