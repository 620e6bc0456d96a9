"""Addresses of ours for pictures of elsewhere. Each is good for one account, and nobody else can make one: this is no
proxy for anybody's addresses.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

from mailstack.model.ids import AccountId

PICTURE_PATH = "/mail/picture/{proof}"
URL = "url"
"""In the query: paths stand in the log."""
PROOF_OCTETS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLinks:
    """key: the same in all processes, so that each knows what another has made."""

    key: bytes = field(repr=False)

    def path(self, viewer: AccountId, url: str) -> str:
        """The same each time, so that browsers keep what they have had."""
        return f"{PICTURE_PATH.format(proof=self._proof(viewer, url))}?{URL}={quote(url, safe='')}"

    def is_ours(self, viewer: AccountId, url: str, proof: str) -> bool:
        return hmac.compare_digest(self._proof(viewer, url).encode(), proof.encode())

    def _proof(self, viewer: AccountId, url: str) -> str:
        said = f"{viewer}\n{url}".encode()
        return base64.urlsafe_b64encode(hashlib.blake2b(said, key=self.key, digest_size=PROOF_OCTETS).digest()).decode()
