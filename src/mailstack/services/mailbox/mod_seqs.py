"""The highest mod-sequence of some messages, as searches tell it. RFC 7162 §3.1.6."""

from collections.abc import Sequence

from mailstack.model.ids import MailboxId, ModSeq
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.ascending import places_of


async def highest_of(mail: AccountMail, mailbox_id: MailboxId, uids: Sequence[int]) -> ModSeq | None:
    """uids: ascending. None when none of them is there (any more)."""
    table = (await mail.views.current(mail.account_id, mailbox_id)).table
    places = places_of(table.uids, uids, len(table))
    highest = max(map(table.mod_seqs.__getitem__, places), default=None)
    return None if highest is None else ModSeq(highest)
