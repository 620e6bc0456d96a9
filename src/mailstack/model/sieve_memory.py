"""What delivery remembers for the scripts of an account: why it keeps a key."""

from enum import StrEnum


class Purpose(StrEnum):
    """ANSWERED: whom vacation has answered (RFC 5230 §4.2). SEEN: ids that `duplicate` has seen (RFC 7352 §3). TOLD:
    faults of scripts that their owner was told of."""

    ANSWERED = "answered"
    SEEN = "seen"
    TOLD = "told"
