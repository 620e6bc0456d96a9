"""Filters and orders of Mailbox/query. RFC 8621 §2.3."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.model.sorting import Collation
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.filter import Operator, read_filter, unsupported_filter
from mailstack.wire.jmap.matching import combined, everything
from mailstack.wire.jmap.sort import collation_of, read_sort, unsupported_sort


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxFacts:
    """What a Mailbox is found and sorted by, as the client sees it."""

    id: str
    parent_id: str | None
    name: str
    role: str | None
    sort_order: int
    is_subscribed: bool


_Test = Callable[[MailboxFacts], bool]
_Key = tuple[Callable[[MailboxFacts], Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxQuery:
    """keys: with whether each descends. is_sorted_as_tree, is_filtered_as_tree: RFC 8621 §2.3."""

    matches: _Test
    keys: Sequence[_Key]
    is_sorted_as_tree: bool
    is_filtered_as_tree: bool

    def find(self, mailboxes: Collection[MailboxFacts]) -> list[str]:
        """Ids of those that match, in the order asked for; by id where it leaves anything open."""
        found = {one.id for one in mailboxes if self.matches(one)}
        listed = [one.id for one in self._sorted(mailboxes)]
        parents = {one.id: one.parent_id for one in mailboxes}
        if self.is_filtered_as_tree:
            found = {one for one in found if found.issuperset(_above(one, parents))}
        return [one for one in listed if one in found]

    def _sorted(self, mailboxes: Collection[MailboxFacts]) -> list[MailboxFacts]:
        order = sorted(mailboxes, key=lambda one: one.id)
        # Each pass leaves equals as they were, so the last key comes first.
        for key, is_reverse in reversed(self.keys):
            order.sort(key=key, reverse=is_reverse)
        return _as_tree(order) if self.is_sorted_as_tree else order


def read_mailbox_query(
    arguments: Arguments,
    *,
    id_of: Callable[[str], str],
    folded: Callable[[str], str],
    folds: Mapping[Collation, Callable[[str], str]],
) -> MailboxQuery:
    """id_of: what a reference stands for. folded: of names, what those have in common that differ in case only.
    folds: what is compared of them. Raises MethodFault."""
    given = arguments.mapping("filter")

    def key(name: str, is_reverse: bool, comparator: Arguments) -> _Key:
        return _key(name, folds[collation_of(comparator)]), is_reverse

    def condition(each: Mapping[str, Any]) -> _Test:
        return _condition(each, id_of, folded)

    return MailboxQuery(
        matches=everything if given is None else read_filter(given, condition=condition, combine=combined),
        keys=read_sort(arguments.array("sort"), key=key),
        is_sorted_as_tree=arguments.boolean("sortAsTree", default=False),
        is_filtered_as_tree=arguments.boolean("filterAsTree", default=False),
    )


def _above(mailbox_id: str, parents: Mapping[str, str | None]) -> Sequence[str]:
    found: list[str] = []
    above = parents[mailbox_id]
    while above is not None and above in parents:
        found.append(above)
        above = parents[above]
    return found


def _as_tree(order: Sequence[MailboxFacts]) -> list[MailboxFacts]:
    """Each before what lies below it, and siblings as they were. RFC 8621 §2.3: what is compared of two that are no
    siblings are those above them that are."""
    known = {one.id for one in order}
    below: dict[str | None, list[MailboxFacts]] = {}
    for one in order:
        below.setdefault(one.parent_id if one.parent_id in known else None, []).append(one)
    found: list[MailboxFacts] = []
    ahead = below.get(None, [])[::-1]
    while ahead:
        one = ahead.pop()
        found.append(one)
        ahead += reversed(below.get(one.id, ()))
    return found


def _condition(given: Mapping[str, Any], id_of: Callable[[str], str], folded: Callable[[str], str]) -> _Test:
    arguments = Arguments(given)
    tests: list[_Test] = []
    for name in given:
        match name:
            case "parentId":
                parent = arguments.optional_reference(name)
                tests.append(_with_parent(None if parent is None else id_of(parent)))
            case "role":
                tests.append(_with_role(arguments.optional_text(name)))
            case "name":
                tests.append(_with_name(folded(arguments.text(name)), folded))
            case "hasAnyRole":
                tests.append(_with_any_role if _required(arguments, name) else lambda one: one.role is None)
            case "isSubscribed":
                tests.append(_subscribed if _required(arguments, name) else lambda one: not one.is_subscribed)
            case _:
                raise unsupported_filter(f"there is no condition {name[:100]}")
    return combined(Operator.AND, tests)


def _required(arguments: Arguments, name: str) -> bool:
    if not arguments.has(name):
        raise invalid_arguments(f"{name} is not a Boolean")
    return arguments.boolean(name, default=False)


# RFC 8621 §2.3: null is a value where a Mailbox can have none: nothing stands above it, it has no role.
def _with_parent(parent_id: str | None) -> _Test:
    return lambda one: one.parent_id == parent_id


def _with_role(role: str | None) -> _Test:
    return lambda one: one.role == role


def _with_name(text: str, folded: Callable[[str], str]) -> _Test:
    return lambda one: text in folded(one.name)


def _with_any_role(one: MailboxFacts) -> bool:
    return one.role is not None


def _subscribed(one: MailboxFacts) -> bool:
    return one.is_subscribed


def _key(name: str, fold: Callable[[str], str]) -> Callable[[MailboxFacts], Any]:
    match name:
        case "name":
            return lambda one: fold(one.name)
        case "sortOrder":
            return lambda one: one.sort_order
        case _:
            raise unsupported_sort(f"mailboxes are not sorted by {name[:100]}")
