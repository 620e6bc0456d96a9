"""DATA: the last stage: into every mailbox or the queue, and what is to be told of it."""

from mailstack.services.inbound.mail import Accept, InboundMail
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.success import tell_of_success


async def deliver(receiving: Receiving, mail: InboundMail) -> Accept:
    """Raises what Delivery.deliver does."""
    routed = mail.ways
    stored = await receiving.delivery.deliver(routed.shipments)
    await tell_of_success(receiving.delivery, routed.letter, routed.addressed, stored, hostname=receiving.hostname)
    return Accept()
