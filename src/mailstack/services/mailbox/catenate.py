"""Octets of a stored message, to become part of a new one. RFC 4469 §3: nothing is converted, and \\Seen is not set."""

from mailstack.model.errors import NotFound, TooLarge
from mailstack.model.ids import MailboxId, Uid
from mailstack.model.numset import numset_of
from mailstack.model.section import Partial, Section
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.section import read_section


async def read_part(
    mail: AccountMail,
    mailbox_id: MailboxId,
    uid: Uid,
    *,
    section: Section,
    partial: Partial | None,
    at_most: int,
) -> bytes:
    """Raises NotFound for what is not there, TooLarge above at_most octets, Damaged."""
    placements = await mail.messages.placements(mail.account_id, mailbox_id, numset_of([uid]))
    if not placements:
        raise NotFound("no such message")
    message_id = placements[0].message_id
    stored = await mail.messages.stored(mail.account_id, [message_id])
    if not stored:
        raise NotFound("the message is gone")
    raw = await mail.messages.read(mail.account_id, message_id)
    octets = read_section(raw, stored[0].digest.parts, section, partial)
    if octets is None:
        raise NotFound("no such part")
    if len(octets) > at_most:
        raise TooLarge("the parts together are too large")
    return octets
