"""Email/parse: blobs as emails, which need not be in the store as such. RFC 8621 §4.9."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from mailstack.formats.digest import digest_message
from mailstack.formats.headers import scan_fields
from mailstack.model.errors import NotFound
from mailstack.servers.jmap.blob_named import open_named, part_id
from mailstack.servers.jmap.email_get import MOST_OCTETS
from mailstack.servers.jmap.email_object import EmailSource, email_object
from mailstack.servers.jmap.getting import check_count
from mailstack.servers.jmap.method import Call, Method
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import read_whole
from mailstack.services.mailbox.bodies import WHOLE_OCTETS
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments
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
    return await _parsed(call, mail, ids, wanted)


METHOD = Method(name="Email/parse", capability=MAIL, run=email_parse)


async def _parsed(call: Call, mail: AccountMail, ids: Sequence[str], wanted: EmailWanted) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    missing: list[str] = []
    hopeless: list[str] = []
    left = MOST_OCTETS
    for each in ids:
        object_id = call.id_of(each)
        try:
            blob = await open_named(call, mail, object_id)
            left -= max(blob.size_octets, blob.found_in_octets)
            if left < 0 and each != ids[0]:
                raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE, "ask for fewer blobs")
            call.held.take(blob.size_octets)
            raw = await read_whole(blob)
        except NotFound:
            missing.append(each)
            continue
        write = partial(_email, mail, object_id, raw, wanted)
        found = write() if len(raw) <= WHOLE_OCTETS else await asyncio.to_thread(write)
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


def _email(mail: AccountMail, object_id: str, raw: bytes, wanted: EmailWanted) -> dict[str, Any] | None:
    """None where there is not one header field, which no message is without (RFC 5322 §3.6)."""
    if not scan_fields(raw):
        return None
    # RFC 8621 §4.9: what only the store could say is null.
    said = {"blobId": object_id, "size": len(raw)}
    source = EmailSource(
        stored={name: said.get(name) for name in STORED if name in wanted.names},
        digest=digest_message(raw),
        raw=raw,
        part_blob_id=partial(part_id, mail, object_id),
    )
    return email_object(wanted, source)
