"""The arguments of one method call, read by name and type; a wrong type or an unknown name is a fault that names it.

RFC 8620 §1.2 to §1.4 (types), §3.6.2 (invalidArguments).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, cast

from mailstack.wire.jmap.faults import MethodFault, invalid_arguments

MAX_INT = 2**53 - 1
"""RFC 8620 §1.3: what JSON numbers hold exactly everywhere."""
# RFC 8620 §1.2: 1 to 255 octets of A-Za-z0-9, "-" and "_".
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
REFERENCE = "#"
"""RFC 8620 §5.3: stands before a creation id where the id is meant of what was created."""


class Arguments:
    """Whoever has read all that the method knows calls `finish`. Raises MethodFault throughout."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Given, and not null."""
        return self._given.get(name) is not None

    def id(self, name: str) -> str:
        found = self.optional_id(name)
        if found is None:
            raise invalid_arguments(f"{name} is needed")
        return found

    def optional_id(self, name: str) -> str | None:
        found = self._take(name)
        if found is not None and not is_id(found):
            raise _wrong(name, "an Id")
        return found

    def optional_reference(self, name: str) -> str | None:
        """An Id; or a reference to what was created, which is left for the caller to resolve."""
        found = self._take(name)
        if found is not None and not is_id_or_reference(found):
            raise _wrong(name, "an Id")
        return cast("str | None", found)  # as was just seen

    def text(self, name: str) -> str:
        found = self.optional_text(name)
        if found is None:
            raise invalid_arguments(f"{name} is needed")
        return found

    def optional_text(self, name: str) -> str | None:
        found = self._take(name)
        if found is not None and not isinstance(found, str):
            raise _wrong(name, "a String")
        return found

    def boolean(self, name: str, *, default: bool) -> bool:
        found = self._take(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise _wrong(name, "a Boolean")
        return found

    def integer(self, name: str, *, default: int) -> int:
        found = self._take(name)
        if found is None:
            return default
        if not _is_int(found):
            raise _wrong(name, "an Int")
        return found

    def optional_unsigned(self, name: str) -> int | None:
        found = self._take(name)
        if found is not None and not (_is_int(found) and found >= 0):
            raise _wrong(name, "an UnsignedInt")
        return found

    def ids(self, name: str) -> Sequence[str] | None:
        """None: not given, or null. Each once, as RFC 8620 §5.1 has it for /get. References to what was created are
        left for the caller to resolve."""
        found = self._take(name)
        if found is None:
            return None
        if not isinstance(found, list) or not all(map(is_id_or_reference, found)):
            raise _wrong(name, "an array of Ids")
        return list(dict.fromkeys(found))

    def texts(self, name: str) -> Sequence[str] | None:
        found = self._take(name)
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise _wrong(name, "an array of Strings")
        return found

    def array(self, name: str) -> Sequence[Any] | None:
        found = self._take(name)
        if found is not None and not isinstance(found, list):
            raise _wrong(name, "an array")
        return found

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object; what its members are is for whoever asks to see."""
        found = self._take(name)
        if found is not None and not isinstance(found, dict):
            raise _wrong(name, "an object")
        return found

    def objects(self, name: str) -> Mapping[str, Mapping[str, Any]] | None:
        """An object of objects by id, such as `create` of /set."""
        return self._objects(name, is_id)

    def updates(self, name: str) -> Mapping[str, Mapping[str, Any]] | None:
        """As objects, by ids or references, which are left for the caller to resolve: `update` of /set."""
        return self._objects(name, is_id_or_reference)

    def all(self) -> dict[str, Any]:
        """For who knows none of them."""
        return dict(self._given)

    def finish(self) -> None:
        unknown = self._given.keys() - self._read
        if unknown:
            raise invalid_arguments(f"unknown: {', '.join(sorted(unknown))}")

    def _objects(self, name: str, is_key: Callable[[object], bool]) -> Mapping[str, Mapping[str, Any]] | None:
        found = self.mapping(name)
        if found is not None and not all(is_key(key) and isinstance(each, dict) for key, each in found.items()):
            raise _wrong(name, "an object of objects, by Id")
        return found

    def _take(self, name: str) -> Any:  # noqa: ANN401  # JSON, before it is looked at
        self._read.add(name)
        return self._given.get(name)


def is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_id_or_reference(value: object) -> bool:
    return isinstance(value, str) and is_id(value.removeprefix(REFERENCE))


def _is_int(value: object) -> TypeGuard[int]:
    # RFC 8620 §1.3: a whole number, whose absolute value is below 2**53.
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INT


def _wrong(name: str, wanted: str) -> MethodFault:
    return invalid_arguments(f"{name} is not {wanted}")
