"""RCPT: whose the address is. RFC 5321 §3.3, §3.6.2: unknown addresses and foreign domains are refused here."""

from mailstack.services.inbound.mail import InboundMail, Recipient
from mailstack.services.inbound.recipients import resolve
from mailstack.services.inbound.stages.receiving import Receiving


async def resolve_recipient(receiving: Receiving, mail: InboundMail) -> InboundMail:
    """Raises NotFound, Forbidden."""
    newest = mail.recipients[-1]
    found = await resolve(receiving.accounts, newest.address, postmaster=receiving.postmaster)
    resolved = Recipient(address=newest.address, text=newest.text, resolution=found, notification=newest.notification)
    return mail.to((*mail.recipients[:-1], resolved))
