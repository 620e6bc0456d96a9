"""SieveScript/query. RFC 9661 §2.5; there is no queryChanges."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mailstack.formats.collation import casemap
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.script import ScriptEntry
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.sieve_scripts import scripts_by_id
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.filter import Operator, read_filter, unsupported_filter
from mailstack.wire.jmap.matching import Test, combined, everything
from mailstack.wire.jmap.session import SIEVE
from mailstack.wire.jmap.sort import read_sort, unsupported_sort
from mailstack.wire.jmap.states import write_object_state
from mailstack.wire.jmap.window import read_window

_Test = Test[ScriptEntry]
_Key = Callable[[ScriptEntry], str | bool]
_KEYS: Mapping[str, _Key] = {"name": lambda one: casemap(one.name), "isActive": lambda one: one.is_active}


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    given = arguments.mapping("filter")
    matches = everything if given is None else read_filter(given, condition=_condition, combine=combined)
    keys = read_sort(arguments.array("sort"), key=_key)
    window = read_window(arguments)
    is_counted = arguments.boolean("calculateTotal", default=False)
    arguments.finish()
    number = await call.service.object_journal.number(account.account_id, ObjectKind.SCRIPT)
    found = [(key, one) for key, one in (await scripts_by_id(call, account)).items() if matches(one)]
    for of, is_descending in reversed(keys):
        found.sort(key=partial(_of_script, of), reverse=is_descending)
    ids = [key for key, _ in found]
    return {
        "accountId": account.account_id,
        "queryState": write_object_state(JournalPoint(number)),
        "canCalculateChanges": False,
        **window.answer(ids, of=call.id_of, is_counted=is_counted),
    }


def _of_script(of: _Key, found: tuple[str, ScriptEntry]) -> str | bool:
    return of(found[1])


def _condition(given: Mapping[str, Any]) -> _Test:
    arguments = Arguments(given)
    tests: list[_Test] = []
    for name in given:
        match name:
            case "name":
                tests.append(_with_name(casemap(arguments.text(name))))
            case "isActive":
                if not arguments.has(name):
                    raise invalid_arguments("isActive is a Boolean")
                tests.append(_with_activity(is_active=arguments.boolean(name, default=False)))
            case _:
                raise unsupported_filter(f"there is no condition {name[:100]}")
    return combined(Operator.AND, tests)


def _with_name(text: str) -> _Test:
    return lambda one: text in casemap(one.name)


def _with_activity(*, is_active: bool) -> _Test:
    return lambda one: one.is_active is is_active


def _key(name: str, is_descending: bool, _: Arguments) -> tuple[_Key, bool]:
    if name not in _KEYS:
        raise unsupported_sort(f"scripts are not sorted by {name[:100]}")
    return _KEYS[name], is_descending


METHOD = Method(name="SieveScript/query", capability=SIEVE, run=run)
