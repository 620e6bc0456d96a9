"""DATA: who may hear that a mail has arrived, and have it back whole where it has not: whoever is known to have sent
it.

Notices to forged addresses are spam sent through us. Failures are told while the sender is there. RFC 3461 §4.1, §4.3.
"""

from dataclasses import replace

from mailstack.model.handling import NotifyOn, Returned
from mailstack.model.verdict import SpfResult
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.stages.receiving import Receiving


async def forget_notices_of_success(receiving: Receiving, mail: InboundMail) -> InboundMail:
    is_success_wished = any(recipient.notification.wants(NotifyOn.SUCCESS) for recipient in mail.recipients)
    if not is_success_wished and mail.handling.returned is not Returned.FULL:
        return mail
    # Servers that we trust have looked themselves.
    if receiving.senders is not None and receiving.senders.trusts(mail.peer_host):
        return mail
    if mail.authentication is not None and mail.authentication.mail_from.result is SpfResult.PASS:
        return mail
    recipients = (replace(each, notification=each.notification.without_success()) for each in mail.recipients)
    returned = None if mail.handling.returned is Returned.FULL else mail.handling.returned
    return replace(mail, recipients=tuple(recipients), handling=replace(mail.handling, returned=returned))
