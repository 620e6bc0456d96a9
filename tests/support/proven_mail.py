"""Mail as it lies in a mailbox of ours, with what we wrote on top of it when somebody brought it."""

from mailstack.model.instant import Instant
from mailstack.services.inbound.trace import Hop, received_field

HOSTNAME = "mail.peer.test"


def came(raw: bytes, *, domain: str, dmarc: str = "pass", hostname: str = HOSTNAME) -> bytes:
    """From some host of a domain, of whose DMARC policy that came."""
    hop = Hop(
        hostname=hostname,
        ehlo_domain=f"out.{domain}",
        peer_host="192.0.2.7",
        protocol="ESMTPS",
        trace_id="t1",
        received_at=Instant(1_795_000_000_000),
    )
    results = f"Authentication-Results: {hostname}; dmarc={dmarc} header.from={domain} policy.dmarc=reject\r\n"
    return results.encode() + received_field(hop, recipient=None) + raw
