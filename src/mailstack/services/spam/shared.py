"""The shared model, made of what is kept of it: a base, and the updates on top of it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from mailstack.model.errors import Conflict, Damaged
from mailstack.ports.spam_tables import SpamTables
from mailstack.services.spam.turn import LearningTurn
from mailstack.spam.model import SHARED_BITS, Buffer, Model, empty
from mailstack.spam.packed import unpacked

MOST_UPDATES = 1_000
"""On top of a base; more make a new base."""

log = structlog.get_logger()


def grown(table: Buffer | None, updates: Sequence[bytes]) -> Model:
    """A table of its own. None: nothing was learned before. What another version learned means nothing to this one."""
    model = Model(empty(SHARED_BITS))
    if table is not None:
        try:
            model = Model(bytearray(table))
        except Damaged as fault:
            log.warning("the shared spam model begins anew", fault=repr(fault))
    for octets in updates:
        with suppress(Damaged):
            model.learn(unpacked(octets))
    return model


async def whole(tables: SpamTables) -> tuple[Model, int]:
    """And the number of what was learned last."""
    news = await tables.shared_after(0)
    return await asyncio.to_thread(grown, news.base, news.updates), news.number


async def compact(tables: SpamTables, turn: LearningTurn) -> bool:
    """False: there is no need, or somebody learns."""
    if await tables.log_length() <= MOST_UPDATES or not await turn.take():
        return False
    try:
        model, number = await whole(tables)
        await tables.replace_shared(model.octets, after=number)
    except Conflict:
        return False  # tomorrow, then
    finally:
        await turn.give_back()
    return True
