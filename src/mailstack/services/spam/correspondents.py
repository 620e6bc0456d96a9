"""Who a mail is from, of one that comes in and of one that lies in a mailbox since."""

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.headers import first, scan_fields
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid
from mailstack.model.message import RawMessage
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.sender import peer_in, sender_in
from mailstack.spam.correspondent import Correspondent


def correspondent_of(mail: Examined) -> Correspondent:
    return Correspondent(author=_author_key(mail.author), sender=mail.sender, peer_host=mail.peer_host)


def correspondent_in(raw: RawMessage, hostname: str) -> Correspondent:
    """Of a message as it lies in a mailbox, what it was when it came. hostname: ours."""
    mailboxes = parse_mailboxes(first(scan_fields(raw), b"from") or b"")
    sender, peer_host = sender_in(raw, hostname), peer_in(raw, hostname)
    return Correspondent(author=_author_key(next(iter(mailboxes), None)), sender=sender, peer_host=peer_host)


def key_of(address: str) -> str:
    """ "" for what is none."""
    try:
        return parse_address(address).key
    except Invalid:
        return ""


def _author_key(author: Mailbox | None) -> str:
    """ "" for what is no address."""
    return "" if author is None else key_of(address_text(author))
