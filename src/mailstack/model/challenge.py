"""What a certificate authority asks for as proof that a host name is ours. RFC 8555 §8, RFC 8737."""

from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.instant import Instant


class ChallengeKind(StrEnum):
    HTTP_01 = "http-01"
    TLS_ALPN_01 = "tls-alpn-01"
    DNS_01 = "dns-01"  # its answer lies in DNS, and no apply is to take it away meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """name: the token of http-01, the host name (A-label) of the others. until: when nobody asks for it any more.

    value: of http-01, the key authorization, which is the body of the answer. Of tls-alpn-01, PEM: a private key of
    its own and the certificate for this handshake, with the extension that holds the digest. Of dns-01, the text of the
    TXT record.
    """

    kind: ChallengeKind
    name: str
    value: str = field(repr=False)
    until: Instant
