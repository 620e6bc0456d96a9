"""What stands in a link to leave a list: which list, which member, and a proof that the link is ours.

It never ends, as mail that it stands in is kept for years, and all that it can do is undone by one command.
RFC 8058 §3.1, §6: it names the member, and nobody can make one up.
"""

import base64
import binascii
import hashlib
import hmac

PROOF_BYTES = 16
MAX_TOKEN = 1024
_PURPOSE = b"unsubscribe"


def unsubscribe_token(secret: bytes, list_address: str, member: str) -> str:
    """Letters, digits, hyphens and underscores."""
    named = f"{list_address}\n{member}".encode()
    return base64.urlsafe_b64encode(_proof(secret, named) + named).rstrip(b"=").decode("ascii")


def read_token(secret: bytes, token: str) -> tuple[str, str] | None:
    """The list and the member; None for what is not ours."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    try:
        octets = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    named = octets[PROOF_BYTES:]
    if not hmac.compare_digest(octets[:PROOF_BYTES], _proof(secret, named)):
        return None
    list_address, _, member = named.decode().partition("\n")
    return list_address, member


def _proof(secret: bytes, named: bytes) -> bytes:
    return hashlib.blake2b(named, digest_size=PROOF_BYTES, key=secret, person=_PURPOSE).digest()
