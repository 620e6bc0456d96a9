"""Whether the spec's Sieve scripts compile, and find what they include: faults have the place in the script itself.

Also that an account has one source of what becomes of its mail.
"""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Place, fault_at, printable
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import mapping, section
from mailstack.spec.scripts import Scripts, named_scripts

if TYPE_CHECKING:
    from mailstack.sieve.run import Include, Script


def check_sieve(document: Document, scripts: Scripts, directory: Path) -> Iterator[Fault]:
    """directory: of the main file, as faults show it."""
    yield from _two_sources(document)
    if scripts.contents:  # else nothing of the engine is needed
        yield from _Checking(document, directory).faults(scripts)


def _two_sources(document: Document) -> Iterator[Fault]:
    for login, account in section(document.values, "accounts").items():
        said = mapping(account)
        if said.get("sieve") is not None and said.get("rules"):
            script = document.place(("accounts", login, "sieve"), at_key=True)
            message = f"an account has a script or rules, and this one has a script as well ({script})"
            yield document.fault(("accounts", login, "rules"), message, at_key=True)


class _Checking:
    def __init__(self, document: Document, directory: Path) -> None:
        self._directory = directory
        self._globals = {
            str(place[2]): path for place, path in named_scripts(document.values) if place[:2] == ("sieve", "global")
        }
        # Those whose entries are wrong are there too.
        self._names = Vocabulary(filter(None, section(document.values, "sieve", "global")))

    def faults(self, scripts: Scripts) -> Iterator[Fault]:
        from mailstack.sieve.check import compile_script
        from mailstack.sieve.extensions import EXTENSIONS
        from mailstack.sieve.faults import Broken

        compiled: dict[Path, Script] = {}
        for path, content in scripts.contents.items():
            try:
                compiled[path] = compile_script(content, EXTENSIONS)
            except Broken as broken:
                for fault in broken.faults:
                    hint = f" ({fault.hint})" if fault.hint else ""
                    place = Place(str(self._directory / path), fault.line, fault.column)
                    yield fault_at(place, (), f"{fault.text}{hint}")
        for path, script in compiled.items():
            yield from self._unknown(path, script)
        yield from self._circles(compiled)

    def _unknown(self, path: Path, script: "Script") -> Iterator[Fault]:
        """RFC 6609 §3.2: a global script is the server's; that one which is :optional is missing is no fault."""
        for include in script.includes:
            name = include.script.name
            if include.script.is_global and not include.is_optional and name not in self._names:
                known = f"sieve.global has {self._names.listed()}" if self._names.words else "sieve.global has none"
                message = f"there is no global script '{printable(name)}' ({known}){did_you_mean(self._names, name)}"
                yield self._fault(path, script, include, message)

    def _circles(self, compiled: Mapping[Path, "Script"]) -> Iterator[Fault]:
        """RFC 6609 §3.2: a script must not include itself, nor by way of others. :once ends such a circle."""
        edges = {
            name: {
                include.script.name: include
                for include in compiled[path].includes
                if include.script.is_global and not include.is_once
            }
            for name, path in self._globals.items()
            if path in compiled
        }
        while circle := _circle({name: set(includes) for name, includes in edges.items()}):
            last, first = circle[-2], circle[-1]
            include = edges[last].pop(first)
            path = self._globals[last]
            shown = " → ".join(printable(name) for name in circle)
            yield self._fault(path, compiled[path], include, f"global scripts include each other: {shown}")

    def _fault(self, path: Path, script: "Script", include: "Include", message: str) -> Fault:
        from mailstack.sieve.faults import Misplaced, placed

        found = placed(script.text, Misplaced(include.at, message))
        return fault_at(Place(str(self._directory / path), found.line, found.column), (), found.text)


def _circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Names each of which includes the next, the first again at the end; empty where there is no circle."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as fault:
        # Its list runs from what is needed to what needs it.
        found: list[str] = fault.args[1]
        return found[::-1]
    return []
