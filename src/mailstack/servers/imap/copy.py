"""COPY and UID COPY. RFC 9051 §6.4.7, RFC 4315 §3 (COPYUID)."""

from mailstack.model.message import Copied
from mailstack.model.numset import numset_of
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.receiving import TRY_CREATE
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.copy_move import copy
from mailstack.services.mailbox.places import find_target
from mailstack.wire.imap.commands.copy import Copy
from mailstack.wire.imap.commands.numbered import Numbered


async def run(session: Session, request: Copy) -> Completed:
    chosen = await choose(session, request.messages, is_whole=True)
    target = await find_target(session.mail, request.mailbox)
    if target is None:
        return TRY_CREATE
    if not chosen.uids:
        return ok("COPY of nothing completed")
    copied = await copy(session.mailbox, chosen.uid_set, target)
    if not copied.pairs:
        return all_gone(request.messages, "COPY")
    return ok("COPY completed", copy_uid(copied))


def all_gone(messages: Numbered, word: str) -> Completed:
    """Others have expunged them, and this client may not have been told. RFC 2180 §4.4.1, RFC 5530 §3; by UID it is no
    fault: RFC 9051 §6.4.9.
    """
    return ok(f"{word} of nothing completed") if messages.is_uid else no("Expunged by others", "EXPUNGEISSUED")


def copy_uid(copied: Copied) -> str:
    """RFC 4315 §3. Both sets ascend, so the pairs can be read off them."""
    old = numset_of(pair[0] for pair in copied.pairs)
    new = numset_of(pair[1] for pair in copied.pairs)
    return f"COPYUID {copied.uid_validity} {old} {new}"
