"""New emails of what a client gives: properties, or a blob that is a message. RFC 8621 §4.6, §4.8."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from mailstack.model.email import PlacedEmail
from mailstack.model.errors import Conflict, DomainError, NotFound
from mailstack.model.ids import AccountId, EmailId, MailboxId
from mailstack.model.objectid import (
    MailBlob,
    blob_object_id,
    email_object_id,
    mailbox_id_of,
    thread_object_id,
)
from mailstack.servers.jmap.blob_named import open_named
from mailstack.servers.jmap.email_message import Making, check_blobs, message_of
from mailstack.servers.jmap.errors import set_fault
from mailstack.servers.jmap.held_state import HeldState
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from mailstack.services.mailbox.blobs import read_whole
from mailstack.services.mailbox.emails import create
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.email_given import blobs_of, given_email

TOKEN_OCTETS = 16


Make = Callable[[Call, AccountMail, Mapping[str, Any], HeldState], Awaitable[PlacedEmail]]
"""One email of what is given. Raises NotSet, DomainError."""


async def make_each(
    call: Call, mail: AccountMail, wanted: Mapping[str, Mapping[str, Any]], make: Make, held: HeldState
) -> tuple[dict[str, Any], dict[str, SetFault]]:
    """What the client is told of those that were made, by creation id, and why others were not. Raises MethodFault."""
    created: dict[str, Any] = {}
    faults: dict[str, SetFault] = {}
    for key, given in wanted.items():
        # What is refused waits for nothing, and others are let in between.
        await asyncio.sleep(0)
        try:
            email = await make(call, mail, given, held)
            created[key] = made_object(mail.account_id, email)
            call.created[key] = created[key]["id"]
        except NotSet as refusal:
            faults[key] = refusal.fault
        except Conflict as refusal:
            faults[key] = held.lost(refusal)
        except DomainError as refusal:
            faults[key] = set_fault(refusal)
    return created, faults


async def make_email(call: Call, mail: AccountMail, given: Mapping[str, Any], held: HeldState) -> PlacedEmail:
    """Raises NotSet, DomainError."""
    email = given_email(given)
    mailbox_ids = mailboxes_named(call, mail, email.mailbox_ids)
    blobs = await _blobs(call, mail, list(blobs_of(email.body)))
    check_blobs(email, blobs)
    now = call.service.clock()
    making = Making(now=now, token=call.service.token(TOKEN_OCTETS).hex(), domain=_domain(mail))
    received_at = now if email.received_at is None else email.received_at
    raw = message_of(email, blobs, making)
    if len(raw) > call.service.limits.message_octets:
        raise NotSet(SetFault(type=SetFaultType.TOO_LARGE))
    arrival = Arrival(raw=raw, flags=sorted(email.keywords), received_at=received_at)
    return await keep(mail, mailbox_ids, arrival, held)


async def keep(mail: AccountMail, mailbox_ids: Collection[MailboxId], arrival: Arrival, held: HeldState) -> PlacedEmail:
    """Raises NotSet where there is no such mailbox; DomainError."""
    try:
        made = await create(mail, mailbox_ids, arrival, if_mod_seq=held.mod_seq)
    except NotFound:
        raise invalid_property("mailboxIds", "there is no such mailbox") from None
    held.wrote(max(place.mod_seq for place in made.places))
    return made


def mailboxes_named(call: Call, mail: AccountMail, given: Sequence[str]) -> frozenset[MailboxId]:
    """Raises NotSet for an id of nothing."""
    found = {each: mailbox_id_of(mail.account_id, call.id_of(each)) for each in given}
    missing = [each for each, mailbox_id in found.items() if mailbox_id is None]
    if missing:
        raise invalid_property("mailboxIds", f"there is no mailbox {missing[0]}")
    return frozenset(mailbox_id for mailbox_id in found.values() if mailbox_id is not None)


def made_object(account_id: AccountId, email: PlacedEmail) -> dict[str, Any]:
    """RFC 8621 §4.6: what the client is told of an email that was made."""
    return {
        "id": email_object_id(account_id, EmailId(email.message_id)),
        "blobId": blob_object_id(account_id, MailBlob(email.message_id)),
        "threadId": thread_object_id(account_id, email.thread_id),
        "size": email.size_bytes,
    }


async def _blobs(call: Call, mail: AccountMail, wanted: Sequence[str]) -> Mapping[str, bytes]:
    """Those that there are. Raises NotSet where they are too much for one message."""
    found: dict[str, bytes] = {}
    limits = call.service.limits
    left = limits.attachments_octets
    for each in dict.fromkeys(wanted):
        try:
            blob = await open_named(call, mail, call.id_of(each))
            left -= blob.size_octets * wanted.count(each)
            if left < 0:
                raise NotSet(
                    SetFault(
                        type=SetFaultType.TOO_LARGE,
                        description=f"maxSizeAttachmentsPerEmail is {limits.attachments_octets}",
                    )
                )
            found[each] = await read_whole(blob)
        except NotFound:
            continue
    return found


def _domain(mail: AccountMail) -> str:
    return mail.account.login.rpartition("@")[2]
