"""Quota/query. RFC 9425 §4.4."""

from collections.abc import Mapping
from typing import Any

from mailstack.formats.collation import casemap
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.quotas import quota_facts, quota_object, quota_state
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.filter import Operator, read_filter, unsupported_filter
from mailstack.wire.jmap.matching import Test, combined, everything
from mailstack.wire.jmap.session import QUOTA
from mailstack.wire.jmap.sort import read_sort, unsupported_sort
from mailstack.wire.jmap.window import read_window

_Object = Mapping[str, Any]
_Test = Test[_Object]
_SORTED_BY = frozenset({"name", "used"})


def read_query(arguments: Arguments) -> _Test:
    """Of /query and of /queryChanges. An order has no use: there is one Quota at most. Raises MethodFault."""
    read_sort(arguments.array("sort"), key=_key)
    given = arguments.mapping("filter")
    return everything if given is None else read_filter(given, condition=_condition, combine=combined)


async def found(call: Call, mail: AccountMail, matches: _Test) -> tuple[str, list[str]]:
    """The state, and ids."""
    facts = await quota_facts(call, mail)
    known = [] if facts is None else [quota_object(mail.account_id, facts)]
    return quota_state(facts), [each["id"] for each in known if matches(each)]


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    matches = read_query(arguments)
    window = read_window(arguments)
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    state, ids = await found(call, mail, matches)
    return {
        "accountId": mail.account_id,
        "queryState": state,
        "canCalculateChanges": False,
        **window.answer(ids, of=call.id_of, is_counted=is_counted),
    }


def _condition(given: Mapping[str, Any]) -> _Test:
    arguments = Arguments(given)
    tests: list[_Test] = []
    for name in given:
        match name:
            case "name":
                tests.append(_with_name(arguments.text(name)))
            case "scope" | "resourceType":
                tests.append(_with(name, arguments.text(name)))
            case "type":
                tests.append(_with_type(arguments.text(name)))
            case _:
                raise unsupported_filter(f"there is no condition {name[:100]}")
    return combined(Operator.AND, tests)


def _with_name(text: str) -> _Test:
    return lambda one: casemap(text) in casemap(one["name"])


def _with(name: str, text: str) -> _Test:
    return lambda one: one[name] == text


def _with_type(text: str) -> _Test:
    return lambda one: text in one["types"]


def _key(name: str, _: bool, __: Arguments) -> str:
    if name not in _SORTED_BY:
        raise unsupported_sort(f"quotas are not sorted by {name[:100]}")
    return name


METHOD = Method(name="Quota/query", capability=QUOTA, run=run)
