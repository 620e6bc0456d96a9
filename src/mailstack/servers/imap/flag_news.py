"""Flags of messages as FETCH responses that nobody asked for, or that STORE and SELECT answer with.

RFC 9051 §7.5.2, RFC 7162 §3.2.4, RFC 9586 §3.3.
"""

import asyncio
from collections.abc import Sequence

from mailstack.model.message import Placement
from mailstack.servers.imap.keyword_news import say_new_keywords
from mailstack.servers.imap.session import Session
from mailstack.services.mailbox.selected import Placed
from mailstack.wire.imap.fetch_data import (
    FETCH,
    UID_FETCH,
    Told,
    fetch_lines,
    flags_text,
    flags_told,
    mod_seqs_told,
    uids_told,
)

AT_ONCE = 2_000


async def say_flags(
    session: Session, numbers: Sequence[int], placements: Sequence[Placement], *, with_flags: bool = True
) -> None:
    """numbers: positions, beside the placements. with_flags: False tells only what has happened to the mod-sequence."""
    for start in range(0, len(numbers), AT_ONCE):
        part = placements[start : start + AT_ONCE]
        if with_flags:
            say_new_keywords(session, [placement.keywords_text for placement in part])
        octets = _lines(session, numbers[start : start + AT_ONCE], part, with_flags=with_flags)
        session.connection.say_octets(octets)
        await session.connection.flush_when_full()
        # A client that reads as fast as we write would otherwise keep all others waiting.
        await asyncio.sleep(0)


async def say_placed(session: Session, placed: Placed) -> None:
    for start in range(0, len(placed), AT_ONCE):
        stop = start + AT_ONCE
        await say_flags(session, placed.numbers[start:stop], placed.placements(start, stop))


def _lines(session: Session, numbers: Sequence[int], placements: Sequence[Placement], *, with_flags: bool) -> bytes:
    told: list[Told] = []
    uids = [placement.uid for placement in placements]
    if not session.is_uid_only:
        # RFC 9051 §6.4.9: the UID may be in any FETCH response; clients that work by UID need no search for it.
        told.append(uids_told(uids))
    if with_flags:
        told.append(flags_told([flags_text(one.keywords_text, one.is_deleted) for one in placements]))
    if session.is_condstore:
        told.append(mod_seqs_told([placement.mod_seq for placement in placements]))
    if session.is_uid_only:
        return fetch_lines(uids, told, word=UID_FETCH)
    return fetch_lines(numbers, told, word=FETCH)
