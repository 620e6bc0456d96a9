"""RCPT: whose the address is. RFC 5321 §3.3, §3.6.2: unknown addresses and foreign domains are refused here."""

from mailstack.model.delivery import NULL_PATH
from mailstack.services.inbound.mail import InboundMail, Reason, Recipient, Reject
from mailstack.services.inbound.recipients import Resolution
from mailstack.services.inbound.stages.receiving import Receiving


async def resolve_recipient(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    """Raises NotFound, Forbidden."""
    newest = mail.recipients[-1]
    is_way_back = await receiving.forwarding.is_way_back(newest.address)
    if is_way_back and mail.reverse_path != NULL_PATH:
        return Reject(reason=Reason.NO_NOTICE, detail=newest.address.key)
    if is_way_back and receiving.is_backup:
        found = Resolution()  # only the primary has the key that the path was made with
    else:
        found = await receiving.forwarding.resolve(newest.address, reverse_path=mail.reverse_path, now=mail.received_at)
    if receiving.is_backup:
        found = _for_the_primary(newest, found)
    resolved = Recipient(address=newest.address, text=newest.text, resolution=found, notification=newest.notification)
    return mail.to((*mail.recipients[:-1], resolved))


def _for_the_primary(recipient: Recipient, found: Resolution) -> Resolution:
    """It resolves the address itself: as written, but for `Postmaster`, which names no domain to send it to."""
    if recipient.address.domain:
        return Resolution(external=(recipient.text,))
    beyond = (target for onward in found.onward for target in onward.targets)
    return Resolution(external=(*(account.login for account in found.accounts), *beyond))
