"""Quota/get. RFC 9425 §4.2."""

from typing import Any

from mailstack.servers.jmap.getting import read_ids, read_properties
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.quotas import PROPERTIES, quota_facts, quota_id, quota_object, quota_state
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import QUOTA


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    facts = await quota_facts(call, mail)
    known = {} if facts is None else {quota_id(mail.account_id): quota_object(mail.account_id, facts)}
    ids = [*known] if ids is None else ids
    found = [known[each] for each in ids if each in known]
    return {
        "accountId": mail.account_id,
        "state": quota_state(facts),
        "list": [{name: each[name] for name in PROPERTIES if name in wanted} for each in found],
        "notFound": [each for each in ids if each not in known],
    }


METHOD = Method(name="Quota/get", capability=QUOTA, run=run)
