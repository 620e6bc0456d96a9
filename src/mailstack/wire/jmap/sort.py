"""The order that a query asks for. RFC 8620 §5.5: Comparators."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from mailstack.model.sorting import Collation
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments

MAX_COMPARATORS = 16
# Deviates: RFC 8620 §5.5 has these beside the comparators. jmapc writes them into each as well, where they say nothing.
_OF_THE_QUERY = frozenset({"position", "anchor", "anchorOffset", "limit", "calculateTotal"})

_T = TypeVar("_T")


def read_sort(given: Sequence[Any] | None, *, key: Callable[[str, bool, Arguments], _T]) -> list[_T]:
    """key: from the property, whether it descends, and what else the comparator has. Raises MethodFault."""
    comparators = given or ()
    if len(comparators) > MAX_COMPARATORS:
        raise unsupported_sort(f"a sort has at most {MAX_COMPARATORS} comparators")
    return [_key(comparator, key) for comparator in comparators]


def unsupported_sort(description: str) -> MethodFault:
    return MethodFault(MethodFaultType.UNSUPPORTED_SORT, description)


def _key(comparator: object, key: Callable[[str, bool, Arguments], _T]) -> _T:
    if not isinstance(comparator, Mapping):
        raise invalid_arguments("a comparator is an object")
    arguments = Arguments({name: value for name, value in comparator.items() if name not in _OF_THE_QUERY})
    name = arguments.text("property")
    is_ascending = arguments.boolean("isAscending", default=True)
    collation_of(arguments)
    found = key(name, not is_ascending, arguments)
    arguments.finish()
    return found


def collation_of(arguments: Arguments) -> Collation:
    """Of a comparator. Raises MethodFault."""
    wanted = arguments.optional_text("collation")
    # RFC 8620 §5.5: where nothing is said, it is the server's to choose.
    if wanted is None:
        return Collation.UNICODE
    if wanted not in [*Collation]:
        raise unsupported_sort(f"texts are compared by {', '.join(Collation)}")
    return Collation(wanted)
