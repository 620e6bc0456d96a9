"""One mail as all who judge it see it: looked at once."""

from dataclasses import dataclass
from functools import cached_property

from mailstack.formats.addresses import Mailbox
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import Authentication
from mailstack.services.spam.correspondents import author_key
from mailstack.spam.correspondent import Correspondent
from mailstack.spam.features import Features
from mailstack.spam.seen import Seen
from mailstack.spam.sender import Sender


@dataclass(frozen=True, kw_only=True)
class Examined:
    """raw: as it came, without fields of ours. sender: what the server knows of who brought it, as the model learns it.
    authentication: None where nobody looked, as with mail of peers that the spec trusts. author: the first mailbox of
    From; None without one. peer_host: an address, "" where nobody brought it. recipients: of the envelope.
    """

    raw: RawMessage
    seen: Seen
    features: Features
    sender: Sender | None
    authentication: Authentication | None
    author: Mailbox | None
    peer_host: str
    ehlo_domain: str
    reverse_path: str
    received_at: Instant
    trace_id: str
    recipients: tuple[str, ...] = ()

    @cached_property
    def correspondent(self) -> Correspondent:
        return Correspondent(author=author_key(self.author), sender=self.sender, peer_host=self.peer_host)
