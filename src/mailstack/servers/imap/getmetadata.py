"""GETMETADATA. RFC 5464 §4.2."""

from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.metadata import Wanted, read
from mailstack.wire.imap.commands.getmetadata import GetMetadata
from mailstack.wire.imap.responses import MetadataData


async def run(session: Session, request: GetMetadata) -> Completed:
    wanted = Wanted(names=request.entries, depth=request.depth)
    name, found = await read(session.mail, request.mailbox, wanted)
    sizes = [len(value) for value in found.values()]
    most = request.max_size
    entries: list[tuple[str, bytes | None]] = [
        (entry, value) for entry, value in found.items() if most is None or len(value) <= most
    ]
    if not request.depth or not found:
        # RFC 5464 §4.2: a response is required; NIL is what is not set.
        entries += [(entry, None) for entry in request.entries if entry not in found]
    if entries:
        session.connection.say(MetadataData(name=name, entries=tuple(entries)))
    if most is not None and max(sizes, default=0) > most:
        # RFC 5464 §4.2.1: how large the largest of those left out is.
        return ok("GETMETADATA completed", f"METADATA LONGENTRIES {max(sizes)}")
    return ok("GETMETADATA completed")
