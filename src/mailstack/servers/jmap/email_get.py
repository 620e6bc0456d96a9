"""Email/get. RFC 8621 §4.2."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from mailstack.model.email import PlacedEmail
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import AccountId, EmailId, MessageId
from mailstack.model.instant import iso
from mailstack.model.message import StoredMessage
from mailstack.model.objectid import (
    MailBlob,
    blob_object_id,
    email_id_of,
    email_object_id,
    mailbox_object_id,
    thread_object_id,
)
from mailstack.servers.jmap.email_object import EmailSource, email_object, needs_message
from mailstack.servers.jmap.getting import read_ids
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.bodies import WHOLE_OCTETS
from mailstack.services.mailbox.emails import placed
from mailstack.services.mailbox.everything import all_emails
from mailstack.services.mailbox.stored import log_damaged, read_stored
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.email_wanted import FETCHED_BY_DEFAULT, EmailWanted, email_wanted
from mailstack.wire.jmap.mail.keywords import write_keywords
from mailstack.wire.jmap.session import MAIL

MOST_OCTETS = 64 * 1024 * 1024
"""Of the messages that one call reads whole, where they are several."""
_PLACED = frozenset({"id", "blobId", "threadId", "mailboxIds", "keywords", "size"})


async def email_get(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = read_ids(call, arguments)
    wanted = email_wanted(arguments, by_default=FETCHED_BY_DEFAULT)
    arguments.finish()
    # Before the emails are looked at: what happens meanwhile is told once more, and not lost.
    state = await mail.changes.mod_seq(mail.account_id)
    if ids is None:
        there = await all_emails(mail, most=call.service.limits.objects_in_get)
        ids = [email_object_id(mail.account_id, EmailId(message_id)) for message_id in there]
    numbers = {each: _message_id(mail.account_id, each) for each in ids}
    found = await _emails(call, mail, wanted, [number for number in numbers.values() if number is not None])
    listed = {number: found[number] for number in numbers.values() if number is not None and number in found}
    return {
        "accountId": mail.account_id,
        "state": str(state),
        "list": list(listed.values()),
        "notFound": [each for each, number in numbers.items() if number not in found],
    }


METHOD = Method(name="Email/get", capability=MAIL, run=email_get)


def _message_id(account_id: AccountId, text: str) -> MessageId | None:
    number = email_id_of(account_id, text)
    return None if number is None else MessageId(number)


async def _emails(
    call: Call, mail: AccountMail, wanted: EmailWanted, message_ids: Sequence[MessageId]
) -> Mapping[MessageId, dict[str, Any]]:
    places = await placed(mail, message_ids)
    if wanted.names <= _PLACED and not wanted.headers:
        return {number: _stored(mail.account_id, email, wanted, None) for number, email in places.items()}
    if needs_message(wanted):
        octets = sum(email.size_bytes for email in places.values())
        if len(places) > 1 and octets > MOST_OCTETS:
            raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, "ask for fewer emails, or less of them")
        call.held.take(octets)
    # What is damaged is told in the log, and is not found: all others are answered.
    known, _ = await read_stored(mail.messages, mail.account_id, list(places))
    found: dict[MessageId, dict[str, Any]] = {}
    for message in known:
        try:
            found[message.message_id] = await _email(mail, places[message.message_id], message, wanted)
        except NotFound:
            # Destroyed meanwhile.
            continue
        except Damaged as fault:
            log_damaged(mail.account_id, message.message_id, fault)
    return found


async def _email(mail: AccountMail, email: PlacedEmail, message: StoredMessage, wanted: EmailWanted) -> dict[str, Any]:
    blob = MailBlob(message.message_id)
    raw = await mail.messages.read(mail.account_id, message.message_id) if needs_message(wanted) else None
    source = EmailSource(
        stored=_stored(mail.account_id, email, wanted, message),
        digest=message.digest,
        raw=raw,
        part_blob_id=lambda number: blob_object_id(mail.account_id, blob.part(number)),
    )
    write = partial(email_object, wanted, source)
    # Decoding takes seconds for 50 MB.
    return write() if raw is None or len(raw) <= WHOLE_OCTETS else await asyncio.to_thread(write)


def _stored(
    account_id: AccountId, email: PlacedEmail, wanted: EmailWanted, message: StoredMessage | None
) -> dict[str, Any]:
    """What the message itself does not say; RFC 8620 §5.1: the id, asked for or not."""
    names = wanted.names
    found: dict[str, Any] = {"id": email_object_id(account_id, EmailId(email.message_id))}
    if "blobId" in names:
        found["blobId"] = blob_object_id(account_id, MailBlob(email.message_id))
    if "threadId" in names:
        found["threadId"] = thread_object_id(account_id, email.thread_id)
    if "mailboxIds" in names:
        found["mailboxIds"] = {mailbox_object_id(account_id, each): True for each in sorted(email.mailbox_ids)}
    if "keywords" in names:
        found["keywords"] = write_keywords(email.keywords)
    if "size" in names:
        found["size"] = email.size_bytes
    if "receivedAt" in names and message is not None:
        found["receivedAt"] = iso(message.received_at)
    return found
