"""Sequence sets, and `$` in their place. RFC 9051 §9: sequence-set, seq-number, seq-last-command."""

import re

from mailstack.model.numset import STAR, NumSet
from mailstack.model.query import SavedResult
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import MAX_NUMBER, Cursor

# sequence-set = (seq-number / seq-range) ["," sequence-set]; nz-number has no leading zero
_SET = re.compile(
    rb"(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?(?:,(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?)*+"
)

MessageSet = NumSet | SavedResult


def message_set(cursor: Cursor) -> MessageSet:
    """RFC 5182 §3: sequence-set =/ seq-last-command"""
    return SavedResult() if cursor.skip(b"$") else sequence_set(cursor)


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
