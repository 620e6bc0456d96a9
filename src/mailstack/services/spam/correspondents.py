"""Who a mail is from, as messages say it that lie in a mailbox; services.spam.examined has those that come in."""

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.headers import first, scan_fields
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid
from mailstack.model.message import RawMessage
from mailstack.services.spam.sender import peer_in, sender_in
from mailstack.spam.correspondent import Correspondent


def correspondent_in(raw: RawMessage, hostname: str) -> Correspondent:
    """Of a message as it lies in a mailbox, what it was when it came. hostname: ours."""
    mailboxes = parse_mailboxes(first(scan_fields(raw), b"from") or b"")
    sender, peer_host = sender_in(raw, hostname), peer_in(raw, hostname)
    return Correspondent(author=author_key(next(iter(mailboxes), None)), sender=sender, peer_host=peer_host)


def author_key(author: Mailbox | None) -> str:
    """ "" for what is no address."""
    return "" if author is None else key_of(address_text(author))


def key_of(address: str) -> str:
    """ "" for what is none."""
    try:
        return parse_address(address).key
    except Invalid:
        return ""
