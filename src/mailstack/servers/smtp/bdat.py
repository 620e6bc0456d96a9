"""BDAT: a chunk of the message, its size told beforehand, and with the last one the reply that takes it over.

Whatever the reply, the octets that were told are read first: they must never be taken for commands. RFC 3030 §2.
"""

import re
from collections.abc import Callable

import structlog

from mailstack.model.delivery import SmtpReply
from mailstack.model.log_events import TransactionPhase
from mailstack.servers.smtp.chunks import Chunks
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.data import take_over, without_recipients
from mailstack.servers.smtp.replies import (
    BAD_CHUNK,
    BAD_SEQUENCE,
    LOCAL_ERROR,
    TOO_MUCH_DATA,
    FramingLost,
    Refused,
)
from mailstack.servers.smtp.transaction import BUG

PIECE_BYTES = 256 * 1024

# bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF; chunk-size = 1*DIGIT; end-marker = "LAST"
_CHUNK = re.compile(r"(?P<size>[0-9]{1,20})(?P<last> LAST)?", re.IGNORECASE | re.ASCII)

log = structlog.get_logger()


async def bdat(connection: SmtpConnection, argument: str) -> SmtpReply | None:
    size, is_last = _told(connection, argument)
    transaction, mail = connection.transaction, connection.mail
    if transaction is None or mail is None or not mail.recipients or not connection.state.is_extended:
        # RFC 3030 §2: what was sent ahead of a refusal is accepted and thrown away, and refused in its turn.
        await _read(connection, size, _forget)
        is_for_nobody = mail is not None and not mail.recipients
        raise Refused(without_recipients(connection.role) if is_for_nobody else BAD_SEQUENCE)
    transaction.phase = TransactionPhase.DATA
    chunks = transaction.chunks or Chunks(connection.service.limits, is_binary=mail.handling.is_binary)
    transaction.chunks = chunks
    await _read(connection, size, chunks.feed)
    if not is_last:
        # Told of each chunk after the first that failed: a client that sends ahead hears it as often as it needs.
        chunks.raise_fault()
        return SmtpReply(code=250, status="2.0.0", text=f"{size} octets received")
    try:
        return await take_over(connection, transaction, mail, chunks.content)
    finally:
        transaction.finish()


def _told(connection: SmtpConnection, argument: str) -> tuple[int, bool]:
    """Raises FramingLost where it is unknown how many octets follow, or they are too many to be read for nothing."""
    found = _CHUNK.fullmatch(argument)
    if found is None:
        raise FramingLost(BAD_CHUNK)
    size, limits = int(found["size"]), connection.service.limits
    if size > limits.message_bytes + limits.surplus_bytes:
        raise FramingLost(TOO_MUCH_DATA)
    return size, found["last"] is not None


async def _read(connection: SmtpConnection, size: int, take: Callable[[bytes], None]) -> None:
    left = size
    while left:
        piece = await connection.incoming.chunk(at_most=min(left, PIECE_BYTES))
        left -= len(piece)
        try:
            take(piece)
        except FramingLost:
            raise
        except Exception:  # what follows of the chunk must never be read as commands
            log.exception("smtp chunk not read to its end", peer=connection.peer_host)
            raise FramingLost(LOCAL_ERROR, reason=BUG) from None


def _forget(_: bytes) -> None:
    """Of a chunk that nobody wants."""
