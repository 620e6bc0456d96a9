"""COMPRESS. RFC 4978 §3. The switch itself comes after the tagged response."""

from mailstack.servers.imap.session import Completed, Session, bad
from mailstack.wire.imap.commands.compress import Compress
from mailstack.wire.imap.responses import Condition


async def run(session: Session, _request: Compress) -> Completed:
    if session.connection.stream.is_deflated:
        return bad("DEFLATE is active already", "COMPRESSIONACTIVE")
    return Completed(condition=Condition.OK, text="DEFLATE active", starts_deflate=True)
