"""RCPT: whose address is on a blocklist is refused, and told which. RFC 5782; RFC 5321 §4.5.1, RFC 2142 §2."""

from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.services.inbound.stages.receiving import Receiving

ALWAYS_REACHED = ("postmaster", "abuse")
"""Who is listed by mistake has somebody to tell."""


async def refuse_listed(receiving: Receiving, mail: InboundMail) -> InboundMail | Reject:
    gate = receiving.gate
    if gate is None or mail.peer_host in gate.trusted:
        return mail
    if mail.recipients[-1].address.local_part.casefold() in ALWAYS_REACHED:
        return mail
    listing = await gate.blocklists.listing_of(mail.peer_host)
    if listing is None:
        return mail
    return Reject(reason=Reason.LISTED, told=f"by {listing.zone} {listing.explanation}".rstrip())
