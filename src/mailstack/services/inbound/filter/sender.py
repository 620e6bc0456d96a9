"""What is known of who sent a mail that scripts act on. A mail out of the queue was checked when it came, and says so
itself: in the field that we wrote on top of it.
"""

from dataclasses import dataclass

from mailstack.formats.authres import results_by
from mailstack.model.verdict import Authentication
from mailstack.services.inbound.deliver import Letter
from mailstack.services.inbound.results_read import authentication_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Works as services.inbound.trust.Sent."""

    reverse_path: str
    authentication: Authentication | None
    is_suspicious: bool


def sender_of(letter: Letter, hostname: str) -> Sender:
    """hostname: ours, as Authentication-Results has it."""
    found = letter.authentication
    if found is None and not letter.peer_host:
        found = authentication_in(results_by(letter.raw, (hostname.lower(),)))
    return Sender(reverse_path=letter.reverse_path, authentication=found, is_suspicious=letter.is_suspicious)
