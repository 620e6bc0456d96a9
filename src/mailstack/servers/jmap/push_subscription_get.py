"""PushSubscription/get. RFC 8620 §7.2.1."""

from typing import Any

from mailstack.servers.jmap.getting import check_count, read_ids, read_properties
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.push_subscriptions import PRIVATE, PROPERTIES, push_object, subscriptions_of
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import CORE


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    ids = read_ids(call, arguments)
    if not {*PRIVATE}.isdisjoint(arguments.texts("properties") or ()):
        raise MethodFault(MethodFaultType.FORBIDDEN, "url and keys are told to nobody")
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    there = await subscriptions_of(call)
    if ids is None:
        check_count(call, len(there))
        ids = [*there]
    found = [push_object(there[each]) for each in ids if each in there]
    return {
        "list": [{name: each[name] for name in PROPERTIES if name in wanted} for each in found],
        "notFound": [each for each in ids if each not in there],
    }


METHOD = Method(name="PushSubscription/get", capability=CORE, run=run)
