"""RCPT: whose the address is. RFC 5321 §3.3, §3.6.2: unknown addresses and foreign domains are refused here."""

from dataclasses import replace

from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.recipients import resolve
from mailstack.services.inbound.stages.receiving import Receiving


async def resolve_recipient(receiving: Receiving, mail: InboundMail) -> InboundMail:
    """Raises NotFound, Forbidden."""
    newest = mail.recipients[-1]
    found = await resolve(receiving.accounts, newest.address, postmaster=receiving.postmaster)
    return replace(mail, recipients=(*mail.recipients[:-1], replace(newest, resolution=found)))
