"""Messages marked \\Deleted go for good. RFC 9051 §6.4.3, RFC 4315 §2.1; rights: RFC 4314 §4."""

from mailstack.model.errors import Forbidden
from mailstack.model.numset import NumSet
from mailstack.model.rights import Right
from mailstack.services.mailbox.access import require_selected
from mailstack.services.mailbox.selected import SelectedMailbox


async def expunge(selected: SelectedMailbox, uids: NumSet | None = None) -> None:
    """uids: resolved; only these, where given. Raises Forbidden: opened for reading, or without the right."""
    selected.check_writable()
    await require_selected(selected, Right.EXPUNGE)
    await selected.mail.messages.expunge(selected.mail.account_id, selected.mailbox_id, uids)


async def expunge_at_close(selected: SelectedMailbox) -> None:
    """RFC 4314 §4: who may not expunge closes all the same, and nothing goes."""
    if selected.is_read_only:
        return
    try:
        await expunge(selected)
    except Forbidden:
        return
