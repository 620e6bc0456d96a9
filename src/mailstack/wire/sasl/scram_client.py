"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's side: proves a password, and has the server prove that it keeps
what belongs to it. RFC 5802, RFC 7677, RFC 5929 §4.
"""

import hashlib
import hmac

from mailstack.model.errors import AuthenticationFailed, Invalid
from mailstack.model.password import opaque_string
from mailstack.model.scram import DIGEST, MAX_ITERATIONS, MIN_ITERATIONS, client_key, salted_password, server_key
from mailstack.wire.sasl.scram import END_POINT
from mailstack.wire.sasl.scram_message import encode_name, encode_octets, parse_server_first


class ScramClient:
    """nonce: fresh, printable, without a comma. end_point: the hash of the server's certificate, for -PLUS; None for
    the mechanism without it. knows_binding: whether -PLUS would have been chosen, had the server offered it."""

    def __init__(
        self, username: str, password: str, *, nonce: str, end_point: bytes | None, knows_binding: bool = False
    ) -> None:
        self._password = opaque_string(password)
        self._nonce = nonce
        # RFC 5802 §6: "y" has the server notice that its offer of -PLUS was taken away.
        flag = f"p={END_POINT}" if end_point is not None else "y" if knows_binding else "n"
        self._header = f"{flag},,".encode()
        self._bound = encode_octets(self._header + (end_point or b""))
        self._bare = f"n={encode_name(username)},r={nonce}".encode()
        self._expected = b""

    def first(self) -> bytes:
        return self._header + self._bare

    def final(self, server_first: bytes) -> bytes:
        """Takes as long as the server's iterations ask for. Raises Invalid."""
        nonce, salt, iterations = parse_server_first(server_first)
        # RFC 5802 §5.1: the server's nonce begins with the client's, and has something of its own.
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise Invalid("the server's nonce is not of this exchange")
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:  # RFC 7677 §4
            raise Invalid(f"the server asks for {iterations} iterations")
        without_proof = f"c={self._bound},r={nonce}".encode()
        auth_message = b",".join((self._bare, server_first, without_proof))
        salted = salted_password(self._password, salt=salt, iterations=iterations)
        own = client_key(salted)
        signature = hmac.digest(hashlib.sha256(own).digest(), auth_message, DIGEST)
        proof = bytes(one ^ other for one, other in zip(own, signature, strict=True))
        self._expected = hmac.digest(server_key(salted), auth_message, DIGEST)
        return without_proof + f",p={encode_octets(proof)}".encode()

    def finish(self, server_final: bytes) -> None:
        """Raises AuthenticationFailed where it is not the server that keeps the password's verifier."""
        if not self._expected or not hmac.compare_digest(server_final, f"v={encode_octets(self._expected)}".encode()):
            raise AuthenticationFailed("the server did not prove that it knows the password")
