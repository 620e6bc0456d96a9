"""Messages copied or moved to another mailbox of the same account. RFC 9051 §6.4.7-§6.4.8, RFC 6851."""

from mailstack.model.ids import MailboxId
from mailstack.model.message import Copied
from mailstack.model.numset import NumSet
from mailstack.services.mailbox.selected import SelectedMailbox


async def copy(selected: SelectedMailbox, uids: NumSet, target: MailboxId) -> Copied:
    """All or none. uids: resolved. Raises NotFound, QuotaExceeded, TryAgainLater."""
    mail = selected.mail
    return await mail.messages.copy(
        mail.account_id, selected.mailbox_id, uids, target, quota_bytes=mail.account.quota_bytes
    )


async def move(selected: SelectedMailbox, uids: NumSet, target: MailboxId) -> Copied:
    """All or none, also to where they are (RFC 9051 §6.4.8: where COPY may, MOVE may): they get new UIDs there.

    Raises as copy; Forbidden in a mailbox opened for reading.
    """
    selected.check_writable()
    mail = selected.mail
    return await mail.messages.move(mail.account_id, selected.mailbox_id, uids, target)
