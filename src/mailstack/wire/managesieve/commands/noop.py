"""NOOP. RFC 5804 §2.13."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Noop:
    """tag: to be sent back in the TAG code; None when the client sent none."""

    tag: bytes | None


def parse(cursor: Cursor) -> Noop:
    tag = cursor.string() if cursor.skip(b" ") else None
    cursor.end()
    return Noop(tag=tag)
