"""Numbers that stand for senders and messages where the server remembers them: who has the store alone cannot tell whom
they mean, and nobody can make two that are the same.
"""

from functools import lru_cache
from hashlib import blake2b

from mailstack.model.ids import AccountId
from mailstack.spam.correspondent import SubjectKind

KEY_BYTES = 8
_VOICES = 63
_REMEMBERED = 10_000


class SenderKeys:
    """secret: up to 64 bytes, the same on all nodes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # Of each mail, what is looked up is noted as well.
        self._key = lru_cache(maxsize=_REMEMBERED)(self._made)

    def of_address(self, address_key: str) -> int:
        return self._key(b"address", address_key)

    def of_message_id(self, message_id: str) -> int:
        return self._key(b"message id", message_id)

    def of_subject(self, kind: SubjectKind, text: str) -> int:
        return self._key(kind.value.encode(), text)

    def voice_of(self, account_id: AccountId) -> int:
        """From 1 on. Some accounts may share one, so that however many there are, little is kept of each sender."""
        return 1 + self._key(b"voice", account_id) % _VOICES

    def _made(self, purpose: bytes, text: str) -> int:
        octets = text.encode("utf-8", "surrogatepass")
        digest = blake2b(octets, digest_size=KEY_BYTES, key=self._secret, person=purpose).digest()
        return int.from_bytes(digest, "big", signed=True)
