"""Thread/get. RFC 8621 §3.1."""

from typing import Any

from mailstack.model.ids import EmailId
from mailstack.model.objectid import email_object_id, thread_id_of, thread_object_id
from mailstack.servers.jmap.getting import read_ids, read_properties
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.everything import all_threads
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import MAIL

PROPERTIES = ("id", "emailIds")


async def thread_get(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    # Before the threads are looked at: what happens meanwhile is told once more, and not lost.
    state = await mail.changes.mod_seq(mail.account_id)
    if ids is None:
        there = await all_threads(mail, most=call.service.limits.objects_in_get)
        ids = [thread_object_id(mail.account_id, thread_id) for thread_id in there]
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
