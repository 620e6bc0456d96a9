"""What the server knows of whoever brought a message: not from the message, where anybody could write it."""

from dataclasses import dataclass

from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """network: that the address of the client is in, as the caller groups them, such as "192.0.2.0/24". host: the name
    that its address is verified to have, "" without one. helo: what it called itself. is_tls: over TLS.
    verified_domain: that DMARC, or else a signature, vouches for; "" for none. mail_from_domain: "" for a bounce.
    """

    network: str
    host: str
    helo: str
    mail_from_domain: str
    verified_domain: str
    is_tls: bool
    iprev: IprevResult
    spf: SpfResult
    dkim: DkimResult
    dmarc: DmarcResult
