"""STORE and UID STORE. RFC 9051 §6.4.6, RFC 7162 §3.1.3."""

from collections.abc import Sequence

from mailstack.model.ids import Uid
from mailstack.model.numset import NumSet, numset_of
from mailstack.servers.imap.condstore import enable_condstore
from mailstack.servers.imap.flag_news import say_flags
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.commands.store import Store


async def run(session: Session, request: Store) -> Completed:
    change = flag_change(request.operation, request.flags, unchanged_since=request.unchanged_since)
    chosen = await choose(session, request.messages)
    session.mailbox.check_writable()
    if request.unchanged_since is not None:
        enable_condstore(session)
    if not chosen.uids:
        return ok("STORE completed")
    result = await change_flags(session.mailbox, chosen.uid_set, change, is_silent=request.is_silent)
    # RFC 7162 §3.1.3, §3.2.4: a client that knows mod-sequences learns the new ones, however silent STORE is.
    if not request.is_silent or session.is_condstore:
        told = await session.mailbox.locate(placement.uid for placement in result.changed)
        await say_flags(session, told.numbers, result.changed, with_flags=not request.is_silent)
    if result.refused:
        refused = _named(chosen, result.refused, is_uid=request.messages.is_uid)
        return ok("Conditional STORE failed for some", f"MODIFIED {refused}")
    return ok("STORE completed")


def _named(chosen: Chosen, uids: Sequence[Uid], *, is_uid: bool) -> NumSet:
    """As the client named them: RFC 7162 §3.1.3: message numbers for STORE, UIDs for UID STORE."""
    if is_uid:
        return numset_of(uids)
    numbers = dict(zip(chosen.uids, chosen.numbers, strict=True))
    return numset_of(numbers[uid] for uid in uids if uid in numbers)
