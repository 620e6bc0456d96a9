"""A mailbox opened by a session: its view, and what the session says of it at once. RFC 3501 §6.3.1."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.model.flags import SEEN, SYSTEM_FLAGS
from mailstack.model.mailbox import MailboxStatus
from mailstack.model.message import Placement
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.services.mailbox.tree import load_tree

MAX_LOOKED_THROUGH = 2_000
"""Larger mailboxes open without a look at each message: RFC 3501 §7.1 lets UNSEEN be left out, and 100,000 placements
take longer than all the rest."""
MAX_KEYWORDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """first_unseen: its position, None where there is none or nobody has looked. keywords: in use, sorted."""

    view: SelectedMailbox
    status: MailboxStatus
    first_unseen: int | None = None
    keywords: tuple[str, ...] = ()


async def open_mailbox(mail: AccountMail, path: str, *, is_read_only: bool) -> Opened:
    """Raises NotFound."""
    mailbox = (await load_tree(mail)).get(path)
    # Read before the status: what has happened in this mailbox up to then is in the status for certain, and a mailbox
    # where nothing has happened for long must not be asked for changes that the log has forgotten.
    mod_seq = await mail.changes.mod_seq(mail.account_id)
    status = await mail.mailboxes.status(mail.account_id, mailbox.mailbox_id)
    view = SelectedMailbox(mail, mailbox, status, is_read_only=is_read_only, mod_seq=mod_seq)
    if not 0 < status.messages <= MAX_LOOKED_THROUGH:
        return Opened(view=view, status=status)
    placed = await view.placed()
    return Opened(view=view, status=status, first_unseen=_first_unseen(placed), keywords=_keywords(placed))


def _first_unseen(placed: Sequence[tuple[int, Placement]]) -> int | None:
    return next((number for number, placement in placed if SEEN not in placement.keywords), None)


def _keywords(placed: Sequence[tuple[int, Placement]]) -> tuple[str, ...]:
    combinations = {placement.keywords_text for _, placement in placed}
    keywords = {keyword for text in combinations for keyword in text.split()}
    return tuple(sorted(keywords.difference(SYSTEM_FLAGS))[:MAX_KEYWORDS])
