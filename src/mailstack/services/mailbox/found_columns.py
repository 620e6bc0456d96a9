"""Chosen facts of the messages that a search found: few are looked up, many are read with all between them."""

from collections.abc import Sequence
from typing import Any

from mailstack.model.ids import MailboxId
from mailstack.model.message import Column
from mailstack.model.numset import NumSet, numset_of
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox

_RANGE_COST = 8
"""Looking up one range costs as much as reading past so many messages."""


async def read_found(
    selected: SelectedMailbox, found: Chosen, wanted: Sequence[Column]
) -> tuple[Sequence[int], Sequence[tuple[Any, ...]]]:
    """Places in `found`, and beside them the rows of ports.messages.columns; without what is gone meanwhile."""
    return await read_uids(selected.mail, selected.mailbox_id, found.uids, wanted, count=selected.count)


async def read_uids(
    mail: AccountMail, mailbox_id: MailboxId, uids: Sequence[int], wanted: Sequence[Column], *, count: int
) -> tuple[Sequence[int], Sequence[tuple[Any, ...]]]:
    """As read_found. uids: ascending. count: how many messages the mailbox has."""
    if not uids:
        return (), ()
    ranges = numset_of(uids)
    is_scattered = len(ranges.ranges) * _RANGE_COST > count
    asked = NumSet(((uids[0], uids[-1]),)) if is_scattered else ranges
    rows = await mail.messages.columns(mail.account_id, mailbox_id, wanted, asked)
    place_of = {uid: place for place, uid in enumerate(uids)}
    kept = [row for row in rows if row[0] in place_of]
    return [place_of[row[0]] for row in kept], kept
