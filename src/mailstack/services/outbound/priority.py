"""Which mail goes first where not all can go at once: what a person here wrote to somebody. Pure."""

from collections.abc import Sequence

from mailstack.formats.headers import Field, first
from mailstack.model.delivery import NULL_PATH, Priority

MANY = 50
"""From more recipients on, nobody waits for an answer to each."""
# RFC 3834 §3.1.8 names them. RFC 2919 §3: what has a List-Id comes from a list.
_PRECEDENCES = frozenset({b"bulk", b"junk", b"list"})


def of_submission(fields: Sequence[Field]) -> Priority:
    """As its header has it."""
    precedence = (first(fields, b"precedence") or b"").lower()
    is_bulk = precedence in _PRECEDENCES or first(fields, b"list-id") is not None
    return Priority.BULK if is_bulk else Priority.SUBMISSION


def of_envelope(priority: Priority, *, reverse_path: str, recipients: int) -> Priority:
    """priority: of the mail, whoever it is for."""
    if reverse_path == NULL_PATH:
        return Priority.BOUNCE
    return min(priority, Priority.BULK) if recipients > MANY else priority
