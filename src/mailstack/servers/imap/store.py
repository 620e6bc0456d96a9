"""STORE and UID STORE. RFC 9051 §6.4.6."""

from collections.abc import Sequence

from mailstack.model.message import Placement
from mailstack.servers.imap.numbered import choose
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.fetch import PLACEMENTS_AT_ONCE, placed
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.selected import Chosen
from mailstack.wire.imap.commands.store import Store
from mailstack.wire.imap.fetch_data import fetch_lines, flags_item, joined, uid_items


async def run(session: Session, request: Store) -> Completed:
    change = flag_change(request.operation, request.flags)
    chosen = await choose(session, request.messages)
    session.mailbox.check_writable()
    if not chosen.uids:
        return ok("STORE completed")
    placements = await change_flags(session.mailbox, chosen.uid_set, change)
    if not request.is_silent:
        await _tell(session, chosen, placements, is_uid=request.messages.is_uid)
    return ok("STORE completed")


async def _tell(session: Session, chosen: Chosen, placements: Sequence[Placement], *, is_uid: bool) -> None:
    batch = placed(chosen, placements)
    for start in range(0, len(batch.numbers), PLACEMENTS_AT_ONCE):
        part = batch.placements[start : start + PLACEMENTS_AT_ONCE]
        columns = [[flags_item(placement.keywords_text, placement.is_deleted) for placement in part]]
        if is_uid:
            columns.insert(0, uid_items(placement.uid for placement in part))  # RFC 9051 §6.4.9
        numbers = batch.numbers[start : start + PLACEMENTS_AT_ONCE]
        session.connection.say_octets(fetch_lines(numbers, joined(columns)))
        await session.connection.flush_when_full()
