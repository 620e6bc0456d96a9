"""DATA: binary mail that goes on from here is encoded, so that any server takes it, before it is sealed or signed anew.

Signatures of others over what is encoded break by it, as wherever mail is converted. RFC 3030 §3.
"""

import asyncio
from dataclasses import replace

from mailstack.formats.seven_bit import has_8bit
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.outbound.complete import encode_binary


async def encode_what_leaves(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    # A primary is to have it as it came, if it can.
    if not mail.handling.is_binary or receiving.is_backup:
        return mail
    if not any(recipient.resolution and recipient.resolution.leaves for recipient in mail.recipients):
        return mail
    raw = mail.raw
    lines = await asyncio.to_thread(encode_binary, raw) if len(raw) > LARGE_BYTES else encode_binary(raw)
    if lines is None:
        return Reject(reason=Reason.BINARY)
    return replace(mail, raw=lines, is_8bit=has_8bit(lines), handling=replace(mail.handling, is_binary=False))
