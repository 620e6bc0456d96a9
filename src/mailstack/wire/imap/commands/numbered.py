"""What message numbers in a command mean. RFC 9051 §6.4.9: UID before COPY, FETCH, MOVE, STORE and SEARCH."""

from dataclasses import dataclass

from mailstack.wire.imap.sets import MessageSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """is_uid: the numbers are UIDs; otherwise positions in the selected mailbox. RFC 5182 §2.1: `$` is either."""

    numbers: MessageSet
    is_uid: bool
