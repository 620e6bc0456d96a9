"""DATA: a header that goes on and on is refused before anything is looked for in it. RFC 5321 §4.5.3.1.10."""

from mailstack.formats.headers import header_end
from mailstack.formats.limits import LIMITS
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving


async def refuse_endless_header(_: Receiving, mail: InboundMail) -> InboundMail | Reject:
    """No check and no reader looks further than that; what stands behind it would be believed or shown unchecked."""
    looked_at = LIMITS.header + 1
    if len(mail.raw) < looked_at or header_end(mail.raw, 0, looked_at) < looked_at:
        return mail
    return Reject(reason=Reason.HEADER, told=f"at most {LIMITS.header} octets")
