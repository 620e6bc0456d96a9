"""The acme library's HTTP side, with more patience than it has by itself. Blocking. RFC 8555 §6.5, §6.6."""

from email.utils import parsedate_to_datetime
from typing import Any

import requests
from acme.client import ClientNetwork
from acme.messages import Error
from josepy.jwa import ES256
from josepy.jwk import JWK

import mailstack
from mailstack.model.instant import SECOND_MS, Clock, Instant, from_datetime

REQUEST_TIMEOUT_S = 30
NONCES_TRIED = 20
LONGEST_WAIT_MS = 30 * 86_400_000
"""An authority that says more than this is taken for one that says nothing."""


class PatientNetwork(ClientNetwork):
    """ca_file: trusted instead of the public CAs; "" for these."""

    def __init__(self, key: JWK, *, ca_file: str, clock: Clock) -> None:
        super().__init__(
            key,
            alg=ES256,
            user_agent=f"mailstack/{mailstack.__version__}",
            timeout=REQUEST_TIMEOUT_S,
        )
        self._clock = clock
        self.not_before: Instant | None = None
        # requests takes a path here as well, which the library's annotation does not say.
        self.verify_ssl = ca_file or True  # type: ignore[assignment]
        self.session.hooks["response"].append(self._note_retry_after)

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401  the library's own signature
        # RFC 8555 §6.5: a badNonce reply brings a fresh nonce, and the request is to be sent again.
        for _ in range(NONCES_TRIED):
            try:
                return super().post(*args, **kwargs)
            except Error as problem:
                if problem.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)

    def _note_retry_after(self, response: requests.Response, **_: object) -> None:
        """Of the latest refusal."""
        if not response.ok:
            self.not_before = retry_after(response.headers.get("Retry-After", ""), self._clock())


def retry_after(text: str, now: Instant) -> Instant | None:
    """RFC 9110 §10.2.3: seconds or a date. None for what is neither, or unbelievable."""
    if text.isascii() and text.isdigit():
        found = now + int(text) * SECOND_MS
    else:
        try:
            found = from_datetime(parsedate_to_datetime(text))
        except (ValueError, TypeError, OverflowError):
            return None
    return Instant(found) if now <= found <= now + LONGEST_WAIT_MS else None
