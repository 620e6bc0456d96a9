"""Arguments that are taken from what earlier calls of the request were answered. RFC 8620 §3.7, RFC 6901.

Only earlier ones can be referred to, so nothing refers to itself; what all references bring together is bounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments

MARK = "#"
MAX_STEPS = 32
"""Of one path."""
_ITEM_OCTETS = 16
"""Of an item that a path goes through, whatever comes of it: to look at one takes about as long as to write so much."""


class Results:
    """What was answered so far. octets: how much all references of the request may bring or go through, about as it is
    written."""

    def __init__(self, *, octets: int) -> None:
        self._responses: list[tuple[str, Mapping[str, Any], str]] = []
        self._left = octets

    def add(self, name: str, arguments: Mapping[str, Any], call_id: str) -> None:
        self._responses.append((name, arguments, call_id))

    def resolve(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """With a value for each reference. Raises MethodFault."""
        if not any(name.startswith(MARK) for name in arguments):
            return arguments
        found: dict[str, Any] = {}
        for name, value in arguments.items():
            plain = name.removeprefix(MARK)
            # RFC 8620 §3.7: the same argument given and referred to.
            if name != plain and plain in arguments:
                raise invalid_arguments(f"{plain} is there twice, once as a reference")
            found[plain] = value if name == plain else self._referred(value)
        return found

    def _referred(self, reference: object) -> Any:  # noqa: ANN401  # JSON of whatever shape
        match reference:
            case {"resultOf": str(call_id), "name": str(name), "path": str(path)}:
                value = self._followed(self._response(call_id, name), _steps(path))
            case _:
                raise _unresolved("a reference has resultOf, name and path, all of them Strings")
        self._take(_weight(value, most=self._left))
        return value

    def _take(self, octets: int) -> None:
        self._left -= octets
        if self._left < 0:
            raise _unresolved("the references of this request bring too much")

    def _followed(self, value: Any, steps: Sequence[str]) -> Any:  # noqa: ANN401  # JSON of whatever shape
        for index, step in enumerate(steps):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step == "*":
                self._take(_ITEM_OCTETS * len(value))
                # RFC 8620 §3.7: to each item; what gives an array gives its items.
                return [each for item in value for each in _flat(self._followed(item, steps[index + 1 :]))]
            elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
                value = value[int(step)]
            else:
                raise _unresolved("the path leads to nothing")
        return value

    def _response(self, call_id: str, name: str) -> Mapping[str, Any]:
        # RFC 8620 §3.7: the first response of that call, and only where it has that name: an error has not.
        for response_name, arguments, response_id in self._responses:
            if response_id == call_id:
                if response_name != name:
                    break
                return arguments
        raise _unresolved("no call before this one has that id and was answered with that name")


def _steps(path: str) -> Sequence[str]:
    # RFC 6901 §3: json-pointer = *( "/" reference-token )
    if path and not path.startswith("/"):
        raise _unresolved("a path is empty or begins with /")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    if len(steps) > MAX_STEPS:
        raise _unresolved(f"a path has at most {MAX_STEPS} steps")
    return steps


def _flat(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _is_index(step: str) -> bool:
    # RFC 6901 §4: array-index = %x30 / ( %x31-39 *(%x30-39) )
    return step.isascii() and step.isdigit() and len(step) < 10 and (step == "0" or step[0] != "0")


def _weight(value: object, *, most: int) -> int:
    """As far as most."""
    weight = 0
    for octets in _octets(value):
        weight += octets
        if weight > most:
            break
    return weight


def _octets(value: object) -> Iterator[int]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield len(each) + 3
        elif isinstance(each, dict):
            yield 2 + sum(len(name) + 4 for name in each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            yield 2
            waiting.extend(each)
        else:
            yield 5


def _unresolved(description: str) -> MethodFault:
    return MethodFault(MethodFaultType.INVALID_RESULT_REFERENCE, description)
