"""Verifiers of nobody: what an exchange goes on with for a name that has none, so that it does not tell.

The same name gets the same one from every process and node, and after a restart; only what a password change would
alter is altered by it. RFC 5802 §9.
"""

import hmac
from collections.abc import Collection

from mailstack.model.scram import DIGEST, DIGEST_OCTETS, NORMAL_ITERATIONS, SALT_OCTETS, ScramVerifier


def decoy(name: str, *, key: bytes, iterations: Collection[int]) -> ScramVerifier:
    """iterations: the counts that real verifiers have; the decoys' are spread over them."""

    def made(what: str) -> bytes:
        return hmac.digest(key, f"scram decoy\0{what}\0{name}".encode("utf-8", "surrogatepass"), DIGEST)

    counts = sorted(iterations) or [NORMAL_ITERATIONS]
    return ScramVerifier(
        iterations=counts[int.from_bytes(made("iterations")) % len(counts)],
        salt=made("salt")[:SALT_OCTETS],
        stored_key=made("stored key")[:DIGEST_OCTETS],
        server_key=made("server key")[:DIGEST_OCTETS],
    )


def decoy_domain(local_part: str, domains: Collection[str], *, key: bytes) -> str:
    """The domain where somebody of this name would have been found."""
    names = sorted(domains)
    number = int.from_bytes(hmac.digest(key, f"scram domain\0{local_part}".encode("utf-8", "surrogatepass"), DIGEST))
    return names[number % len(names)] if names else ""
