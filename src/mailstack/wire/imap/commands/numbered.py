"""What message numbers in a command mean. RFC 9051 §6.4.9: UID before COPY, FETCH, MOVE, STORE and SEARCH."""

from dataclasses import dataclass

from mailstack.model.numset import NumSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """is_uid: the numbers are UIDs; otherwise positions in the selected mailbox."""

    numbers: NumSet
    is_uid: bool
