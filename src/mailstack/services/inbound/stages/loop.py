"""DATA: a mail that has been through too many servers goes round in circles. RFC 5321 §6.3."""

from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.trace import has_too_many_hops


async def refuse_loop(_: Receiving, mail: InboundMail) -> InboundMail | Reject:
    return Reject(reason=Reason.LOOP) if has_too_many_hops(mail.raw) else mail
