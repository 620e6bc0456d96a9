"""What a client has uploaded, to be a script. RFC 9661 §2.2."""

from mailstack.model.errors import NotFound, TooLarge
from mailstack.servers.jmap.blob_named import open_named
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import read_whole
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType


async def read_script(call: Call, mail: AccountMail, blob_id: str) -> bytes:
    """Raises NotSet, TooLarge."""
    try:
        blob = await open_named(call, mail, blob_id)
        if blob.size_octets > call.service.scripts.limits.script_octets:
            raise TooLarge(f"a script of {blob.size_octets} octets")
        return await read_whole(blob)
    except NotFound:
        raise NotSet(SetFault(type=SetFaultType.BLOB_NOT_FOUND, more={"notFound": [blob_id]})) from None
