"""Messages marked \\Deleted go for good. RFC 9051 §6.4.3, RFC 4315 §2.1."""

from mailstack.model.numset import NumSet
from mailstack.services.mailbox.selected import SelectedMailbox


async def expunge(selected: SelectedMailbox, uids: NumSet | None = None) -> None:
    """uids: resolved; only these, where given. Raises Forbidden in a mailbox opened for reading."""
    selected.check_writable()
    await selected.mail.messages.expunge(selected.mail.account_id, selected.mailbox_id, uids)
