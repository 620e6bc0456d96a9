"""NOOP: its use is what the session tells after every command. RFC 9051 §6.1.2."""

from mailstack.servers.imap.session import Completed, ok


async def run() -> Completed:
    return ok("NOOP completed")
