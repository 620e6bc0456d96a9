"""What the store knows of messages, when some of it may be damaged: the others are read all the same."""

from collections.abc import Sequence

import structlog

from mailstack.model.errors import Damaged
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.message import StoredMessage
from mailstack.ports.messages import Messages

log = structlog.get_logger()


async def read_stored(
    messages: Messages, account_id: AccountId, message_ids: Sequence[MessageId]
) -> tuple[Sequence[StoredMessage], frozenset[MessageId]]:
    """In the order asked, without those that are gone; and those that are damaged."""
    try:
        return await messages.stored(account_id, message_ids), frozenset()
    except Damaged:
        # One of them is; which one shows when each is asked for alone.
        return await _one_by_one(messages, account_id, message_ids)


async def _one_by_one(
    messages: Messages, account_id: AccountId, message_ids: Sequence[MessageId]
) -> tuple[list[StoredMessage], frozenset[MessageId]]:
    found: list[StoredMessage] = []
    damaged: set[MessageId] = set()
    for message_id in message_ids:
        try:
            found += await messages.stored(account_id, [message_id])
        except Damaged as fault:
            log_damaged(account_id, message_id, fault)
            damaged.add(message_id)
    return found, frozenset(damaged)


def log_damaged(account_id: AccountId, message_id: MessageId, fault: Damaged) -> None:
    log.warning("message_damaged", account=account_id, message=message_id, detail=fault.detail)
