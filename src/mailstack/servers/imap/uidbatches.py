"""UIDBATCHES: UID ranges that hold about as many messages each, newest first. RFC 10022."""

from mailstack.model.numset import STAR, NumSet
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.wire.imap.commands.uidbatches import UidBatches
from mailstack.wire.imap.responses import UidBatchesData

LEAST = 500
"""RFC 10022 §3.1: smaller batches would be as many as the messages."""
_EVERYTHING = NumSet(((1, STAR),))


async def run(session: Session, request: UidBatches) -> Completed:
    if request.size < LEAST:
        return no(f"A batch has at least {LEAST} messages", "TOOFEW")
    uids = (await session.mailbox.choose(_EVERYTHING, is_uid=True)).uids
    count = -(-len(uids) // request.size)
    last = count if request.last is None else min(request.last, count)
    ranges = tuple(_batch(uids, request.size, at) for at in range(request.first, last + 1))
    session.connection.say(UidBatchesData(tag=session.tag, ranges=ranges))
    return ok("UIDBATCHES completed")


def _batch(uids: list[int], size: int, at: int) -> tuple[int, int]:
    """The at-th batch counted from the newest message: (highest, lowest); no UID lies between two batches."""
    stop = len(uids) - (at - 1) * size
    start = stop - size
    highest = uids[-1] if at == 1 else uids[stop] - 1
    return highest, uids[start] if start > 0 else 1
