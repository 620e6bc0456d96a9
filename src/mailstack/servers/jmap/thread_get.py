"""Thread/get. RFC 8621 §3.1."""

from typing import Any

from mailstack.model.ids import EmailId
from mailstack.model.objectid import email_object_id, thread_id_of
from mailstack.servers.jmap.getting import read_ids, read_properties
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox import emails
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import MAIL

PROPERTIES = ("id", "emailIds")


async def thread_get(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    if ids is None:
        # RFC 8620 §5.1: all are answered where that is supported, and here there may be any number.
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, "threads are asked for by their ids")
    # Before the threads are looked at: what happens meanwhile is told once more, and not lost.
    state = await mail.changes.mod_seq(mail.account_id)
    numbers = {each: thread_id_of(mail.account_id, each) for each in ids}
    asked = [number for number in numbers.values() if number is not None]
    members = await emails.of_threads(mail, asked)
    listed: list[dict[str, Any]] = []
    missing: list[str] = []
    for each, number in numbers.items():
        if number is None or number not in members:
            missing.append(each)
            continue
        # RFC 8621 §3: the one that was received first comes first.
        email_ids = [email_object_id(mail.account_id, EmailId(message_id)) for message_id in members[number]]
        whole = {"id": each, "emailIds": email_ids}
        listed.append({name: whole[name] for name in PROPERTIES if name in wanted})
    return {"accountId": mail.account_id, "state": str(state), "list": listed, "notFound": missing}


METHOD = Method(name="Thread/get", capability=MAIL, run=thread_get)
