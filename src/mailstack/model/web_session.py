"""Sessions of browsers: somebody logged in on a page, and is known by a cookie from then on.

Only the hash of the cookie is stored. A session ends when nobody has used it for a week, at the latest a month after
the login, and with the password that it was opened by. RFC 6265.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.password import main_hash

SECRET_OCTETS = 32
IDLE_MS = 7 * DAY_MS
LONGEST_MS = 30 * DAY_MS
AGENT_LETTERS = 200
"""Of what a browser says that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """digest: as digest_of_cookie gives it. password_mark: of the password at the login. peer_host: where it was opened
    from, or used last. used_at: about when it was used last."""

    digest: bytes = field(repr=False)
    account_id: AccountId
    password_mark: bytes = field(repr=False)
    created_at: Instant
    used_at: Instant
    peer_host: str
    agent: str

    @property
    def ends_at(self) -> Instant:
        return Instant(min(self.used_at + IDLE_MS, self.created_at + LONGEST_MS))

    @property
    def session_id(self) -> str:
        """For its owner to name it by. It does not tell the cookie."""
        return self.digest[:8].hex()

    def is_of(self, password_hash: str) -> bool:
        """Opened by that password, which was not changed since."""
        return hmac.compare_digest(mark_of(password_hash, self.digest), self.password_mark)


def cookie_text(random: bytes) -> str:
    """random: SECRET_OCTETS of them."""
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode("ascii")


def digest_of_cookie(text: str) -> bytes:
    """One fast hash is enough for 256 random bits. Of anything whatever; of what nobody gave out, nothing is stored."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def mark_of(password_hash: str, digest: bytes) -> bytes:
    """The same as long as the password is. digest: of the session, so that no two marks are the same."""
    return hmac.digest(digest, main_hash(password_hash).encode(), "sha256")
