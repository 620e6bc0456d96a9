"""The handshakes that prove to a certificate authority that a host name is ours. RFC 8737.

Only who offers the protocol acme-tls/1 for such a name sees the proof; everybody else gets the ordinary certificate, at
the same time and on the same socket. Costs nothing while there is no proof to show.
"""

import ssl
from collections.abc import Mapping

from mailstack.net.client_hello import offered_protocols

ACME_TLS = "acme-tls/1"


class TlsProofs:
    """Of one process. Contexts are given by `show`, and asked for within a handshake."""

    def __init__(self) -> None:
        self._contexts: Mapping[str, ssl.SSLContext] = {}
        self._fronts: list[ssl.SSLContext] = []
        self._asking: object = None

    def guard(self, front: ssl.SSLContext) -> None:
        """front: a listener's context, whose sni_callback asks `context_for`."""
        self._fronts.append(front)

    def show(self, contexts: Mapping[str, ssl.SSLContext]) -> None:
        """By lower-case host name; in place of what was shown before."""
        self._contexts = contexts
        for front in self._fronts:
            # The callback for server names is not told what protocols a client offers; the one that sees every message
            # is. It has a private name, and has had it since Python 3.8.
            front._msg_callback = self._see if contexts else None  # type: ignore[attr-defined]  # noqa: SLF001

    def context_for(self, connection: object, name: str | None) -> ssl.SSLContext | None:
        """None: the ordinary one."""
        if name is None or connection is not self._asking:
            return None
        self._asking = None
        return self._contexts.get(name.lower())

    def _see(self, connection: object, _way: str, _version: object, _type: object, _kind: object, data: bytes) -> None:
        """OpenSSL reads the whole ClientHello and calls this before it looks at the server's name, without a pause."""
        if ACME_TLS.encode("ascii") in offered_protocols(data):
            self._asking = connection
