"""States of data: how far in an account's change log a client is. RFC 8620 §5.1, §5.2."""

import re

from mailstack.model.changes import LogPoint
from mailstack.model.ids import ModSeq
from mailstack.model.object_journal import JournalPoint

# At most what fits into 63 bits.
_STATE = re.compile(r"(0|[1-9][0-9]{0,17})(?:-(0|[1-9][0-9]{0,17}))?")

_OBJECT_STATE = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.(0|[1-9][0-9]{0,17}))?")


def write_state(point: LogPoint) -> str:
    """The ModSeq; and the last id, where a client has come only so far in what happened under it."""
    return str(point.mod_seq) if point.up_to is None else f"{point.mod_seq}-{point.up_to}"


def read_state(text: str) -> LogPoint | None:
    """None: not how we spell one."""
    found = _STATE.fullmatch(text)
    if found is None:
        return None
    return LogPoint(ModSeq(int(found[1])), None if found[2] is None else int(found[2]))


def write_query_state(mod_seq: ModSeq | None) -> str:
    """None: of what was found while it changed; nothing can be told of what has changed since."""
    return "unsettled" if mod_seq is None else str(mod_seq)


def write_object_state(point: JournalPoint) -> str:
    """Of objects that lie with the system."""
    return str(point.number) if point.began is None else f"{point.number}.{point.began}"


def read_object_state(text: str) -> JournalPoint | None:
    """None: not how we spell one."""
    found = _OBJECT_STATE.fullmatch(text)
    if found is None:
        return None
    return JournalPoint(int(found[1]), None if found[2] is None else int(found[2]))
