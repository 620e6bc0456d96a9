"""Email/parse: blobs as emails, which need not be in the store as such. RFC 8621 §4.9."""

import asyncio
from collections.abc import Sequence
from typing import Any

from mailstack.formats.digest import digest_message
from mailstack.formats.headers import scan_fields
from mailstack.model.errors import NotFound
from mailstack.model.objectid import MailBlob, blob_object_id, mail_blob_of
from mailstack.servers.jmap.email_object import EmailSource, email_object
from mailstack.servers.jmap.getting import check_count
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import read_blob
from mailstack.services.mailbox.bodies import WHOLE_OCTETS
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.mail.email_wanted import PARSED_BY_DEFAULT, STORED, EmailWanted, email_wanted
from mailstack.wire.jmap.session import MAIL


async def email_parse(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    ids = arguments.ids("blobIds")
    wanted = email_wanted(arguments, by_default=PARSED_BY_DEFAULT)
    arguments.finish()
    if ids is None:
        raise invalid_arguments("blobIds is needed")
    check_count(call, len(ids))
    return await _parsed(mail, ids, wanted)


METHOD = Method(name="Email/parse", capability=MAIL, run=email_parse)


async def _parsed(mail: AccountMail, ids: Sequence[str], wanted: EmailWanted) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    missing: list[str] = []
    hopeless: list[str] = []
    for each in ids:
        blob = mail_blob_of(mail.account_id, each)
        try:
            raw = None if blob is None else await read_blob(mail, blob)
        except NotFound:
            raw = None
        if blob is None or raw is None:
            missing.append(each)
            continue
        found = (
            _email(mail, blob, raw, wanted)
            if len(raw) <= WHOLE_OCTETS
            else await asyncio.to_thread(_email, mail, blob, raw, wanted)
        )
        if found is None:
            hopeless.append(each)
        else:
            parsed[each] = found
    return {
        "accountId": mail.account_id,
        "parsed": parsed or None,
        "notParsable": hopeless or None,
        "notFound": missing or None,
    }


def _email(mail: AccountMail, blob: MailBlob, raw: bytes, wanted: EmailWanted) -> dict[str, Any] | None:
    """None where there is not one header field, which no message is without (RFC 5322 §3.6)."""
    if not scan_fields(raw):
        return None
    # RFC 8621 §4.9: what only the store could say is null.
    said = {"blobId": blob_object_id(mail.account_id, blob), "size": len(raw)}
    source = EmailSource(
        stored={name: said.get(name) for name in STORED if name in wanted.names},
        digest=digest_message(raw),
        raw=raw,
        part_blob_id=lambda number: blob_object_id(mail.account_id, blob.part(number)),
    )
    return email_object(wanted, source)
