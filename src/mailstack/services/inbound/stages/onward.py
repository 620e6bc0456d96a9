"""RCPT: a mail that cannot be sent on as its sender asks is refused while the sender is there.

RFC 3030 §4, RFC 8689 §4. Until sending has what these need, mail that leaves is plain: neither promise may be dropped
on the way unsaid.
"""

from mailstack.model.handling import Handling
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving


async def refuse_what_cannot_leave(_: Receiving, mail: InboundMail) -> InboundMail | Reject:
    resolution = mail.recipients[-1].resolution
    if resolution is None or not resolution.external:
        return mail
    reason = why_it_cannot_leave(mail.handling)
    return mail if reason is None else Reject(reason=reason)


def why_it_cannot_leave(handling: Handling) -> Reason | None:
    if handling.requires_tls:
        return Reason.REQUIRES_TLS
    return Reason.BINARY if handling.is_binary else None
