"""Whether the signing keys that a spec brings fit the algorithms that it signs with: at most one for each."""

from collections.abc import Iterator, Mapping
from typing import get_args

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.outline import items, mapping, section
from mailstack.spec.sections.domains import DkimAlgorithm
from mailstack.spec.yaml_values import Value


def check_dkim(document: Document) -> Iterator[Fault]:
    for name, domain in section(document.values, "domains").items():
        dkim = mapping(mapping(domain).get("dkim"))
        path: Path = ("domains", name, "dkim", "keys")
        yield from _keys(document, dkim, path)


def _keys(document: Document, dkim: Mapping[str, Value], path: Path) -> Iterator[Fault]:
    known = get_args(DkimAlgorithm)
    wanted = items(dkim.get("algorithms", known))
    taken: dict[Value, int] = {}
    for index, entry in enumerate(items(dkim.get("keys"))):
        algorithm = mapping(entry).get("algorithm")
        if algorithm not in known:
            continue
        if algorithm not in wanted:
            yield document.fault(
                (*path, index, "algorithm"), f"{algorithm} is not one of this domain's dkim.algorithms"
            )
        first = taken.setdefault(algorithm, index)
        if first != index:
            text = f"a second key for {algorithm}, beside keys[{first}]; give the new one alone, it takes over in order"
            yield document.fault((*path, index), text)
