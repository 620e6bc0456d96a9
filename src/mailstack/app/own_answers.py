"""Asks this server's own listeners for a proof, as an authority will: before the authority is told to look.

Not whether the outside world gets through; only the authority can say that. RFC 8555 §8.3, RFC 8737 §3.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mailstack.app.sockets import EVERY_ADDRESS, Endpoint, endpoints_of
from mailstack.model.issuance import Proof, ProofMethod

ANSWER_WITHIN_S = 5.0
MAX_ANSWER_OCTETS = 64 << 10
ACME_TLS = "acme-tls/1"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, not bound


def own_answers(listeners: Mapping[str, Sequence[str]]) -> Callable[[Proof], Awaitable[bool]]:
    """listeners: the spec's, by service."""
    endpoints = endpoints_of({service: listeners.get(service, ()) for service in ("http", "https")})

    async def is_answered(proof: Proof) -> bool:
        service = "http" if proof.method is ProofMethod.HTTP_01 else "https"
        asks = _asks_over_http if proof.method is ProofMethod.HTTP_01 else _asks_over_tls
        for endpoint in endpoints:
            if endpoint.service == service:
                try:
                    async with asyncio.timeout(ANSWER_WITHIN_S):
                        if await asks(endpoint, proof):
                            return True
                except (OSError, TimeoutError, asyncio.IncompleteReadError):
                    continue
        return False

    return is_answered


async def _asks_over_http(endpoint: Endpoint, proof: Proof) -> bool:
    reader, writer = await asyncio.open_connection(_host(endpoint), endpoint.port)
    try:
        path = f"/.well-known/acme-challenge/{proof.token}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {proof.host}\r\nConnection: close\r\n\r\n".encode("ascii"))
        answer = await reader.read(MAX_ANSWER_OCTETS)
        while chunk := await reader.read(MAX_ANSWER_OCTETS):
            answer = (answer + chunk)[:MAX_ANSWER_OCTETS]
        return answer.startswith(b"HTTP/1.1 200 ") and answer.rstrip().endswith(proof.value.encode("ascii"))
    finally:
        writer.close()


async def _asks_over_tls(endpoint: Endpoint, proof: Proof) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate is the proof itself, signed by nobody.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([ACME_TLS])
    _, writer = await asyncio.open_connection(_host(endpoint), endpoint.port, ssl=context, server_hostname=proof.host)
    try:
        found = writer.get_extra_info("ssl_object")
        if not isinstance(found, ssl.SSLObject) or found.selected_alpn_protocol() != ACME_TLS:
            return False
        # RFC 8737 §3: the certificate holds the digest; that of an earlier order may be shown for a moment more.
        return hashlib.sha256(proof.value.encode("ascii")).digest() in (found.getpeercert(binary_form=True) or b"")
    finally:
        writer.close()


def _host(endpoint: Endpoint) -> str:
    return LOOPBACK[endpoint.host] if endpoint.host in EVERY_ADDRESS else endpoint.host
