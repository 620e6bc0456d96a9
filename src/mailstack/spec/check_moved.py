"""Whether the renames of a spec can be: from a name that is free to one that is declared, each once."""

from collections.abc import Iterator

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Named, Outline, items, mapping, parsed
from mailstack.spec.values import parse_moved


def check_moved(document: Document, spec: Outline) -> Iterator[Fault]:
    declared = frozenset((*spec.logins, *(domain.name for domain in spec.domains)))
    names = Vocabulary(declared)
    sources: dict[str, Named] = {}
    targets: dict[str, Named] = {}
    ends = _ends(document)
    for index, entry in enumerate(items(document.values.get("moved"))):
        source = parsed(mapping(entry).get("from"), ("moved", index, "from"), parse_moved)
        target = parsed(mapping(entry).get("to"), ("moved", index, "to"), parse_moved)
        if source is None or target is None:
            continue
        if ("@" in source.name) is not ("@" in target.name):
            yield document.fault(target.path, "an account moves to an address, a domain to a domain")
            continue
        if source.name in declared:
            yield document.fault(source.path, f"{source.name} is still declared: what has moved has left its old name")
        # What moved on is declared under its latest name.
        if ends.get(target.name, target.name) not in declared:
            where = "accounts" if "@" in target.name else "domains"
            hint = did_you_mean(names, target.name)
            yield document.fault(target.path, f"{target.name} is not declared in {where}{hint}")
        yield from _repeated(document, sources, source, "moves")
        yield from _repeated(document, targets, target, "is moved to")


def _ends(document: Document) -> dict[str, str]:
    """Where each name that has moved is found in the end; a circle has no end, and leads back to a name that left."""
    table: dict[str, str] = {}
    for entry in items(document.values.get("moved")):
        source = parsed(mapping(entry).get("from"), (), parse_moved)
        target = parsed(mapping(entry).get("to"), (), parse_moved)
        if source is not None and target is not None:
            table.setdefault(source.name, target.name)
    ends = dict(table)
    for name in table:
        for _ in range(len(table)):
            ends[name] = table.get(ends[name], ends[name])
    return ends


def _repeated(document: Document, seen: dict[str, Named], named: Named, what: str) -> Iterator[Fault]:
    earlier = seen.setdefault(named.name, named)
    if earlier is not named:
        yield document.fault(named.path, f"{named.name} {what} already ({document.place(earlier.path)})")
