"""The certificate that a TLS server shows, as something to bind a login to. RFC 5929 §4."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes


def end_point_of(chain: str) -> bytes | None:
    """tls-server-end-point. chain: PEM, leaf first. None where the RFC leaves open which hash it would be."""
    leaf = x509.load_pem_x509_certificate(chain.encode())
    try:
        algorithm = leaf.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:  # RFC 5929 §4.1: a signature without one single hash function, as Ed25519's: undefined
        return None
    # RFC 5929 §4.1: MD5 and SHA-1 are too weak to bind to, SHA-256 stands in for them.
    if isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        algorithm = hashes.SHA256()
    return leaf.fingerprint(algorithm)
