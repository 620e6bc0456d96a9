"""RCPT: whose the address is. RFC 5321 §3.3, §3.6.2: unknown addresses and foreign domains are refused here."""

from mailstack.services.inbound.mail import InboundMail, Recipient
from mailstack.services.inbound.recipients import Resolution, resolve
from mailstack.services.inbound.stages.receiving import Receiving


async def resolve_recipient(receiving: Receiving, mail: InboundMail) -> InboundMail:
    """Raises NotFound, Forbidden."""
    newest = mail.recipients[-1]
    found = await resolve(receiving.accounts, newest.address, postmaster=receiving.postmaster)
    if receiving.is_backup:
        found = _for_the_primary(newest, found)
    resolved = Recipient(address=newest.address, text=newest.text, resolution=found, notification=newest.notification)
    return mail.to((*mail.recipients[:-1], resolved))


def _for_the_primary(recipient: Recipient, found: Resolution) -> Resolution:
    """It resolves the address itself: as written, but for `Postmaster`, which names no domain to send it to."""
    if recipient.address.domain:
        return Resolution(accounts=(), external=(recipient.text,))
    return Resolution(accounts=(), external=(*(account.login for account in found.accounts), *found.external))
