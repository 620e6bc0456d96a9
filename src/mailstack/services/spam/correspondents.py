"""Who a mail is from, as messages say it that lie in a mailbox; services.spam.examined has those that come in."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.headers import Field, first, scan_fields
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.services.spam.sender import arrival_in, sender_in
from mailstack.spam.correspondent import Correspondent

MAX_FROM_OCTETS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """received_at: by our own word on top of the message; the beginning of time where it did not come from outside."""

    sent_by: Correspondent
    received_at: Instant


def arrived_in(raw: RawMessage, hostname: str) -> Arrived:
    """As it was when it came. hostname: ours."""
    author = author_key(author_in(scan_fields(raw)))
    peer_host, received_at = arrival_in(raw, hostname)
    sent_by = Correspondent(author=author, sender=sender_in(raw, hostname), peer_host=peer_host)
    return Arrived(sent_by=sent_by, received_at=received_at)


def author_in(fields: Sequence[Field]) -> Mailbox | None:
    """The first of From; None without one, and of a field so long that no person has written it."""
    value = first(fields, b"from") or b""
    # Not cut off: an address whose end is missing is somebody else's.
    return next(iter(parse_mailboxes(value)), None) if len(value) <= MAX_FROM_OCTETS else None


def author_key(author: Mailbox | None) -> str:
    """ "" for what is no address."""
    return "" if author is None else key_of(address_text(author))


def key_of(address: str) -> str:
    """ "" for what is none."""
    try:
        return parse_address(address).key
    except Invalid:
        return ""
