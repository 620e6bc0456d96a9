"""Mailbox/get. RFC 8621 §2.1."""

from typing import Any

from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.getting import check_count, read_ids, read_properties
from mailstack.servers.jmap.mailbox_object import COUNTS, PROPERTIES, mailbox_object
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.mailboxes_seen import NOTHING_KNOWN, mailbox_counts, seen_mailboxes
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import MAIL


async def mailbox_get(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = read_properties(arguments, PROPERTIES)
    arguments.finish()
    # Before the mailboxes are looked at: what happens meanwhile is told once more, and not lost.
    state = await mail.changes.mod_seq(mail.account_id)
    known = {
        mailbox_object_id(mail.account_id, mailbox_id): seen
        for mailbox_id, seen in (await seen_mailboxes(mail)).items()
    }
    if ids is None:
        check_count(call, len(known))
        ids = [*known]
    is_counted = not wanted.isdisjoint(COUNTS)
    listed: list[dict[str, Any]] = []
    for found in (known[each] for each in ids if each in known):
        counts = await mailbox_counts(mail, found) if is_counted else NOTHING_KNOWN
        whole = mailbox_object(mail.account_id, found, counts)
        listed.append({name: whole[name] for name in PROPERTIES if name in wanted})
    return {
        "accountId": mail.account_id,
        "state": str(state),
        "list": listed,
        "notFound": [each for each in ids if each not in known],
    }


METHOD = Method(name="Mailbox/get", capability=MAIL, run=mailbox_get)
