"""Faults that show only later, when secrets and files are read: still with the place an editor can jump to."""

from collections.abc import Callable, Mapping
from functools import cached_property

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path, Place
from mailstack.spec.outline import parsed, section
from mailstack.spec.values import parse_address_key, parse_domain
from mailstack.spec.yaml_values import Value

_NAMES: Mapping[str | int, Callable[[str], str]] = {
    "domains": parse_domain,
    "accounts": parse_address_key,
    "aliases": parse_address_key,
    "lists": parse_address_key,
}


class Locator:
    """Knows where each value of a sound spec stands, under the names that the models give it."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def fault(self, path: Path, message: str) -> Fault:
        return self._document.fault(self.as_written(path), message)

    def place(self, path: Path) -> Place:
        """Where the key stands; the nearest thing above, where the spec does not say it."""
        return self._document.place(self.as_written(path), at_key=True)

    def says(self, path: Path) -> bool:
        """Whether the files say it themselves; what comes from a default they do not."""
        return self._document.says(self.as_written(path))

    def value(self, path: Path) -> Value:
        """As the files say it; None where they say nothing."""
        found: Value = self._document.values
        for name in self.as_written(path):
            found = found.get(str(name)) if isinstance(found, dict) else None
        return found

    def names(self, section_name: str | int) -> list[str]:
        """Of the entries of a section, as the files spell them, in their order."""
        return list(section(self._document.values, str(section_name)))

    def as_written(self, path: Path) -> Path:
        """With the entry's name as the file spells it."""
        if len(path) > 1 and path[0] in _NAMES:
            return (path[0], self._spelled[path[0]].get(str(path[1]), path[1]), *path[2:])
        return path

    @cached_property
    def _spelled(self) -> dict[str | int, dict[str, str]]:
        """By section, by what the models call an entry: as the file spells it."""
        return {name: self._spelled_in(name, parse) for name, parse in _NAMES.items()}

    def _spelled_in(self, name: str | int, parse: Callable[[str], str]) -> dict[str, str]:
        found = ((parsed(text, (), parse), text) for text in self.names(name))
        return {named.name: text for named, text in found if named}
