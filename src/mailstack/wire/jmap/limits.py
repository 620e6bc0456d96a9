"""How much one client may ask for at a time, as the session object tells it. RFC 8620 §2."""

from dataclasses import dataclass

# Base64 with its line ends takes 37 octets for 27; and there are header fields.
_ENCODED = 0.72


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapLimits:
    """upload_octets: the largest upload; uploads_octets: all of an account. request_octets: of one request's JSON.
    message_octets: of one email. The others count, with the names that RFC 8620 §2 has for them. It suggests 50 MB, 4,
    10 MB, 4, 16, 500 and 500 at least.
    """

    upload_octets: int = 50_000_000
    uploads_octets: int = 500_000_000
    message_octets: int = 50_000_000
    concurrent_upload: int = 8
    request_octets: int = 10_000_000
    concurrent_requests: int = 8
    calls_in_request: int = 64
    objects_in_get: int = 1_000
    objects_in_set: int = 1_000

    @property
    def attachments_octets(self) -> int:
        """Of one email, before they are encoded; its text may take what is left. RFC 8621 §1.3.1."""
        return int(self.message_octets * _ENCODED)
