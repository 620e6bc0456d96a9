"""Email/import. RFC 8621 §4.8."""

from collections.abc import Mapping
from typing import Any

from mailstack.formats.headers import scan_fields
from mailstack.formats.received import last_hop
from mailstack.model.email import PlacedEmail
from mailstack.model.errors import Invalid, NotFound
from mailstack.model.flags import NO_KEYWORDS
from mailstack.servers.jmap.blob_named import open_named
from mailstack.servers.jmap.email_making import keep, mailboxes_named, make_each
from mailstack.servers.jmap.held_state import HeldState, hold_state
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from mailstack.services.mailbox.blobs import read_whole
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import (
    MethodFault,
    MethodFaultType,
    NotSet,
    SetFault,
    SetFaultType,
    invalid_arguments,
    invalid_property,
)
from mailstack.wire.jmap.mail.message_given import given_message
from mailstack.wire.jmap.session import MAIL


async def email_import(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    wanted = arguments.objects("emails")
    before = await mail.changes.mod_seq(mail.account_id)
    held = hold_state(arguments, before)
    arguments.finish()
    if wanted is None:
        raise invalid_arguments("emails is needed")
    if len(wanted) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    created, faults = await make_each(call, mail, wanted, _import, held)
    return {
        "accountId": mail.account_id,
        "oldState": str(before),
        "newState": held.new_state(await mail.changes.mod_seq(mail.account_id)),
        "created": created or None,
        "notCreated": {key: fault.as_json() for key, fault in faults.items()} or None,
    }


METHOD = Method(name="Email/import", capability=MAIL, run=email_import)


async def _import(call: Call, mail: AccountMail, given: Mapping[str, Any], held: HeldState) -> PlacedEmail:
    """A message that is there already is there twice then, as after APPEND. Raises NotSet, DomainError."""
    wanted = given_message(given, of="blobId")
    mailbox_ids = mailboxes_named(call, mail, wanted.mailbox_ids)
    raw = await _blob(call, mail, wanted.source)
    fields = scan_fields(raw)
    if not fields:
        # RFC 5322 §3.6: no message is without any.
        raise _invalid_email("there is no header field in it")
    received_at = wanted.received_at or last_hop(fields) or call.service.clock()
    flags = sorted(NO_KEYWORDS if wanted.keywords is None else wanted.keywords)
    try:
        return await keep(mail, mailbox_ids, Arrival(raw=raw, flags=flags, received_at=received_at), held)
    except Invalid as fault:
        raise _invalid_email(str(fault)) from None


async def _blob(call: Call, mail: AccountMail, given: str) -> bytes:
    try:
        blob = await open_named(call, mail, call.id_of(given))
        if blob.size_octets > call.service.limits.message_octets:
            raise NotSet(SetFault(type=SetFaultType.TOO_LARGE))
        return await read_whole(blob)
    except NotFound:
        # RFC 8621 §4.8: an id of nothing is an invalid property, too.
        raise invalid_property("blobId", "there is no such blob") from None


def _invalid_email(description: str) -> NotSet:
    return NotSet(SetFault(type=SetFaultType.INVALID_EMAIL, description=description))
