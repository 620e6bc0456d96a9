"""Sequence sets. RFC 9051 §9: sequence-set, seq-number."""

import re

from mailstack.model.numset import STAR, NumSet
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import MAX_NUMBER, Cursor

# sequence-set = (seq-number / seq-range) ["," sequence-set]; nz-number has no leading zero
_SET = re.compile(
    rb"(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?(?:,(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?)*+"
)


def sequence_set(cursor: Cursor) -> NumSet:
    found = cursor.match(_SET)
    if found is None:
        raise SyntaxProblem("expected a set of numbers")
    return NumSet(tuple(_range(piece) for piece in found.group().split(b",")))


def known_set(cursor: Cursor) -> NumSet:
    """known-uids = sequence-set, in which `*` is not allowed. RFC 7162 §7."""
    numbers = sequence_set(cursor)
    if any(STAR in pair for pair in numbers.ranges):
        raise SyntaxProblem("* is not allowed here")
    return numbers


def _range(piece: bytes) -> tuple[int, int]:
    first, colon, last = piece.partition(b":")
    return _number(first), _number(last if colon else first)


def _number(digits: bytes) -> int:
    value = STAR if digits == b"*" else int(digits)
    if value > MAX_NUMBER:
        raise SyntaxProblem("a number is too large")
    return value
