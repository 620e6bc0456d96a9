"""How a command ends, short to say. RFC 5804 §1.3."""

from collections.abc import Sequence

from mailstack.model.log_events import plain
from mailstack.sieve.faults import Fault
from mailstack.wire.managesieve.responses import Code, Condition, Reply

FAULT_CHARACTERS = 400
"""Of one fault of a script, which may hold words out of it."""
MOST_WARNINGS = 20


def ok(text: str) -> Reply:
    return Reply(condition=Condition.OK, text=text)


def ok_with(warnings: Sequence[Fault], text: str) -> Reply:
    """RFC 5804 §1.3: of a script that is valid, and perhaps not what its writer meant. text: where there are none."""
    if not warnings:
        return ok(text)
    return Reply(condition=Condition.OK, text=lines_of(warnings[:MOST_WARNINGS]), code=Code.WARNINGS)


def lines_of(faults: Sequence[Fault]) -> str:
    """RFC 5804 §2.6: each with its line; of several, each on a line of its own."""
    return "\r\n".join(plain(str(fault), FAULT_CHARACTERS) for fault in faults)


def no(text: str, code: Code | None = None) -> Reply:
    return Reply(condition=Condition.NO, text=text, code=code)


def bye(text: str, code: Code | None = None) -> Reply:
    return Reply(condition=Condition.BYE, text=text, code=code)
