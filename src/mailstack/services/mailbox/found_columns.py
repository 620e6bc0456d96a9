"""Chosen facts of the messages that a search found: few are looked up, many are read with all between them."""

from collections.abc import Sequence
from typing import Any

from mailstack.model.message import Column
from mailstack.model.numset import NumSet
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox

_RANGE_COST = 8
"""Looking up one range costs as much as reading past so many messages."""


async def read_found(
    selected: SelectedMailbox, found: Chosen, wanted: Sequence[Column]
) -> tuple[Sequence[int], Sequence[tuple[Any, ...]]]:
    """Places in `found`, and beside them the rows of ports.messages.columns; without what is gone meanwhile."""
    if not found.uids:
        return (), ()
    mail = selected.mail
    uids = found.uid_set
    is_scattered = len(uids.ranges) * _RANGE_COST > selected.count
    asked = NumSet(((found.uids[0], found.uids[-1]),)) if is_scattered else uids
    rows = await mail.messages.columns(mail.account_id, selected.mailbox_id, wanted, asked)
    place_of = {uid: place for place, uid in enumerate(found.uids)}
    kept = [row for row in rows if row[0] in place_of]
    return [place_of[row[0]] for row in kept], kept
