"""Whose pictures somebody wants to see without being asked each time: addresses, kept as an annotation of the account,
so that they go where the person goes (RFC 5464). Only for mail that is proven to be its author's, and outside of Junk.
"""

from mailstack.formats.headers import scan_fields
from mailstack.model.annotation import MAX_VALUE_OCTETS, PICTURES_FROM
from mailstack.model.ids import MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import RawMessage
from mailstack.services.inbound.trace import was_submitted
from mailstack.services.mailbox import emails, metadata
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.spam.correspondents import arrived_in
from mailstack.spam.correspondent import Standing


async def author_to_trust(mail: AccountMail, message_id: MessageId, raw: RawMessage, *, hostname: str) -> str:
    """The key of their address; "" where nobody has proved that it is theirs, or it lies in Junk. hostname: ours."""
    sent_by = arrived_in(raw, hostname).sent_by
    is_proven = sent_by.standing is Standing.PROVEN or was_submitted(scan_fields(raw), hostname)
    return sent_by.author if is_proven and not await _is_in_junk(mail, message_id) else ""


async def authors_shown(own: AccountMail) -> list[str]:
    """own: of who looks. The newest last."""
    _, found = await metadata.read(own, "", metadata.Wanted(names=(PICTURES_FROM,)))
    return found.get(PICTURES_FROM, b"").decode("utf-8", "replace").split()


async def show_always(own: AccountMail, author: str) -> None:
    """Where there is no room for all of them, the oldest go."""
    await _keep(own, [*(await _others(own, author)), author])


async def show_no_more(own: AccountMail, author: str) -> None:
    await _keep(own, await _others(own, author))


async def _others(own: AccountMail, author: str) -> list[str]:
    return [each for each in await authors_shown(own) if each != author]


async def _keep(own: AccountMail, authors: list[str]) -> None:
    value = "\n".join(authors).encode()
    if len(value) > MAX_VALUE_OCTETS:
        _, _, value = value[-MAX_VALUE_OCTETS:].partition(b"\n")
    await metadata.write(own, "", [(PICTURES_FROM, value or None)])


async def _is_in_junk(mail: AccountMail, message_id: MessageId) -> bool:
    placed = (await emails.placed(mail, [message_id])).get(message_id)
    junk = {each.mailbox_id for each in await mail.mailboxes.list(mail.account_id) if each.role is MailboxRole.JUNK}
    return placed is None or not junk.isdisjoint(placed.all_mailbox_ids)
