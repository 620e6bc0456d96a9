"""Blob/lookup: what of an account refers to blobs. RFC 9404 §4.3."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.email import PlacedEmail
from mailstack.model.errors import NotFound, TooLarge
from mailstack.model.ids import EmailId, MessageId
from mailstack.model.objectid import email_object_id, mail_blob_of, mailbox_object_id, thread_object_id
from mailstack.servers.jmap.blob_reading import BlobReading
from mailstack.servers.jmap.getting import check_count
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.sieve_scripts import scripts_by_blob
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments
from mailstack.wire.jmap.session import BLOB, MAIL, SIEVE

TYPES = {"Mailbox": MAIL, "Thread": MAIL, "Email": MAIL, "SieveScript": SIEVE}
"""By name, the capability that a request has to be using as well."""


async def blob_lookup(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    types, ids = arguments.texts("typeNames"), arguments.ids("ids")
    arguments.finish()
    if types is None or ids is None:
        raise invalid_arguments("typeNames and ids are needed")
    check_count(call, len(ids))
    unknown = [name for name in types if TYPES.get(name) not in call.using]
    if unknown:
        raise MethodFault(MethodFaultType.UNKNOWN_DATA_TYPE, ", ".join(unknown))
    looking = _Looking(mail, BlobReading(call, mail))
    wanted = [*dict.fromkeys(map(call.id_of, ids))]
    await looking.find(wanted)
    by_blob = await scripts_by_blob(call, mail) if "SieveScript" in types else {}
    listed = []
    for each in wanted:
        try:
            found = {**await looking.matched(each), "SieveScript": by_blob.get(each, [])}
        except TooLarge as fault:
            raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, fault.detail) from None
        listed.append({"id": each, "matchedIds": {name: found.get(name, []) for name in types}})
    # RFC 9404 §4.3: nothing tells a blob that is not there from one that nothing refers to, or that may not be seen.
    return {"accountId": mail.account_id, "list": listed, "notFound": []}


METHOD = Method(name="Blob/lookup", capability=BLOB, run=blob_lookup)


class _Looking:
    def __init__(self, mail: AccountMail, reading: BlobReading) -> None:
        self._mail = mail
        self._reading = reading
        self._places: Mapping[MessageId, PlacedEmail] = {}

    async def find(self, object_ids: Sequence[str]) -> None:
        """The emails that all of them are about, in one question."""
        named = [mail_blob_of(self._mail.account_id, each) for each in object_ids]
        self._places = await emails.placed(self._mail, {each.message_id for each in named if each is not None})

    async def matched(self, object_id: str) -> Mapping[str, Sequence[str]]:
        """Raises TooLarge."""
        account_id = self._mail.account_id
        named = mail_blob_of(account_id, object_id)
        email = None if named is None else self._places.get(named.message_id)
        if named is None or email is None:
            return {}
        if named.leaf is not None:
            try:
                await self._reading.open(object_id)
            except NotFound:
                return {}
        return {
            "Email": [email_object_id(account_id, EmailId(email.message_id))],
            "Thread": [thread_object_id(account_id, email.thread_id)],
            "Mailbox": [mailbox_object_id(account_id, each) for each in sorted(email.mailbox_ids)],
        }
