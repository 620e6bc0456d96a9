"""EmailSubmission/query. RFC 8621 §7.3."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mailstack.model.email_submission import SubmissionHead
from mailstack.model.ids import AccountId, EmailId
from mailstack.model.instant import Instant
from mailstack.model.objectid import email_object_id, thread_object_id
from mailstack.servers.jmap.email_submissions import submission_state
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.dates import read_date
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.filter import Operator, read_filter, unsupported_filter
from mailstack.wire.jmap.matching import combined
from mailstack.wire.jmap.session import SUBMISSION
from mailstack.wire.jmap.sort import read_sort, unsupported_sort
from mailstack.wire.jmap.window import read_window

_Test = Callable[[SubmissionHead], bool]
_Key = Callable[[SubmissionHead], int]
_KEYS: Mapping[str, _Key] = {
    "emailId": lambda head: head.message_id,
    "threadId": lambda head: head.thread_id,
    "sentAt": lambda head: head.send_at,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionQuery:
    """keys: each with whether it descends, the first counts most."""

    matches: _Test
    keys: Sequence[tuple[_Key, bool]]

    def of(self, heads: Sequence[SubmissionHead]) -> list[str]:
        """Ids. heads: in the order that is left where the keys say nothing."""
        found = [head for head in heads if self.matches(head)]
        for key, is_descending in reversed(self.keys):
            found.sort(key=key, reverse=is_descending)
        return [head.submission_id for head in found]


def read_query(arguments: Arguments, account_id: AccountId) -> SubmissionQuery:
    """Of /query and of /queryChanges. Raises MethodFault."""
    keys = read_sort(arguments.array("sort"), key=_key)
    given = arguments.mapping("filter")
    if given is None:
        return SubmissionQuery(matches=_any, keys=keys)
    matches = read_filter(given, condition=partial(_condition, account_id), combine=combined)
    return SubmissionQuery(matches=matches, keys=keys)


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account_id = (await require_own(call, arguments.id("accountId"))).account_id
    query = read_query(arguments, account_id)
    window = read_window(arguments)
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    found = await call.service.sending.kept.heads(account_id)
    ids = query.of(found.heads)
    return {
        "accountId": account_id,
        "queryState": submission_state(found.number),
        "canCalculateChanges": True,
        **window.answer(ids, of=call.id_of, is_counted=is_counted),
    }


METHOD = Method(name="EmailSubmission/query", capability=SUBMISSION, run=run)


def _any(_: SubmissionHead) -> bool:
    return True


def _key(name: str, is_descending: bool, _: Arguments) -> tuple[_Key, bool]:
    if name not in _KEYS:
        raise unsupported_sort(f"submissions are not sorted by {name[:100]}")
    return _KEYS[name], is_descending


def _condition(account_id: AccountId, given: Mapping[str, Any]) -> _Test:
    arguments = Arguments(given)
    return combined(Operator.AND, [_test(account_id, arguments, name) for name in given])


def _test(account_id: AccountId, arguments: Arguments, name: str) -> _Test:
    match name:
        case "identityIds":
            identities = _ids(arguments, name)
            return lambda head: head.identity_id in identities
        case "emailIds":
            emails = _ids(arguments, name)
            return lambda head: email_object_id(account_id, EmailId(head.message_id)) in emails
        case "threadIds":
            threads = _ids(arguments, name)
            return lambda head: thread_object_id(account_id, head.thread_id) in threads
        case "undoStatus":
            status = arguments.text(name)
            return lambda head: head.undo_status == status
        case "before":
            before = _moment(arguments, name)
            return lambda head: head.send_at < before
        case "after":
            after = _moment(arguments, name)
            return lambda head: head.send_at >= after
        case _:
            raise unsupported_filter(f"there is no condition {name[:100]}")


def _ids(arguments: Arguments, name: str) -> frozenset[str]:
    found = arguments.ids(name)
    if found is None:
        raise invalid_arguments(f"{name} is not an array of Ids")
    return frozenset(found)


def _moment(arguments: Arguments, name: str) -> Instant:
    found = read_date(arguments.text(name))
    if found is None:
        raise invalid_arguments(f"{name} is not a UTCDate")
    return found[0]
