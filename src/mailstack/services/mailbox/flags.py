"""Flags of messages, changed by set, add or remove. RFC 9051 §6.4.6."""

from collections.abc import Sequence

from mailstack.model.errors import Invalid
from mailstack.model.flags import DELETED, MAX_KEYWORDS_PER_MESSAGE
from mailstack.model.ids import ModSeq
from mailstack.model.message import FlagChange, FlagOperation, FlagsChanged
from mailstack.model.numset import NumSet
from mailstack.services.mailbox.selected import SelectedMailbox


def flag_change(operation: FlagOperation, flags: Sequence[str], *, unchanged_since: ModSeq | None = None) -> FlagChange:
    """flags: in canonical spelling. Raises Invalid for more than a message may have."""
    keywords = frozenset(flags) - {DELETED}
    if len(keywords) > MAX_KEYWORDS_PER_MESSAGE:
        raise Invalid(f"a message has at most {MAX_KEYWORDS_PER_MESSAGE} keywords")
    return FlagChange(
        operation=operation, keywords=keywords, is_deleted=DELETED in flags, unchanged_since=unchanged_since
    )


async def change_flags(selected: SelectedMailbox, uids: NumSet, change: FlagChange) -> FlagsChanged:
    """uids: resolved. What they have now, whether or not it is new; the session is about to tell its client.

    Raises Forbidden in a mailbox opened for reading.
    """
    selected.check_writable()
    mail = selected.mail
    result = await mail.messages.change_flags(mail.account_id, selected.mailbox_id, uids, change)
    selected.note_told(result.changed)
    return result
