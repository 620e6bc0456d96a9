"""Faults that show only later, when secrets and files are read: still with the place an editor can jump to."""

from functools import cached_property

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path, Place
from mailstack.spec.outline import parsed, section
from mailstack.spec.values import parse_address_key


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

    def as_written(self, path: Path) -> Path:
        """With the login as the file spells it."""
        if len(path) > 1 and path[0] == "accounts":
            return ("accounts", self._written_logins.get(str(path[1]), path[1]), *path[2:])
        return path

    @cached_property
    def _written_logins(self) -> dict[str, str]:
        """Logins as the file spells them, by address key."""
        spelled = section(self._document.values, "accounts")
        found = ((parsed(text, (), parse_address_key), text) for text in spelled)
        return {named.name: text for named, text in found if named}
