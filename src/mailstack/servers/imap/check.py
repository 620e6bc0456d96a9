"""CHECK: every change is on disk before it is answered, so there is nothing to check. RFC 3501 §6.4.1."""

from mailstack.servers.imap.session import Completed, ok


async def run() -> Completed:
    return ok("CHECK completed")
