"""All certificates that the other end of a TLS connection showed, trusted or not."""

import ssl
from typing import Any

DER = 2  # _ssl.ENCODING_DER


def peer_chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """DER, its own first; none where it showed none."""
    if hasattr(tls, "get_unverified_chain"):
        return tuple(tls.get_unverified_chain())
    # Python has it in public from 3.13 on; the object behind has had it since 3.10.
    behind: Any = tls._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    return tuple(certificate.public_bytes(DER) for certificate in behind.get_unverified_chain() or ())
