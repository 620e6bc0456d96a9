"""TLS towards other mail servers: verified where the spec asks for it, any certificate where the other way is none.

RFC 3207, RFC 7435 (opportunistic security), RFC 8314 §4.1.
"""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """verified: chain and name are checked. any_certificate: for opportunistic STARTTLS only."""

    verified: ssl.SSLContext
    any_certificate: ssl.SSLContext


def client_contexts(*, ca_file: str | None = None) -> TlsContexts:
    """ca_file: trusted beside the system's own; what sandboxes and tests have."""
    verified = ssl.create_default_context()
    if ca_file is not None:
        verified.load_verify_locations(cafile=ca_file)
    verified.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996 §4, §5
    # RFC 7435 §3: unauthenticated encryption is better than none, and opportunistic mail would go in plain otherwise.
    any_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    any_certificate.check_hostname = False
    any_certificate.verify_mode = ssl.CERT_NONE
    any_certificate.minimum_version = ssl.TLSVersion.TLSv1_2
    return TlsContexts(verified=verified, any_certificate=any_certificate)
