"""CMS signatures around a document, for those who install it to see who made it. RFC 5652 §5."""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

Sign = Callable[[bytes], bytes]


def load_signer(chain_pem: str, key_pem: str) -> Sign | None:
    """chain_pem: leaf first. None for a key of a kind that CMS has no signatures for here. Raises ValueError."""
    leaf, *others = x509.load_pem_x509_certificates(chain_pem.encode())
    key = load_pem_private_key(key_pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        return None
    builder_key = key

    def sign(content: bytes) -> bytes:
        """DER, with the content and the chain inside."""
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(leaf, builder_key, SHA256())
        for each in others:
            builder = builder.add_certificate(each)
        return builder.sign(Encoding.DER, [PKCS7Options.Binary])

    return sign
