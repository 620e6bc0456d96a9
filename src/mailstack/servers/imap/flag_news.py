"""Flags of messages as FETCH responses that nobody asked for, or that STORE and SELECT answer with.

RFC 9051 §7.5.2, RFC 7162 §3.2.4, RFC 9586 §3.3.
"""

from collections.abc import Sequence

from mailstack.model.message import Placement
from mailstack.servers.imap.session import Session
from mailstack.wire.imap.fetch_data import (
    fetch_lines,
    flags_item,
    joined,
    uid_items,
)

AT_ONCE = 5_000


async def say_flags(
    session: Session, numbers: Sequence[int], placements: Sequence[Placement], *, with_flags: bool = True
) -> None:
    """numbers: positions, beside the placements. with_flags: False tells only what has happened to the mod-sequence."""
    for start in range(0, len(numbers), AT_ONCE):
        part = placements[start : start + AT_ONCE]
        octets = _lines(session, numbers[start : start + AT_ONCE], part, with_flags=with_flags)
        session.connection.say_octets(octets)
        await session.connection.flush_when_full()


def _lines(session: Session, numbers: Sequence[int], placements: Sequence[Placement], *, with_flags: bool) -> bytes:
    columns: list[list[bytes]] = []
    uids = [placement.uid for placement in placements]
    if not session.is_uid_only:
        # RFC 9051 §6.4.9: the UID may be in any FETCH response; clients that work by UID need no search for it.
        columns.append(uid_items(uids))
    if with_flags:
        columns.append([flags_item(placement.keywords_text, placement.is_deleted) for placement in placements])
    if session.is_condstore:
        columns.append([b"MODSEQ (%d)" % placement.mod_seq for placement in placements])
    return fetch_lines(numbers, joined(columns))
